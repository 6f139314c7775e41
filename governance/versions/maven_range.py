"""Maven's bracket ranges: `[1.0,2.0)`, `(,1.0],[1.2,)`, `[1.5]`, `[1.2.*]`.

As VersionRange of maven-artifact reads them; the wildcard, and the refusal of more than one comma in a
bracket, are those of Maven 4 (maven-resolver's GenericVersionRange).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from governance.versions.comparators import Malformed

BRACKET = re.compile(r"([\[(])([^\])]*)([\])])")
PREFIX = re.compile(r"([0-9]+(?:\.[0-9]+)*)\.\*")
NOTHING = "0"  # what the empty version of “[]” equals


@dataclass(frozen=True)
class Interval:
    low: Any  # a key, or None where it is open
    high: Any
    low_in: bool
    high_in: bool

    def contains(self, key: Any) -> bool:
        if self.low is not None and (key < self.low or (key == self.low and not self.low_in)):
            return False
        return not (self.high is not None and (key > self.high or (key == self.high and not self.high_in)))


@dataclass(frozen=True)
class Prefix:
    """All versions that begin with the numbers given, missing ones as zero."""

    numbers: list[int]

    def contains(self, key: Any) -> bool:
        numbers = list(takewhile(lambda item: isinstance(item, int), key.items))
        count = len(self.numbers)
        return [*numbers, *[0] * count][:count] == self.numbers


def read(text: str, key: Callable[[str], Any]) -> Callable[[str], bool]:
    """The test for a range in brackets; raises Malformed."""
    parts = _parts(text.strip(), key)

    def contains(version: str) -> bool:
        asked = key(version)
        return any(part.contains(asked) for part in parts)

    return contains


def _parts(text: str, key: Callable[[str], Any]) -> list[Interval | Prefix]:
    parts: list[Interval | Prefix] = []
    rest = text
    while rest:
        match = BRACKET.match(rest)
        if match is None:
            raise Malformed("it wants brackets around every part, as in “[1.0,2.0)”")
        part = _part(match, key)
        if parts:
            _refuse_overlap(parts[-1], part)
        parts.append(part)
        rest = rest[match.end() :].lstrip().removeprefix(",").lstrip()
    return parts


def _part(match: re.Match[str], key: Callable[[str], Any]) -> Interval | Prefix:
    opening, inside, closing = match.groups()
    bounds = [bound.strip() for bound in inside.split(",")]
    low_in, high_in = opening == "[", closing == "]"
    if len(bounds) > 2:
        raise Malformed("a bracket takes at most two versions")
    if len(bounds) == 1:
        if not (low_in and high_in):
            raise Malformed("a single version wants square brackets, as in “[1.0]”")
        if bounds[0].endswith(".*"):
            return _prefix(bounds[0])
        bounds = [bounds[0] or NOTHING, bounds[0] or NOTHING]
    low, high = (key(bound) if bound else None for bound in bounds)
    if low is not None and high is not None and (high < low or (high == low and not (low_in and high_in))):
        raise Malformed("its upper bound is below its lower one")
    return Interval(low, high, low_in, high_in)


def _prefix(text: str) -> Prefix:
    match = PREFIX.fullmatch(text)
    if match is None:
        raise Malformed("before “.*” it wants numbers with dots")
    return Prefix([int(number) for number in match[1].split(".")])


def _refuse_overlap(before: Interval | Prefix, after: Interval | Prefix) -> None:
    """As maven-artifact does; it knows no wildcard, and who does (the resolver) allows overlaps."""
    if isinstance(before, Prefix) or isinstance(after, Prefix):
        return
    if before.high is not None and (after.low is None or after.low < before.high):
        raise Malformed("its parts overlap, or are not in order")
