"""Helm's chart versions and ranges, as Masterminds/semver version 3 reads them.

A version may lack minor and patch and may start with `v`. In a range a missing part is a wildcard, and
a pre-release is considered only where some comparator of the same alternative names one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from governance.versions.precedence import RELEASE, Key, precedence
from governance.versions.scheme import InvalidRange, InvalidVersion, Scheme

TAIL = r"(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
VERSION = re.compile(rf"v?([0-9]+)(?:\.([0-9]+)(?:\.([0-9]+))?)?{TAIL}")
PATTERN = rf"v?([0-9xX*|]+)(?:\.([0-9xX*|]+)(?:\.([0-9xX*|]+))?)?{TAIL}"
WHOLE_PATTERN = re.sub(r"\((?!\?)", "(?:", PATTERN)
OPERATOR = r"(?:!=|>=|=>|<=|=<|~>|=|>|<|~|\^)?"
SPACES = re.compile(r"[\t\n\f\r ]+")  # what separates in Go; of all other white space Masterminds wants none
COMPARATOR = re.compile(rf"({OPERATOR}) ?{PATTERN}")
NEXT = r"(?: ?, ?+| )"  # possessive: one way only to read a separator
GROUP = re.compile(rf" ?{OPERATOR} ?{WHOLE_PATTERN}(?:{NEXT}{OPERATOR} ?{WHOLE_PATTERN})* ?")
BETWEEN = re.compile(rf" ?({WHOLE_PATTERN}) - ({WHOLE_PATTERN}) ?")
MAX_NUMBER = 2**64 - 1
WILDCARDS = frozenset(("x", "X", "*", None))
ALIASES = {"": "=", "=>": ">=", "=<": "<=", "~>": "~"}


def read(version: str) -> Key:
    """The sort key of a version, missing parts as zero; raises InvalidVersion."""
    match = VERSION.fullmatch(version)
    if match is None:
        raise InvalidVersion(version, "Helm wants up to three numbers, and perhaps -PRERELEASE and +BUILD")
    major, minor, patch = (int(number or 0) for number in match.groups()[:3])
    prerelease = match[4]
    if max(major, minor, patch) > MAX_NUMBER:
        raise InvalidVersion(version, "a number in it does not fit 64 bits")
    if prerelease and any(re.fullmatch("0[0-9]+", identifier) for identifier in prerelease.split(".")):
        raise InvalidVersion(version, "a number of its pre-release starts with 0")
    return precedence((major, minor, patch), prerelease, _number)


def _number(text: str) -> int | None:
    """A number that does not fit 64 bits is a word to Masterminds."""
    value = int(text)
    return value if value <= MAX_NUMBER else None


@dataclass(frozen=True)
class Comparator:
    """One operator and a version of which the last parts may be open."""

    op: str
    key: Key
    given: int  # how many of major, minor and patch are numbers

    def holds(self, key: Key) -> bool:
        return CHECKS[self.op](self, key)

    def _equals(self, key: Key) -> bool:
        return self._tilde(key) if self.given < 3 else key == self.key

    def _differs(self, key: Key) -> bool:
        if self.given == 3 or self.given == 0:
            return key != self.key
        if key[: self.given] != self.key[: self.given]:
            return True
        return self.given == 2 and key[3] != self.key[3]

    def _above(self, key: Key) -> bool:
        if self.given in (0, 3):
            return key > self.key
        return key[: self.given] > self.key[: self.given]

    def _up_to(self, key: Key) -> bool:
        if self.given == 3:
            return key <= self.key
        compared = 1 if self.given == 1 else 2
        return key[:compared] <= self.key[:compared]

    def _tilde(self, key: Key) -> bool:
        if key < self.key:
            return False
        if self.key[:3] == (0, 0, 0) and self.given in (0, 3):
            return True
        compared = 1 if self.given == 1 else 2
        return key[:compared] == self.key[:compared]

    def _caret(self, key: Key) -> bool:
        if key < self.key:
            return False
        major, minor, _, _ = self.key
        if major > 0 or self.given == 1:
            return bool(key[0] == major)
        if minor > 0 or self.given == 2:
            return key[:2] == self.key[:2]
        return key[:3] == self.key[:3]


CHECKS: dict[str, Callable[[Comparator, Key], bool]] = {
    "=": Comparator._equals,
    "!=": Comparator._differs,
    ">": Comparator._above,
    "<": lambda comparator, key: key < comparator.key,
    ">=": lambda comparator, key: key >= comparator.key,
    "<=": Comparator._up_to,
    "~": Comparator._tilde,
    "^": Comparator._caret,
}


@dataclass(frozen=True)
class Matcher:
    alternatives: tuple[tuple[Comparator, ...], ...]
    prereleases: bool = False

    def contains(self, key: Key) -> bool:
        return any(self._all_hold(group, key) for group in self.alternatives)

    def _all_hold(self, group: tuple[Comparator, ...], key: Key) -> bool:
        named = self.prereleases or any(comparator.key[3] != RELEASE for comparator in group)
        return (named or key[3] == RELEASE) and all(comparator.holds(key) for comparator in group)


def read_range(text: str, *, prereleases: bool = False, simple: bool = True) -> Matcher:
    """Read a range; with prereleases, they are considered everywhere. Raises InvalidRange.

    `simple` adds what Plumbline's simple form needs: `==`, and that the empty text is everything.
    """
    tidy = SPACES.sub(" ", text).strip(" ")  # the patterns below take one space at a time
    if simple:
        tidy = re.sub(r"(?<![=!<>])==(?!=)", "=", tidy) or "*"
    rewritten = SPACES.sub(" ", BETWEEN.sub(r">= \1, <= \2 ", tidy))
    return Matcher(tuple(_group(text, part) for part in rewritten.split("||")), prereleases)


def _group(text: str, part: str) -> tuple[Comparator, ...]:
    if GROUP.fullmatch(part) is None:
        raise InvalidRange(text, f"Helm can't read “{part.strip()}”")
    return tuple(_comparator(text, match) for match in COMPARATOR.finditer(part))


def _comparator(text: str, match: re.Match[str]) -> Comparator:
    op, *parts, prerelease = match.groups()
    given = next((i for i, part in enumerate(parts) if part in WILDCARDS), 3)
    numbers = [*parts[:given], "0", "0", "0"][:3]
    version = ".".join(numbers) + (f"-{prerelease}" if prerelease else "")
    try:
        return Comparator(ALIASES.get(op, op), read(version), given)
    except InvalidVersion as error:
        raise InvalidRange(text, error.reason) from error


class Helm(Scheme):
    name = "helm"
    title = "Helm"
    source = "https://github.com/Masterminds/semver"

    def parse(self, version: str) -> Key:
        return read(version)

    def native_range(self, text: str) -> Callable[[str], bool]:
        matcher = read_range(text)
        return lambda version: matcher.contains(self._keys(version))

    def is_prerelease(self, version: str) -> bool:
        return bool(self._keys(version)[3] != RELEASE)

    def parts(self, version: str) -> tuple[int, int, int] | None:
        major, minor, patch, _ = self._keys(version)
        return major, minor, patch
