"""SemVer's precedence as a sort key, shared by the dialects that build on it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Key = tuple[Any, ...]  # major, minor, patch, and the stage: RELEASE or the pre-release's identifiers

RELEASE = (1,)
LOWEST = (0, (0, 0, ""))  # the stage `-0`, which comes before all others


def precedence(
    numbers: tuple[int, int, int], prerelease: str | None, number: Callable[[str], float | None] = int
) -> Key:
    """A release comes after its pre-releases; of their identifiers, numbers come before words.

    Dialects read long numbers differently: `number` gives the value of one, or None if it counts as a word.
    """
    if not prerelease:
        return (*numbers, RELEASE)
    return (*numbers, (0, *(_identifier(text, number) for text in prerelease.split("."))))


def _identifier(text: str, number: Callable[[str], float | None]) -> tuple[int, float, str]:
    value = number(text) if text.isdigit() else None
    return (1, 0, text) if value is None else (0, value, "")
