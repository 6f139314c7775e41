"""npm's range syntax, as node-semver reads it: `^1.2`, `~1.2.3`, `1.x || >=2.5.0 <3`, `1.2 - 2.3`.

Plumbline adds what its simple form needs: commas between comparators, `==` and `!=`.
A pre-release is in a range only if a comparator of the same alternative names a pre-release of the
same major, minor and patch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from governance.versions import comparators
from governance.versions.precedence import LOWEST, RELEASE, Key, precedence

MAX_NUMBER = 2**53 - 1  # what JavaScript holds exactly
# white space to JavaScript
SPACE = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
SPACES = re.compile(f"[{SPACE}]+")
STRICT = (r"(?:0|[1-9][0-9]*)", r"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|0|[1-9][0-9]*)", "-")
LOOSE = (r"[0-9]+", r"(?:[0-9]*[a-zA-Z-][a-zA-Z0-9-]*|[0-9]+)", "-?")
BUILD = re.compile(r"\+[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)*")
STAR = re.compile(r"[<>]?=?\*")
# a whole version, passed over, or what may stand before one: an operator with its space, and a prefix
BEFORE_VERSION = re.compile(r"[0-9xX*][0-9a-zA-Z.*+-]*|( ?)(?:([<>]=?|=) ?)?([v= ]*)(?=[0-9xX*])")
AFTER_TILDE = re.compile(r"~>? ")
PREFIXED = re.compile(r"[<>]?=?+[v=]")


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


def read(
    text: str,
    *,
    loose: bool = False,
    prereleases: bool = False,
    simple: bool = True,
    number: Callable[[str], float] = int,
) -> Matcher:
    """Read a range; with prereleases, every pre-release between the bounds is in. Raises Malformed.

    `simple` adds what Plumbline's simple form needs: commas between comparators, `==` and `!=`.
    `number` reads the numbers of pre-releases, as the keys that will be asked for were read.
    """
    grammar = _Grammar(loose, prereleases, number)
    text, excluded = _take_exclusions(text) if simple and not loose else (text, [])
    groups = [grammar.group(part) for part in SPACES.sub(" ", text).split("||")]
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
    text = re.sub(r"(?<![<>=!])==(?!=)", "=", text)
    if "!=" not in text:
        return text, []
    if "||" in text:
        raise comparators.Malformed("“!=” and “||” can't stand in one range")
    excluded = re.findall(r"!=\s*(\S+)", text)
    return re.sub(r"!=\s*\S+", "", text), excluded


def _join_operators(text: str) -> str:
    """Take out the space between an operator and its version, where npm does: `>= 1.0`, `~> 1`."""
    text = BEFORE_VERSION.sub(lambda m: f"{m[1]}{m[2]}{m[3]}" if m[2] else m[0], text)
    return AFTER_TILDE.sub("~", text).replace("^ ", "^")


class _Grammar:
    """The syntax in one of npm's two strictnesses."""

    def __init__(self, loose: bool, prereleases: bool, number: Callable[[str], float]) -> None:
        part_number, identifier, dash = LOOSE if loose else STRICT
        part = rf"({part_number}|[xX*])"
        prerelease = rf"(?:{dash}({identifier}(?:\.{identifier})*))?"
        partial = rf"{part}(?:\.{part}(?:\.{part}{prerelease})?)?"
        self.token_form = re.compile(rf"(~>?|\^|[<>]?=?)([v=]*){partial}")
        self.between_form = re.compile(rf"([v= ]*){partial} - ([v= ]*){partial}")
        full = rf"({part_number})\.({part_number})\.({part_number}){prerelease}(?:{BUILD.pattern})?"
        self.full_form = re.compile(rf"([<>]?=?){'[v=]*' if loose else 'v?'}{full}")
        self.loose = loose
        self.number = number
        self.lower = LOWEST if prereleases else RELEASE
        self.trivial = Comparator(">=", (0, 0, 0, self.lower))  # holds for all that may be in

    def group(self, text: str) -> tuple[Comparator, ...] | None:
        """One alternative; None if loose reading leaves nothing of it."""
        text = BUILD.sub("", text.strip(" "))
        match = self.between_form.fullmatch(text.strip(" "))
        if match is not None:
            text = self._between(match)
        read = [self._token(token) for token in _join_operators(text).split(" ")]
        last = len(read) - 1
        # npm joins what its tokens became and splits again: an empty one among others is gone
        found = [c for at, c in enumerate(read) if c is not None and (c or at in (0, last))]
        if not found:
            return None
        group = tuple(c for comparators in found for c in comparators)
        return (NOTHING,) if NOTHING in group else group

    def read_one(self, version: str) -> tuple[Comparator, ...]:
        """The comparators of what an exclusion names: one version, or all of `1.3`."""
        return tuple(_Grammar(self.loose, True, self.number)._token(BUILD.sub("", version)) or ())

    def _token(self, token: str) -> list[Comparator] | None:
        match = self.token_form.fullmatch(token)
        if match is not None:
            op, _, *parts = match.groups()
            numbers = [_number(part) for part in parts[:3]]
            if op == "^":
                return self._caret(numbers, parts)
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
        found = Comparator(op or "=", self._key(int(major), int(minor), int(patch), prerelease))
        # npm drops what every version meets, but only as it writes it itself
        return [] if found == self.trivial and not PREFIXED.match(token) else [found]

    def _caret(self, numbers: Sequence[int | None], parts: Sequence[str | None]) -> list[Comparator]:
        major, minor, patch = numbers
        if major is None:
            return []
        if minor is None:
            return self._span((major, 0, None), (major + 1, 0, 0))
        if parts[0] != "0":
            upper = (major + 1, 0, 0)
        elif parts[1] != "0" or patch is None:
            upper = (0, minor + 1, 0)
        else:
            upper = (0, 0, patch + 1)
        return self._span((major, minor, patch), upper, parts[3])

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
                return [Comparator(">=", self._key(*beyond, at=self.lower))]
            case ">=":
                bound = Comparator(">=", self._key(*first, at=self.lower))
                return [] if bound == self.trivial else [bound]
            case "<":
                return [Comparator("<", self._key(*first, at=LOWEST))]
            case "<=":
                return [Comparator("<", self._key(*beyond, at=LOWEST))]
        return self._span((major, minor or 0, None), beyond)

    def _between(self, match: re.Match[str]) -> str:
        """`1.2.3 - 2.3` as comparators in npm's syntax."""
        low, high = match.groups()[:5], match.groups()[5:]
        return f"{self._from(*low)} {self._to(*high)}".strip()

    def _from(
        self, prefix: str, major: str, minor: str | None, patch: str | None, prerelease: str | None
    ) -> str:
        if _number(major) is None:
            return ""
        if _number(minor) is None:
            return f">={major}"
        if _number(patch) is None:
            return f">={major}.{minor}"
        tail = f"-{prerelease}" if prerelease else "-0" if self.lower == LOWEST else ""
        return f">={prefix}{major}.{minor}.{patch}{tail}"

    def _to(
        self, prefix: str, major: str, minor: str | None, patch: str | None, prerelease: str | None
    ) -> str:
        if _number(major) is None:
            return ""
        if _number(minor) is None:
            return f"<={major}"
        if _number(patch) is None:
            return f"<={major}.{minor}"
        if prerelease:
            return f"<={major}.{minor}.{patch}-{prerelease}"
        if self.lower == LOWEST:
            return f"<{major}.{minor}.{int(patch or 0) + 1}-0"
        return f"<={prefix}{major}.{minor}.{patch}"

    def _span(
        self, low: tuple[int, int, int | None], high: tuple[int, int, int], prerelease: str | None = None
    ) -> list[Comparator]:
        """From `low` to before `high` and before its pre-releases."""
        major, minor, patch = low
        if patch is None:
            lower = self._key(major, minor, 0, at=self.lower)
        else:
            lower = self._key(major, minor, patch, prerelease)
        bounds = [Comparator(">=", lower), Comparator("<", self._key(*high, at=LOWEST))]
        return bounds[1:] if bounds[0] == self.trivial else bounds

    def _key(
        self,
        major: int,
        minor: int,
        patch: int,
        prerelease: str | None = None,
        at: tuple[object, ...] = RELEASE,
    ) -> Key:
        """The key of a bound: of the pre-release if there is one, else of the stage `at`."""
        if max(major, minor, patch) > MAX_NUMBER:
            raise comparators.Malformed(f"npm takes numbers up to {MAX_NUMBER}")
        if prerelease:
            return precedence((major, minor, patch), prerelease, self.number)
        return (major, minor, patch, at)


def _number(part: str | None) -> int | None:
    return None if part is None or part in "xX*" else int(part)


def _ordered(numbers: Sequence[int | None]) -> bool:
    """Tell whether no number follows a wildcard, as in `1.*.5`."""
    major, minor, patch = numbers
    return not (major is None and minor is not None) and not (minor is None and patch is not None)
