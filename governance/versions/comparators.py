"""Plumbline's own simple range form: comparators joined by spaces or commas."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": lambda a, b: not b < a,
    ">": lambda a, b: b < a,
    ">=": lambda a, b: not a < b,
    "=": operator.eq,
    "!=": operator.ne,
}

# A separator counts only before an operator: in some dialects a version may hold spaces.
SEPARATOR = re.compile(r"\s*,\s*(?=[<>=!])|\s+(?=[<>=!])")
ITEM = re.compile(r"(>=|<=|!=|==|=|<|>)?\s*([^<>=!|,~^][^<>=!|,]*)")  # `~1` is another syntax, not a version


class Malformed(ValueError):
    """The text is not in the simple form; says why in words."""


def split(text: str) -> list[tuple[str, str]]:
    """The operators and versions of a range such as `>=2.4 <3`; none for `*` and the empty text."""
    text = text.strip()
    if text in ("", "*"):
        return []
    return [_item(piece) for piece in SEPARATOR.split(text)]


def _item(piece: str) -> tuple[str, str]:
    match = ITEM.fullmatch(piece)
    if match is None:
        like = "an operator (>=, >, <=, <, =, !=) and a version, as in “>=1.2 <2.0”"
        raise Malformed(f"“{piece}” is not {like}")
    op, version = match.groups()
    return ("=" if op in (None, "==") else op), version.strip()
