"""Answers kept for as long as they are few: a search asks the same few questions again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

_KEPT = 200


def remembered(
    known: dict[_Asked, _Answer], asked: _Asked, find: Callable[[_Asked], _Answer], *, kept: int = _KEPT
) -> _Answer:
    """The answer, looked up among those that are known, of which there are so many at most."""
    answer = known.get(asked)
    if answer is None:
        if len(known) >= kept:
            known.clear()
        answer = known[asked] = find(asked)
    return answer
