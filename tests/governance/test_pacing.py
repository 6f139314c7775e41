"""When a message may reach a person: quiet hours by their clock, windows, and rates."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from governance import pacing
from governance.pacing import Because, Quiet, Rate
from tests.factories import AT

BERLIN, SHANGHAI, LORD_HOWE = (
    ZoneInfo("Europe/Berlin"),
    ZoneInfo("Asia/Shanghai"),
    ZoneInfo("Australia/Lord_Howe"),
)
ZONES = st.sampled_from([BERLIN, SHANGHAI, LORD_HOWE, ZoneInfo("America/St_Johns"), ZoneInfo("UTC")])
CLOCKS = st.times(max_value=time(23, 59)).map(lambda clock: clock.replace(second=0, microsecond=0))
QUIET = st.builds(Quiet, CLOCKS, CLOCKS, ZONES)
# Two years, so that clocks are put forward and back in both hemispheres.
MOMENTS = st.integers(0, 2 * 365 * 24 * 60).map(lambda minutes: AT + timedelta(minutes=minutes))
SPANS = st.integers(0, 60 * 48).map(lambda minutes: timedelta(minutes=minutes))
NIGHT = Quiet(time(22), time(7), BERLIN)


@given(quiet=QUIET, at=MOMENTS)
def test_quiet_hours_end_when_the_clock_on_the_wall_leaves_them(quiet: Quiet, at: datetime) -> None:
    ends = pacing.quiet_until(quiet, at)
    assert (ends is not None) == pacing.is_quiet(quiet, at)
    if ends is not None:
        assert at < ends <= at + timedelta(hours=25)
        assert not pacing.is_quiet(quiet, ends)
        assert pacing.is_quiet(quiet, ends - timedelta(minutes=1))


@given(quiet=QUIET, at=MOMENTS, share=st.floats(0, 0.999))
def test_it_is_quiet_all_the_time_until_they_end(quiet: Quiet, at: datetime, share: float) -> None:
    ends = pacing.quiet_until(quiet, at)
    assume(ends is not None)
    assert ends is not None
    assert pacing.is_quiet(quiet, at + (ends - at) * share)


@given(at=MOMENTS, window=SPANS, last=st.none() | MOMENTS, quiet=st.none() | QUIET)
def test_what_is_held_back_may_go_when_it_was_said_to(
    at: datetime, window: timedelta, last: datetime | None, quiet: Quiet | None
) -> None:
    held = pacing.verdict(at=at, window=window, last=last, quiet=quiet)
    assert held.at >= at
    assert (held.at > at) == (held.because is not None)
    again = pacing.verdict(at=held.at, window=window, last=last, quiet=quiet)
    assert again == pacing.Verdict(held.at)


@given(moments=st.lists(MOMENTS, max_size=12), window=SPANS, quiet=st.none() | QUIET)
def test_however_much_happens_there_is_one_message_a_window_and_none_in_quiet_hours(
    moments: list[datetime], window: timedelta, quiet: Quiet | None
) -> None:
    sent: list[datetime] = []
    for at in sorted(moments):
        last = sent[-1] if sent else None
        if pacing.verdict(at=at, window=window, last=last, quiet=quiet).because is None:
            sent.append(at)
    assert all(later - earlier >= window for earlier, later in pairwise(sent))
    assert not any(pacing.is_quiet(quiet, at) for at in sent)


@given(at=MOMENTS, window=SPANS, last=MOMENTS, quiet=QUIET)
def test_what_is_urgent_waits_for_nothing(
    at: datetime, window: timedelta, last: datetime, quiet: Quiet
) -> None:
    assert pacing.verdict(at=at, window=window, last=last, quiet=quiet, urgent=True) == pacing.Verdict(at)


@given(
    asked=st.lists(st.integers(0, 500), min_size=1, max_size=40),
    rate=st.builds(Rate, st.integers(1, 5), st.integers(1, 120).map(lambda m: timedelta(minutes=m))),
)
def test_a_rate_is_kept_and_everything_goes_in_the_end(asked: list[int], rate: Rate) -> None:
    sent: list[datetime] = []
    for minute in sorted(asked):
        at = max(AT + timedelta(minutes=minute), *sent[-1:], AT)
        ready = pacing.within_rate(rate, sent, at=at)
        assert ready.at >= at
        assert pacing.within_rate(rate, sent, at=ready.at) == pacing.Verdict(ready.at)
        sent.append(ready.at)
    for moment in sent:
        assert sum(moment <= other < moment + rate.span for other in sent) <= rate.messages


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        (datetime(2026, 3, 2, 23, 0, tzinfo=UTC), datetime(2026, 3, 3, 6, 0, tzinfo=UTC)),
        (datetime(2026, 3, 28, 23, 0, tzinfo=UTC), datetime(2026, 3, 29, 5, 0, tzinfo=UTC)),  # put forward
        (datetime(2026, 10, 24, 22, 0, tzinfo=UTC), datetime(2026, 10, 25, 6, 0, tzinfo=UTC)),  # put back
        (datetime(2026, 3, 2, 6, 0, tzinfo=UTC), None),
    ],
)
def test_a_night_is_the_readers_own(at: datetime, ends: datetime | None) -> None:
    assert pacing.quiet_until(NIGHT, at) == ends


def test_an_end_that_the_clock_jumps_over_is_when_it_jumps() -> None:
    quiet = Quiet(time(22), time(2, 30), BERLIN)
    assert pacing.quiet_until(quiet, datetime(2026, 3, 29, 0, 30, tzinfo=UTC)) == datetime(
        2026, 3, 29, 1, 0, tzinfo=UTC
    )


def test_a_window_that_ends_at_night_waits_for_the_morning() -> None:
    last = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
    at = last + timedelta(hours=1)
    found = pacing.verdict(at=at, window=timedelta(hours=4), last=last, quiet=NIGHT)
    assert (found.at, found.because) == (datetime(2026, 3, 3, 6, 0, tzinfo=UTC), Because.QUIET)
