"""Maintenance windows by the clock on the wall, across changes of clocks; and freezes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from governance import calendars
from governance.calendars import Freeze, Window

STEP = timedelta(minutes=15)
# Clocks are changed in them at odd hours, by half an hour, at midnight, in the south, or never.
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "UTC",
]
CLOCKS = st.integers(0, 95).map(lambda quarter: time(quarter // 4, quarter % 4 * 15))
WINDOWS = st.builds(
    Window,
    st.frozensets(st.integers(0, 6), min_size=1),
    CLOCKS,
    CLOCKS,
    st.sampled_from(ZONES).map(ZoneInfo),
)
# Around the changes of 2026: the end of March and of October, Havana's and New York's in March and November.
MOMENTS = st.builds(
    lambda day, minutes: day + timedelta(minutes=minutes),
    st.sampled_from(
        [
            datetime(2026, month, day, tzinfo=UTC)
            for month, day in ((3, 5), (3, 26), (10, 1), (10, 22), (10, 29))
        ]
    ),
    st.integers(0, 8 * 24 * 60),
)


def by_the_clock(window: Window, at: datetime) -> bool:
    """Counted in minutes since the window's last beginning on the clock, told differently from the code."""
    local = at.astimezone(window.zone)
    clock = local.hour * 60 + local.minute
    starts, ends = (one.hour * 60 + one.minute for one in (window.starts, window.ends))
    length = (ends - starts) % (24 * 60) or 24 * 60
    since = (clock - starts) % (24 * 60)
    begun = local.weekday() if clock >= starts else (local.weekday() - 1) % 7
    return begun in window.days and since < length


@given(WINDOWS, MOMENTS)
def test_a_window_is_open_when_the_clock_there_says_so(window: Window, at: datetime) -> None:
    assert calendars.is_within(window, at) == by_the_clock(window, at)


@given(st.lists(WINDOWS, min_size=1, max_size=3), MOMENTS)
def test_the_next_opening_is_the_first_moment_at_which_a_window_is_open(
    windows: list[Window], at: datetime
) -> None:
    opens = calendars.next_opening(windows, at)
    assert opens is not None
    assert opens >= at
    assert any(by_the_clock(window, opens) for window in windows)
    moment = at
    while moment < opens:  # nothing was open on the way there
        assert not any(by_the_clock(window, moment) for window in windows)
        moment += timedelta(minutes=5)


@given(WINDOWS, MOMENTS)
def test_a_window_keeps_its_hour_when_clocks_are_changed(window: Window, at: datetime) -> None:
    opens = calendars.next_opening([window], at)
    assume(opens is not None and opens > at)
    assert opens is not None
    local, before = opens.astimezone(window.zone), (opens - STEP).astimezone(window.zone)
    skipped = local.utcoffset() != before.utcoffset()
    assert local.time() == window.starts or skipped or (window.starts == window.ends)


def test_the_hour_that_is_skipped_is_left_out() -> None:
    night = Window(frozenset({6}), time(2), time(3), ZoneInfo("Europe/Berlin"))
    spring = datetime(2026, 3, 28, 12, tzinfo=UTC)
    assert calendars.next_opening([night], spring) == datetime(2026, 4, 5, 0, tzinfo=UTC)


def test_the_hour_that_comes_twice_counts_twice() -> None:
    night = Window(frozenset({6}), time(2), time(3), ZoneInfo("Europe/Berlin"))
    for hour in (0, 1):
        assert calendars.is_within(night, datetime(2026, 10, 25, hour, 30, tzinfo=UTC))
    assert not calendars.is_within(night, datetime(2026, 10, 25, 2, 30, tzinfo=UTC))


def test_without_windows_it_is_always() -> None:
    at = datetime(2026, 3, 2, 9, 7, tzinfo=UTC)
    assert calendars.next_opening([], at) == at


@pytest.mark.parametrize(
    ("day", "hour", "by"), [(22, 23, None), (23, 0, "feast"), (25, 12, "long"), (31, 23, "long")]
)
def test_a_freeze_covers_its_last_day_and_the_longest_counts(day: int, hour: int, by: str | None) -> None:
    found = calendars.freezes(
        [
            {"name": "feast", "from": "2026-12-23", "until": "2026-12-26", "reason": "Nobody is in."},
            {"name": "long", "from": "2026-12-24T12:00:00Z", "until": "2026-12-31", "reason": "Books close."},
        ]
    )
    freeze: Freeze | None = calendars.frozen_by(found, datetime(2026, 12, day, hour, tzinfo=UTC))
    assert (freeze.name if freeze else None) == by


def test_for_many_tenants_with_the_same_windows_the_opening_is_looked_for_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, is_within = [], calendars.is_within

    def counted(window: Window, at: datetime) -> bool:
        asked.append(window)
        return is_within(window, at)

    monkeypatch.setattr(calendars, "is_within", counted)
    at = datetime(2029, 1, 2, 9, 7, tzinfo=UTC)
    windows = [Window(frozenset({0}), time(8), time(9), ZoneInfo("Europe/Berlin"))]
    first = calendars.next_opening(windows, at)
    once = len(asked)
    assert [calendars.next_opening(list(windows), at) for _ in range(100)] == [first] * 100
    assert len(asked) == once
