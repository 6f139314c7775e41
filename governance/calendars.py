"""When tenants may be changed: their maintenance windows, and the freezes of a whole group; pure.

A window is what the clock on the wall of its zone says, so that it keeps its hour when clocks are changed. An
hour that is skipped then is skipped here too, and one that comes twice counts twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from governance import moments

STEP = timedelta(minutes=15)  # windows begin and end on it, and every zone's clock differs by whole steps
_FAR = timedelta(days=16)  # each weekday comes twice within it, should its hour be skipped once


@dataclass(frozen=True, slots=True)
class Window:
    """Weekly: from `starts` on each of `days` (0 is Monday) to the next `ends`, maybe on the day after."""

    days: frozenset[int]
    starts: time
    ends: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Freeze:
    """A time at which nothing is changed in a group."""

    name: str
    starts_at: datetime
    ends_at: datetime
    reason: str


def is_within(window: Window, at: datetime) -> bool:
    """Whether the window is open."""
    local = at.astimezone(window.zone)
    clock, day = local.time(), local.weekday()
    if window.starts < window.ends:
        return day in window.days and window.starts <= clock < window.ends
    begun_yesterday = (day - 1) % 7 in window.days and clock < window.ends
    return begun_yesterday or (day in window.days and clock >= window.starts)


def next_opening(windows: Sequence[Window], at: datetime) -> datetime | None:
    """When one of the windows is open next, `at` itself if one is. Without windows it is always.

    None where none opens within two weeks, as when a window is of no length that a clock shows.
    """
    return _opening(frozenset(windows), at) if windows else at


@lru_cache(maxsize=1024)  # of all tenants with the same windows it is looked for once
def _opening(windows: frozenset[Window], at: datetime) -> datetime | None:
    if any(is_within(window, at) for window in windows):
        return at
    moment = datetime.fromtimestamp(-(-at.timestamp() // STEP.total_seconds()) * STEP.total_seconds(), UTC)
    while moment < at + _FAR:
        if any(is_within(window, moment) for window in windows):
            return moment
        moment += STEP
    return None


def freezes(documents: Iterable[Mapping[str, Any]]) -> list[Freeze]:
    """From their texts in the configuration; a date alone is included, in UTC."""
    return [
        Freeze(
            document["name"],
            moments.starting(document["from"], at=datetime.min.replace(tzinfo=UTC)),
            moments.ending(document["until"], at=datetime.min.replace(tzinfo=UTC)),
            document["reason"],
        )
        for document in documents
    ]


def frozen_by(found: Iterable[Freeze], at: datetime) -> Freeze | None:
    """The freeze that is on and lasts the longest."""
    on = [freeze for freeze in found if freeze.starts_at <= at < freeze.ends_at]
    return max(on, key=lambda freeze: freeze.ends_at, default=None)
