"""The icons that there are: a name that the sprite lacks is an error in the template that uses it."""

from __future__ import annotations

import functools
import re

from config.env import BASE_DIR

SPRITE = "vendor/tabler-icons/sprite.svg"


@functools.cache
def names() -> frozenset[str]:
    """The names of the sprite's icons."""
    return frozenset(re.findall(r'<symbol id="([^"]+)"', (BASE_DIR / "static" / SPRITE).read_text()))


def known(name: str) -> str:
    """The name itself, if there is such an icon."""
    if name not in names():
        raise LookupError(f"The icon sprite has no “{name}”.")
    return name
