"""Which releases of a plugin break a rule."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from governance import moments
from governance.rules.wishes import DISTANCES, UNITS, Wish
from governance.versions import scheme
from governance.versions.scheme import Scheme


@dataclass(frozen=True, slots=True)
class ReleaseFacts:
    """What the rules may ask of a release. Equal versions have equal ranks."""

    id: int
    version: str
    rank: int
    channel: str = ""
    released_at: datetime | None = None
    withdrawn: bool = False
    prerelease: bool = False
    catalogued: bool = True
    vulnerable: bool = False

    def is_out(self, at: datetime) -> bool:
        """Whether it has been released by then; one without a date has."""
        return self.released_at is None or self.released_at <= at


def violating(
    wish: Wish, releases: Sequence[ReleaseFacts], *, dialect: str, at: datetime, target: int | None = None
) -> frozenset[int]:
    """The ids of the plugin's releases that the rule doesn't allow at that time.

    `releases` are all of the plugin's, since some rules measure from the newest. `target` is the id of the
    release that a rule of the kind `same` without a version has chosen; without one nothing breaks it.
    A hold, and that a plugin must be there, are broken by no release.
    """
    judge = _JUDGES.get(wish.kind)
    if judge is None:
        return frozenset()
    allowed = judge(_Question(wish, releases, scheme(dialect), at, target))
    return frozenset(release.id for release in releases if not allowed(release))


def next_change(wish: Wish, releases: Iterable[ReleaseFacts], at: datetime) -> datetime | None:
    """When time alone will next change the answer; None if it never will."""
    dates = (release.released_at for release in releases if release.released_at is not None)
    if wish.kind == "min_age":
        age = moments.span(wish.value["min_age"])
        return min((date + age for date in dates if date + age > at), default=None)
    if wish.kind == "within" or wish.chooses_target:
        return min((date for date in dates if date > at), default=None)
    return None


Allowed = Callable[[ReleaseFacts], bool]


@dataclass(frozen=True, slots=True)
class _Question:
    """What `violating` was asked."""

    wish: Wish
    releases: Sequence[ReleaseFacts]
    dialect: Scheme
    at: datetime
    target: int | None


def _in_bounds(asked: _Question) -> Allowed:
    ((word, text),) = asked.wish.value.items()
    if word == "range":
        contains = asked.dialect.range(text).contains
        return lambda release: contains(release.version)
    accepted = {"at_least": (0, 1), "at_most": (-1, 0), "exactly": (0,)}[word]
    return lambda release: asked.dialect.compare(release.version, text) in accepted


def _same(asked: _Question) -> Allowed:
    if not asked.wish.chooses_target:
        wanted = asked.wish.value["at"]
        return lambda release: asked.dialect.compare(release.version, wanted) == 0
    rank = next((release.rank for release in asked.releases if release.id == asked.target), None)
    return lambda release: rank is None or release.rank == rank


def _within(asked: _Question) -> Allowed:
    distances = asked.wish.value
    measured = _measured(asked.releases, distances.get("channel"), asked.at)
    floors = [
        _floor(measured, distances[unit], _line_of(unit, asked.dialect))
        for unit in DISTANCES
        if unit in distances and measured
    ]
    return lambda release: all(floor(release) for floor in floors)


def _measured(releases: Sequence[ReleaseFacts], channel: str | None, at: datetime) -> list[ReleaseFacts]:
    """The newest release and those behind it that count: catalogued, out, not withdrawn, no pre-release."""
    known = (r for r in releases if r.catalogued and not r.withdrawn and r.is_out(at))
    wanted = (r for r in known if (not r.prerelease if channel is None else r.channel == channel))
    return sorted(wanted, key=lambda release: -release.rank)


def _line_of(unit: str, dialect: Scheme) -> Callable[[ReleaseFacts], object]:
    """What tells the versions of one line from those of another: the leading numbers, or the rank."""

    def line(release: ReleaseFacts) -> object:
        parts = dialect.parts(release.version) if unit in UNITS else None
        return release.rank if parts is None else parts[: UNITS[unit]]

    return line


def _floor(measured: Sequence[ReleaseFacts], behind: int, line: Callable[[ReleaseFacts], object]) -> Allowed:
    """Allow what is in the last line that is near enough, or above it.

    Lines are counted as they were released, not by their numbers: after 2.9 and 3.0 the former is one behind.
    """
    lines = list(dict.fromkeys(line(release) for release in measured))
    last = lines[min(behind, len(lines) - 1)]
    lowest = min(release.rank for release in measured if line(release) == last)
    return lambda release: release.rank >= lowest or line(release) == last


def _in_channel(asked: _Question) -> Allowed:
    channel = asked.wish.value["channel"]
    return lambda release: release.channel == channel


def _old_enough(asked: _Question) -> Allowed:
    """A release without a date isn't known to be old enough, so it is not allowed."""
    latest = asked.at - moments.span(asked.wish.value["min_age"])
    return lambda release: release.released_at is not None and release.released_at <= latest


def _not_denied(asked: _Question) -> Allowed:
    denied = asked.wish.value["deny"]
    if denied == "vulnerable":
        return lambda release: not release.vulnerable
    if denied == "withdrawn":
        return lambda release: not release.withdrawn
    contains = asked.dialect.range(denied).contains
    return lambda release: not contains(release.version)


def _nothing(_: _Question) -> Allowed:
    return lambda _: False


_JUDGES: dict[str, Callable[[_Question], Allowed]] = {
    "range": _in_bounds,
    "same": _same,
    "within": _within,
    "channel": _in_channel,
    "min_age": _old_enough,
    "deny": _not_denied,
    "absent": _nothing,
}
