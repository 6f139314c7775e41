"""SemVer's precedence as a sort key, shared by the dialects that build on it."""

from __future__ import annotations

from typing import Any

Key = tuple[Any, ...]  # major, minor, patch, and the stage: RELEASE or the pre-release's identifiers

RELEASE = (1,)
LOWEST = (0, (0, 0, ""))  # the stage `-0`, which comes before all others


def precedence(numbers: tuple[int, int, int], prerelease: str | None) -> Key:
    """A release comes after its pre-releases; of their identifiers, numbers come before words."""
    if not prerelease:
        return (*numbers, RELEASE)
    return (*numbers, (0, *map(_identifier, prerelease.split("."))))


def _identifier(text: str) -> tuple[int, int, str]:
    return (0, int(text), "") if text.isdigit() else (1, 0, text)
