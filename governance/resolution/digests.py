"""Values by their content."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import fields
from typing import Any


def digest_of(*parts: object) -> str:
    """SHA-256 over the parts' texts; a separator that no text contains keeps them apart."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def digest_of_set(parts: Iterable[object]) -> str:
    """The same whatever order the parts come in."""
    return digest_of(*sorted(map(str, parts)))


class Sent:
    """A dataclass whose objects go to other processes without what was worked out about them.

    That would be most of a message, and somebody else may be working it out while the message is written.
    """

    def __getstate__(self) -> dict[str, Any]:
        """The fields alone."""
        return {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
