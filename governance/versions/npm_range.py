"""npm's range syntax, as node-semver reads it: `^1.2`, `~1.2.3`, `1.x || >=2.5.0 <3`, `1.2 - 2.3`.

Plumbline adds what its simple form needs: commas between comparators, `==` and `!=`.
A pre-release is in a range only if a comparator of the same alternative names a pre-release of the
same major, minor and patch.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from governance.versions import comparators
from governance.versions.precedence import LOWEST, RELEASE, Key, precedence

MAX_NUMBER = 2**53 - 1
STRICT = (r"(?:0|[1-9][0-9]*)", r"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|0|[1-9][0-9]*)", "-")
LOOSE = (r"[0-9]+", r"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|[0-9]+)", "-?")
BUILD = re.compile(r"\+[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*")
STAR = re.compile(r"[<>]?=?\s*\*")
DANGLING = re.compile(r"(~>?|\^|[<>]=?|=)\s+(?=[^<>~^\s])")  # `>= 1.0` with its space


class Comparator(NamedTuple):
    op: str
    key: Key

    def holds(self, key: Key) -> bool:
        return comparators.TESTS[self.op](key, self.key)


NOTHING = Comparator("<", (0, 0, 0, LOWEST))


@dataclass(frozen=True)
class Matcher:
    """Alternatives, each a set of comparators that must all hold; and versions taken out of all."""

    alternatives: tuple[tuple[Comparator, ...], ...]
    exclusions: tuple[Matcher, ...] = ()
    prereleases: bool = False

    def contains(self, key: Key) -> bool:
        if any(exclusion.contains(key) for exclusion in self.exclusions):
            return False
        return any(self._all_hold(group, key) for group in self.alternatives)

    def _all_hold(self, group: Sequence[Comparator], key: Key) -> bool:
        if not all(comparator.holds(key) for comparator in group):
            return False
        if self.prereleases or key[3] == RELEASE:
            return True
        return any(c.key[3] != RELEASE and c.key[:3] == key[:3] for c in group)


def read(text: str, *, loose: bool = False, prereleases: bool = False) -> Matcher:
    """Read a range; with prereleases, every pre-release between the bounds is in. Raises Malformed."""
    grammar = _Grammar(loose, prereleases)
    text, excluded = _take_exclusions(text)
    groups = [grammar.group(part) for part in " ".join(text.split()).split("||")]
    kept = [group for group in groups if group is not None]
    if not kept:
        raise comparators.Malformed("npm knows no such comparator")
    exclusions = tuple(Matcher((grammar.read_one(version),), prereleases=True) for version in excluded)
    return Matcher(_collapse(kept), exclusions, prereleases)


def _collapse(groups: list[tuple[Comparator, ...]]) -> tuple[tuple[Comparator, ...], ...]:
    """As npm: beside an alternative that takes any release, no other one opens the door to pre-releases."""
    return ((),) if () in groups else tuple(groups)


def _take_exclusions(text: str) -> tuple[str, list[str]]:
    """Rewrite the simple form's additions to npm's syntax, and take out what `!=` names."""
    text = re.sub(r"\s*,\s*(?=[<>=!~^])", " ", text)
    if "!=" not in text:
        return text.replace("==", "="), []
    if "||" in text:
        raise comparators.Malformed("“!=” and “||” can't stand in one range")
    excluded = re.findall(r"!=\s*(\S+)", text)
    return re.sub(r"!=\s*\S+", "", text).replace("==", "="), excluded


class _Grammar:
    """The syntax in one of npm's two strictnesses."""

    def __init__(self, loose: bool, prereleases: bool) -> None:
        number, identifier, dash = LOOSE if loose else STRICT
        part = rf"({number}|[xX*])"
        prerelease = rf"(?:{dash}({identifier}(?:\.{identifier})*))?"
        partial = rf"{part}(?:\.{part}(?:\.{part}{prerelease})?)?"
        self.token_form = re.compile(rf"(~>?|\^|[<>]?=?)([v=]*){partial}")
        self.between_form = re.compile(rf"([v=\s]*){partial}\s+-\s+([v=\s]*){partial}")
        self.full_form = re.compile(
            rf"([<>]?=?){'[v=]*' if loose else 'v?'}({number})\.({number})\.({number}){prerelease}"
        )
        self.loose = loose
        self.lower = LOWEST if prereleases else RELEASE
        self.trivial = Comparator(">=", (0, 0, 0, self.lower))  # holds for all that may be in

    def group(self, text: str) -> tuple[Comparator, ...] | None:
        """One alternative; None if loose reading leaves nothing of it."""
        text = BUILD.sub("", text).strip()
        match = self.between_form.fullmatch(text)
        found: list[list[Comparator]]
        if match is not None:
            found = [self._between(match)]
        else:
            read = [self._token(token) for token in DANGLING.sub(r"\1", text).split(" ")]
            found = [comparators for comparators in read if comparators is not None]
        if not found:
            return None
        group = tuple(c for comparators in found for c in comparators if c != self.trivial)
        return (NOTHING,) if NOTHING in group else group

    def read_one(self, version: str) -> tuple[Comparator, ...]:
        """The comparators of what an exclusion names: one version, or all of `1.3`."""
        return tuple(_Grammar(self.loose, True)._token(BUILD.sub("", version)) or ())

    def _token(self, token: str) -> list[Comparator] | None:
        match = self.token_form.fullmatch(token)
        if match is not None:
            op, _, *parts = match.groups()
            numbers = [_number(part) for part in parts[:3]]
            if op == "^":
                return self._caret(numbers, parts[3])
            if op.startswith("~"):
                return self._tilde(numbers, parts[3])
            if None in numbers and _ordered(numbers):
                return self._partial(op, numbers)
        return self._full(STAR.sub("", token, count=1), token)

    def _full(self, text: str, token: str) -> list[Comparator] | None:
        if not text:
            return []
        match = self.full_form.fullmatch(text)
        if match is None:
            if self.loose:
                return None
            raise comparators.Malformed(f"npm knows no comparator “{token}”")
        op, major, minor, patch, prerelease = match.groups()
        return [Comparator(op or "=", _key(int(major), int(minor), int(patch), prerelease))]

    def _caret(self, numbers: Sequence[int | None], prerelease: str | None) -> list[Comparator]:
        major, minor, patch = numbers
        if major is None:
            return []
        if minor is None:
            return self._span((major, 0, None), (major + 1, 0, 0))
        if major > 0:
            upper = (major + 1, 0, 0)
        elif minor > 0 or patch is None:
            upper = (0, minor + 1, 0)
        else:
            upper = (0, 0, patch + 1)
        return self._span((major, minor, patch), upper, prerelease)

    def _tilde(self, numbers: Sequence[int | None], prerelease: str | None) -> list[Comparator]:
        major, minor, patch = numbers
        if major is None:
            return []
        if minor is None:
            return self._span((major, 0, None), (major + 1, 0, 0))
        return self._span((major, minor, patch), (major, minor + 1, 0), prerelease)

    def _partial(self, op: str, numbers: Sequence[int | None]) -> list[Comparator]:
        """`1.x` and its like: as a bound it stands for all of its versions at once."""
        major, minor, _ = numbers
        if major is None:
            return [NOTHING] if op in ("<", ">") else []
        first = (major, minor or 0, 0)
        beyond = (major + 1, 0, 0) if minor is None else (major, minor + 1, 0)
        match op:
            case ">":
                return [Comparator(">=", _key(*beyond, at=self.lower))]
            case ">=":
                return [Comparator(">=", _key(*first, at=self.lower))]
            case "<":
                return [Comparator("<", _key(*first, at=LOWEST))]
            case "<=":
                return [Comparator("<", _key(*beyond, at=LOWEST))]
        return self._span((major, minor or 0, None), beyond)

    def _between(self, match: re.Match[str]) -> list[Comparator]:
        prefix, *low, low_pre = match.groups()[:5]
        upper_prefix, *high, high_pre = match.groups()[5:]
        lows, highs = [_number(part) for part in low], [_number(part) for part in high]
        if not self.loose:
            _refuse_equals(prefix, lows)
            if high_pre is None and self.lower != LOWEST:  # else npm writes the bound anew
                _refuse_equals(upper_prefix, highs)
        return [*self._from(lows, low_pre), *self._to(highs, high_pre)]

    def _from(self, numbers: Sequence[int | None], prerelease: str | None) -> list[Comparator]:
        major, minor, patch = numbers
        if major is None:
            return []
        if minor is None or patch is None:
            return [Comparator(">=", _key(major, minor or 0, 0, at=self.lower))]
        return [Comparator(">=", _key(major, minor, patch, prerelease, at=self.lower))]

    def _to(self, numbers: Sequence[int | None], prerelease: str | None) -> list[Comparator]:
        major, minor, patch = numbers
        if major is None:
            return []
        if minor is None:
            return [Comparator("<", _key(major + 1, 0, 0, at=LOWEST))]
        if patch is None:
            return [Comparator("<", _key(major, minor + 1, 0, at=LOWEST))]
        if prerelease is None and self.lower == LOWEST:
            return [Comparator("<", _key(major, minor, patch + 1, at=LOWEST))]
        return [Comparator("<=", _key(major, minor, patch, prerelease))]

    def _span(
        self, low: tuple[int, int, int | None], high: tuple[int, int, int], prerelease: str | None = None
    ) -> list[Comparator]:
        """From `low` to before `high` and before its pre-releases."""
        major, minor, patch = low
        if patch is None:
            lower = _key(major, minor, 0, at=self.lower)
        else:
            lower = _key(major, minor, patch, prerelease)
        return [Comparator(">=", lower), Comparator("<", _key(*high, at=LOWEST))]


def _number(part: str | None) -> int | None:
    return None if part is None or part in "xX*" else int(part)


def _ordered(numbers: Sequence[int | None]) -> bool:
    """Tell whether no number follows a wildcard, as in `1.*.5`."""
    major, minor, patch = numbers
    return not (major is None and minor is not None) and not (minor is None and patch is not None)


def _refuse_equals(prefix: str, numbers: Sequence[int | None]) -> None:
    if "=" in prefix and None not in numbers:
        raise comparators.Malformed("“=” has no place in a range of the form “1.2.3 - 2.3.4”")


def _key(
    major: int, minor: int, patch: int, prerelease: str | None = None, at: tuple[object, ...] = RELEASE
) -> Key:
    """The key of a bound: of the pre-release if there is one, else of the stage `at`."""
    if max(major, minor, patch) > MAX_NUMBER:
        raise comparators.Malformed(f"npm takes numbers up to {MAX_NUMBER}")
    if prerelease:
        return precedence((major, minor, patch), prerelease)
    return (major, minor, patch, at)
