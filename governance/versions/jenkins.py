"""Jenkins: the order of hudson.util.VersionNumber (jenkinsci/lib-version-number).

A version is a list of numbers and words; a number after a dash opens a list of its own. A missing
item counts as 0 beside a number and as a release beside a word, so 1.0 = 1, 1.0-rc < 1.0 and
1.0 < 1.0-1. The hash part of 391.ve4a_... is words and numbers like any other; plugins put a rising
number before it.

Where upstream's comparator contradicts itself, the order here takes one side:
- `*` is above every number (upstream says so from the left and “equal” from the right);
- 2.0-SNAPSHOT comes just before its timestamped builds (upstream calls it equal to each of them,
  though they differ among themselves; compare() answers as upstream does).
One contradiction stays, for the pairs would else not be upstream's: 6.1.0rc3 < 6.1.0 < 6.1h < 6.1.0rc3.
Ranks of versions that go round in such a circle hold for their set alone; no plugin that is
published has any.
"""

from __future__ import annotations

import re
from functools import total_ordering
from itertools import zip_longest
from typing import Any

from governance.versions.scheme import InvalidVersion, Scheme, leading_numbers

SNAPSHOT = re.compile(r".*(-[0-9]{8}\.[0-9]{6}-[0-9]+|-SNAPSHOT)(?: \(.*\))?")
NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")
SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}  # only where a number follows
ALIASES = {"ga": "", "final": "", "cr": "rc", "ea": "rc"}
QUALIFIERS = ("snapshot", "alpha", "beta", "milestone", "rc", "", "sp")
RELEASE = "5"  # the rank of the empty qualifier
WILDCARD = "*"

Item = int | str | list["Item"]  # a number, a word's rank as text or WILDCARD, a list
KINDS = {str: 0, list: 1, int: 2}  # of two items of different kinds the higher kind is the greater


def _is_digit(character: str) -> bool:
    """Java asks of UTF-16's units, so that it sees no digits beyond its first plane."""
    return character.isdecimal() and character <= "\uffff"


def _is_space(character: str) -> bool:
    """Java counts no space that doesn't break a line, nor NEL."""
    return character.isspace() and character not in "\x85\xa0\u2007\u202f"


def _word(text: str, before_number: bool) -> str:
    """The rank of a word as text: known qualifiers by their place, others after them by their letters."""
    text = SHORT.get(text, text) if before_number else text
    text = ALIASES.get(text, text)
    return str(QUALIFIERS.index(text)) if text in QUALIFIERS else f"{len(QUALIFIERS)}-{text}"


class _Reader:
    """Reads a version from left to right into nested lists."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.items: list[Item] = []
        self.lists = [self.items]
        self.start = 0
        self.in_number = False
        for at, character in enumerate(text):
            self._step(at, character)
        if self.start < len(text):
            self._take(len(text), before_number=False)
        for items in reversed(self.lists):
            _trim(items)

    def _step(self, at: int, character: str) -> None:
        if character in ".-":
            self._separate(at, character)
        elif character == "*":
            self.lists[-1].append(WILDCARD)
            self.start = at + 1
        elif _is_digit(character):
            if not self.in_number and at > self.start:
                self._take(at, before_number=True)
            self.in_number = True
        else:
            if at > self.start and (self.in_number or _is_space(character)):
                self._take(at, before_number=True)
            self.in_number = False

    def _separate(self, at: int, separator: str) -> None:
        if at == self.start:
            self.lists[-1].append(0)
        else:
            self._take(at, before_number=False)
        self.start = at + 1
        if separator == "-" and self.in_number:
            _trim(self.lists[-1])
            if _is_digit(self.text[at + 1 : at + 2]):
                nested: list[Item] = []
                self.lists[-1].append(nested)
                self.lists.append(nested)

    def _take(self, end: int, *, before_number: bool) -> None:
        piece = self.text[self.start : end]
        self.lists[-1].append(int(piece) if self.in_number else _word(piece, before_number))
        self.start = end


def _trim(items: list[Item]) -> None:
    """Drop trailing items that say nothing: 1.0 is 1."""
    while items and items[-1] in (0, RELEASE, []):
        items.pop()


def _compare(left: list[Item], right: list[Item]) -> int:
    for a, b in zip_longest(left, right):
        result = _compare_items(a, b)
        if result:
            return result
    return 0


def _compare_items(a: Item | None, b: Item | None) -> int:
    if a is None or b is None:
        return _beside_nothing(a) - _beside_nothing(b)
    if isinstance(a, list) and isinstance(b, list):
        return _compare(a, b)
    if WILDCARD in (a, b):
        return (a == WILDCARD) - (b == WILDCARD)
    left, right = (KINDS[type(a)], a), (KINDS[type(b)], b)
    return (left > right) - (left < right)


def _beside_nothing(item: Item | None) -> int:
    """How an item compares with a missing one."""
    if item is None or item == []:
        return 0
    if isinstance(item, list):
        return _beside_nothing(item[0])
    if isinstance(item, int):
        return int(item > 0)
    return 1 if item == WILDCARD else (item > RELEASE) - (item < RELEASE)


@total_ordering
class Order:
    """The sort key of one version."""

    __slots__ = ("items", "snapshot")

    def __init__(self, version: str) -> None:
        match = SNAPSHOT.fullmatch(version)
        self.snapshot = match[1] if match else ""
        text = f"{version[: match.start(1)]}-SNAPSHOT" if match else version
        self.items = _Reader(text.lower()).items

    def _stage(self) -> tuple[Any, ...]:
        if self.snapshot in ("", "-SNAPSHOT"):
            return (len(self.snapshot),)
        _, day_and_time, build = self.snapshot.split("-")
        return (len("-SNAPSHOT"), day_and_time, int(build))

    def __lt__(self, other: Order) -> bool:
        result = _compare(self.items, other.items)
        return result < 0 if result else self._stage() < other._stage()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Order):
            return NotImplemented
        return _compare(self.items, other.items) == 0 and self._stage() == other._stage()

    __hash__ = None  # type: ignore[assignment] # equal keys may hold different items


class Jenkins(Scheme):
    name = "jenkins"
    title = "Jenkins"
    source = "https://github.com/jenkinsci/lib-version-number"

    def parse(self, version: str) -> Order:
        if not version.strip():
            raise InvalidVersion(version, "it is empty")
        return Order(version)

    def compare(self, a: str, b: str) -> int:
        left, right = self._keys(a), self._keys(b)
        result = _compare(left.items, right.items)
        snapshots = (left.snapshot, right.snapshot)
        if result == 0 and "-SNAPSHOT" in snapshots and all(snapshots):
            return 0  # upstream: a literal snapshot can't be compared with a timestamped one
        return super().compare(a, b)

    def is_prerelease(self, version: str) -> bool:
        """A version whose first word ranks before a release."""
        words = [item for item in _flat(self._keys(version).items) if isinstance(item, str)]
        return bool(words) and words[0] != WILDCARD and words[0] < RELEASE

    def parts(self, version: str) -> tuple[int, int, int] | None:
        self.key(version)
        match = NUMBERS.match(version)
        return leading_numbers([int(number) for number in match[0].split(".")]) if match else None


def _flat(items: list[Item]) -> list[Item]:
    return [leaf for item in items for leaf in (_flat(item) if isinstance(item, list) else [item])]
