"""Maven: the order of ComparableVersion (Maven 4's, which mends flaws of Maven 3's).

A dash, and every change between letters and digits, opens a nested list; a word and the number after
it (rc1, rc-1) are one item. Missing items count as 0 or as a release. Ranges are in maven_range.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import total_ordering
from itertools import zip_longest
from typing import NamedTuple

from governance.versions import comparators, maven_range
from governance.versions.scheme import InvalidVersion, Scheme, leading_numbers

SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}  # only where a number follows
QUALIFIERS = ("alpha", "beta", "milestone", "rc", "snapshot", "", "sp")
RELEASES = ("ga", "final", "release")
RELEASE = "5"  # the rank of the empty qualifier
NUMBERS = re.compile(r"[0-9]+(?:\.[0-9]+)*")


class Word(NamedTuple):
    rank: str
    number: int | None = None  # of a combination such as rc1


Item = int | Word | list["Item"]


def _is_digit(character: str) -> bool:
    """Java asks of UTF-16's units, so that it sees no digits beyond its first plane."""
    return character.isdecimal() and character <= "\uffff"


def _rank(text: str, before_number: bool) -> str:
    """The place of a known qualifier; others come after those, by their letters."""
    text = SHORT.get(text, text) if before_number else text
    if text in RELEASES:
        return RELEASE
    text = "rc" if text == "cr" else text
    return str(QUALIFIERS.index(text)) if text in QUALIFIERS else f"{len(QUALIFIERS)}-{text}"


class _Reader:
    """Reads a version from left to right into nested lists."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.lists: list[list[Item]] = [[]]
        self.start = 0
        self.in_number = False
        self.combined = False  # the piece being read is a word with its number
        for at, character in enumerate(text):
            self._step(at, character)
        if self.start < len(text):
            if not self.in_number and self.lists[-1]:
                self._nest()
            self._take(len(text))
        for items in reversed(self.lists):
            _normalise(items)

    @property
    def items(self) -> list[Item]:
        return self.lists[0]

    def _step(self, at: int, character: str) -> None:
        if character == ".":
            self._end_piece(at)
        elif character == "-":
            self._dash(at)
        elif character in "0123456789":
            if not self.in_number and at > self.start:
                self.combined = True
                if self.lists[-1]:
                    self._nest()
            self.in_number = True
        else:
            if self.in_number and at > self.start:
                self._take(at)
                self._nest()
                self.combined = False
            self.in_number = False

    def _dash(self, at: int) -> None:
        joins = at > self.start and not self.in_number and _is_digit(self.text[at + 1 : at + 2])
        if joins:  # rc-1 is rc1
            self.combined = True
            return
        self._end_piece(at)
        if self.lists[-1]:
            self._nest()

    def _end_piece(self, at: int) -> None:
        if at == self.start:
            self.lists[-1].append(0)
        else:
            self._take(at)
        self.combined = False
        self.start = at + 1

    def _take(self, end: int) -> None:
        self.lists[-1].append(self._item(self.text[self.start : end]))
        self.start = end

    def _item(self, piece: str) -> Item:
        if self.combined:
            piece = piece.replace("-", "")
            digits = next(at for at, character in enumerate(piece) if _is_digit(character))
            return Word(_rank(piece[:digits], before_number=True), int(piece[digits:]))
        return int(piece) if self.in_number else Word(_rank(piece, before_number=False))

    def _nest(self) -> None:
        nested: list[Item] = []
        self.lists[-1].append(nested)
        self.lists.append(nested)


def _normalise(items: list[Item]) -> None:
    """Drop zeros that say nothing: at the end, and before a word."""
    for at in reversed(range(len(items))):
        if items[at] in (0, []) and (at == len(items) - 1 or _begins_with_word(items[at + 1])):
            del items[at]
    if len(items) == 1 and isinstance(items[0], list):
        items[:] = items[0]


def _begins_with_word(item: Item) -> bool:
    if isinstance(item, list):
        return isinstance(item[0], Word)
    return isinstance(item, Word) and item.number is None


def _sign(a: int | str, b: int | str) -> int:
    return (a > b) - (a < b)  # type: ignore[operator] # both of one kind


def _compare(a: Item | None, b: Item | None) -> int:
    """-1, 0 or 1 for two items, of which one may be missing."""
    if a is None or b is None:
        return _beside_nothing(a) - _beside_nothing(b)
    if isinstance(a, list) and isinstance(b, list):
        return next((sign for x, y in zip_longest(a, b) if (sign := _compare(x, y))), 0)
    if isinstance(a, int) or isinstance(b, int):
        if isinstance(a, int) and isinstance(b, int):
            return _sign(a, b)
        return 1 if isinstance(a, int) else -1
    if isinstance(a, list):
        return _compare_list_to_word(a, b)
    if isinstance(b, list):
        return -_compare_list_to_word(b, a)
    return _compare_words(a, b)


def _compare_list_to_word(items: list[Item], word: Item) -> int:
    first = _compare(items[0] if items else None, word)
    return first or _beside_nothing(items[1:])


def _compare_words(a: Word, b: Word) -> int:
    sign = _sign(a.rank, b.rank)
    if sign or a.number == b.number:
        return sign
    if a.number is not None and b.number is not None:
        return _sign(a.number, b.number)
    # rc < rc1, even rc < rc0; but a release's word says nothing: ga = ga0 < ga1
    number = a.number if a.number is not None else b.number
    sign = 1 if a.number is not None else -1
    return sign if a.rank != RELEASE or number else 0


def _beside_nothing(item: Item | None) -> int:
    """How an item compares with a missing one."""
    if item is None:
        return 0
    if isinstance(item, list):
        return next((sign for inner in item if (sign := _beside_nothing(inner))), 0)
    if isinstance(item, int):
        return int(item > 0)
    return _sign(item.rank, RELEASE) or int((item.number or 0) > 0)


@total_ordering
class Order:
    """The sort key of one version."""

    __slots__ = ("items",)

    def __init__(self, version: str) -> None:
        self.items = _Reader(version.lower()).items

    def __lt__(self, other: Order) -> bool:
        return _compare(self.items, other.items) < 0

    def __eq__(self, other: object) -> bool:
        return _compare(self.items, other.items) == 0 if isinstance(other, Order) else NotImplemented

    __hash__ = None  # type: ignore[assignment] # equal keys may hold different items


class Maven(Scheme):
    name = "maven"
    title = "Maven"
    source = "https://maven.apache.org/pom.html#version-order-specification"
    vers_type = "maven"

    def parse(self, version: str) -> Order:
        if not version.strip():
            raise InvalidVersion(version, "it is empty")
        try:
            return Order(version)
        except ValueError as error:  # Maven fails too: after a word it takes other scripts' digits for digits
            raise InvalidVersion(version, "it mixes digits with others that are none to Maven") from error

    def native_range(self, text: str) -> Callable[[str], bool]:
        text = text.strip()
        if text.startswith(("[", "(")):
            return maven_range.read(text, self._keys)
        if text.startswith(("<", ">", "=", "!")):
            return self.simple_range(text)
        bare = comparators.split(text)
        if len(bare) > 1 or any(" " in version for _, version in bare):
            raise comparators.Malformed(
                "it is neither a version, nor in brackets, nor operators and versions"
            )
        return lambda version: bool(self.key(version))  # a bare version is a wish, not a requirement

    def is_prerelease(self, version: str) -> bool:
        """A version whose first word ranks before a release."""
        words = [item for item in _flat(self._keys(version).items) if isinstance(item, Word)]
        return bool(words) and words[0].rank < RELEASE

    def parts(self, version: str) -> tuple[int, int, int] | None:
        self.key(version)
        match = NUMBERS.match(version)
        return leading_numbers([int(number) for number in match[0].split(".")]) if match else None


def _flat(items: list[Item]) -> list[Item]:
    return [leaf for item in items for leaf in (_flat(item) if isinstance(item, list) else [item])]
