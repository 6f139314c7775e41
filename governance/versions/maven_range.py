"""Maven's bracket ranges: `[1.0,2.0)`, `(,1.0],[1.2,)`, `[1.5]`, `[1.2.*]`.

As VersionRange of maven-artifact reads them; the wildcard, and the refusal of more than one comma in a
bracket, are those of Maven 4 (maven-resolver's GenericVersionRange).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from governance.versions.comparators import Malformed

BRACKET = re.compile(r"([\[(])([^\])]*)([\])])")
PREFIX = re.compile(r"([0-9]+(?:\.[0-9]+)*)\.\*")
NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")


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


def read(text: str, key: Callable[[str], Any]) -> Callable[[str], bool]:
    """The test for a range in brackets; raises Malformed."""
    wildcard = re.fullmatch(r"\[\s*(\S+\.\*)\s*\]", text.strip())
    if wildcard is not None:
        return _prefix(wildcard[1], key)
    intervals = _intervals(text.strip(), key)
    return lambda version: any(interval.contains(key(version)) for interval in intervals)


def _prefix(text: str, key: Callable[[str], Any]) -> Callable[[str], bool]:
    """All versions that begin with the numbers given, missing ones as zero."""
    match = PREFIX.fullmatch(text)
    if match is None:
        raise Malformed("before “.*” it wants numbers with dots")
    wanted = [int(number) for number in match[1].split(".")]

    def contains(version: str) -> bool:
        key(version)
        found = NUMBERS.match(version)
        numbers = [int(number) for number in found[0].split(".")] if found else []
        return bool(found) and [*numbers, *[0] * len(wanted)][: len(wanted)] == wanted

    return contains


def _intervals(text: str, key: Callable[[str], Any]) -> list[Interval]:
    intervals: list[Interval] = []
    rest = text
    while rest:
        match = BRACKET.match(rest)
        if match is None:
            raise Malformed("it wants brackets around every part, as in “[1.0,2.0)”")
        interval = _interval(match, key)
        if intervals:
            _refuse_overlap(intervals[-1], interval)
        intervals.append(interval)
        rest = rest[match.end() :].lstrip().removeprefix(",").lstrip()
    return intervals


def _interval(match: re.Match[str], key: Callable[[str], Any]) -> Interval:
    opening, inside, closing = match.groups()
    bounds = [bound.strip() for bound in inside.split(",")]
    low_in, high_in = opening == "[", closing == "]"
    if len(bounds) > 2:
        raise Malformed("a bracket takes at most two versions")
    if len(bounds) == 1:
        if not (low_in and high_in):
            raise Malformed("a single version wants square brackets, as in “[1.0]”")
        bounds = [bounds[0], bounds[0]]
    low, high = (key(bound) if bound else None for bound in bounds)
    if low is not None and high is not None and (high < low or (high == low and not (low_in and high_in))):
        raise Malformed("its upper bound is below its lower one")
    return Interval(low, high, low_in, high_in)


def _refuse_overlap(before: Interval, after: Interval) -> None:
    if before.high is not None and (after.low is None or after.low < before.high):
        raise Malformed("its parts overlap, or are not in order")
