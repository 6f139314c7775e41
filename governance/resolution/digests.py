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


def content_of(one: Any) -> dict[str, Any]:
    """The fields of a dataclass's object, without what it remembers besides."""
    return {field.name: getattr(one, field.name) for field in fields(one)}
