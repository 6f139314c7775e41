"""CKAN's module versions and the versions of the game that hosts them.

Module versions: an optional epoch, then words and numbers in turn, as the Spec's "Version ordering"
says and KSP-CKAN's ModuleVersion and NetKAN-Infra's Ckan.Version compare them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from governance.versions import comparators
from governance.versions.scheme import InvalidVersion, Scheme, leading_numbers

EPOCH = re.compile(r"(?:([0-9]+):)?(.*)")
PIECE = re.compile(r"(\D*)(\d*)")
GAME = re.compile(r"[0-9]+(?:\.[0-9]+){1,3}")
OPEN = 10**9  # stands for every number in a part that a game version leaves open


def _word(text: str) -> tuple[int, str]:
    """Words order by their characters, and those that begin with a dot come last.

    A lone dot is the highest of all, since a number follows it (1.0.1 > 1.0.repackaged);
    the others with a dot are all the same to CKAN.
    """
    if not text.startswith("."):
        return (0, text)
    return (2, "") if text == "." else (1, "")


class Ckan(Scheme):
    name = "ckan"
    title = "CKAN modules"
    source = "https://github.com/KSP-CKAN/CKAN/blob/master/Spec.md#version-ordering"

    def parse(self, version: str) -> tuple[Any, ...]:
        match = EPOCH.fullmatch(version)
        if match is None or not match[2]:
            raise InvalidVersion(version, "CKAN wants text on one line after the optional epoch")
        pieces = [
            (_word(word), int(number or 0)) for word, number in PIECE.findall(match[2]) if word or number
        ]
        return (int(match[1] or 0), *pieces)

    def is_prerelease(self, version: str) -> bool:
        """CKAN marks pre-releases in the module's metadata, never in the version."""
        self.key(version)
        return False

    def parts(self, version: str) -> tuple[int, int, int] | None:
        self.key(version)
        match = re.match(r"(?:[0-9]+:)?[vV]?\.?([0-9]+(?:\.[0-9]+)*)", version)
        return leading_numbers([int(number) for number in match[1].split(".")]) if match else None


class CkanGame(Scheme):
    name = "ckan-game"
    title = "Game versions of CKAN"
    source = "https://github.com/KSP-CKAN/CKAN/blob/master/Core/Versioning/GameVersionRange.cs"

    def parse(self, version: str) -> tuple[int, ...]:
        return self._padded(version, 0)

    def _padded(self, version: str, filler: int) -> tuple[int, ...]:
        if GAME.fullmatch(version) is None:
            raise InvalidVersion(version, "a game version is two to four numbers with dots")
        numbers = [int(number) for number in version.split(".")]
        return tuple([*numbers, filler, filler][:4])

    def native_range(self, text: str) -> Callable[[str], bool]:
        """A bound stands for all versions that begin with it: `<=1.12` takes 1.12.5 in."""
        bounds = [
            (op, self._padded(version, 0), self._padded(version, OPEN))
            for op, version in comparators.split(text)
        ]
        return lambda version: all(_within(self._keys(version), *bound) for bound in bounds)

    def is_prerelease(self, version: str) -> bool:
        self.key(version)
        return False

    def parts(self, version: str) -> tuple[int, int, int] | None:
        return leading_numbers(list(self._keys(version)))


def _within(key: tuple[int, ...], op: str, first: tuple[int, ...], last: tuple[int, ...]) -> bool:
    match op:
        case ">=":
            return key >= first
        case ">":
            return key > last
        case "<=":
            return key <= last
        case "<":
            return key < first
        case "=":
            return first <= key <= last
    return not first <= key <= last
