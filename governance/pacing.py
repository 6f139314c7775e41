"""When a message may reach a person: windows, quiet hours, rates; pure.

Nothing is lost by waiting: what is held back is written anew when its time comes, together with whatever has
come up in the meantime.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Because(StrEnum):
    """Why a message waits."""

    WINDOW = "window"
    QUIET = "quiet"
    RATE = "rate"


@dataclass(frozen=True, slots=True)
class Quiet:
    """Every day from one time to another by the clock of a place, over midnight unless the end is later.

    They are what the clock on the wall says: where it is put forward they are shorter, where back longer.
    """

    starts: time
    ends: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many messages in so long a time."""

    messages: int
    span: timedelta


@dataclass(frozen=True, slots=True)
class Verdict:
    """From when on a message may go, and what keeps it until then."""

    at: datetime
    because: Because | None = None


def verdict(
    *,
    at: datetime,
    window: timedelta = timedelta(),
    last: datetime | None = None,
    quiet: Quiet | None = None,
    urgent: bool = False,
) -> Verdict:
    """When a digest may go to a person who was last told at `last`. What is urgent waits for nothing."""
    if urgent:
        return Verdict(at)
    found = Verdict(at)
    if last is not None and last + window > at:
        found = Verdict(last + window, Because.WINDOW)
    ends = quiet_until(quiet, found.at)
    return found if ends is None else Verdict(ends, Because.QUIET)


def within_rate(rate: Rate, sent: Sequence[datetime], *, at: datetime) -> Verdict:
    """When one more message keeps to the rate, after those sent at these times."""
    recent = sorted(moment for moment in sent if at - rate.span < moment)
    if len(recent) < rate.messages:
        return Verdict(at)
    return Verdict(recent[-rate.messages] + rate.span, Because.RATE)


def is_quiet(quiet: Quiet | None, at: datetime) -> bool:
    """Whether the clock on the wall stands within the quiet hours."""
    if quiet is None or quiet.starts == quiet.ends:
        return False
    clock = at.astimezone(quiet.zone).time()
    if quiet.starts < quiet.ends:
        return quiet.starts <= clock < quiet.ends
    return clock >= quiet.starts or clock < quiet.ends


def quiet_until(quiet: Quiet | None, at: datetime) -> datetime | None:
    """When the quiet hours that it is now end; None if it isn't."""
    if quiet is None or not is_quiet(quiet, at):
        return None
    return next(moment for moment in _ends(quiet, at) if moment > at and not is_quiet(quiet, moment))


def _ends(quiet: Quiet, at: datetime) -> list[datetime]:
    """What may be the end: the clock shows it, or jumps over it, as every zone's does on a quarter hour."""
    today = at.astimezone(quiet.zone).date()
    days = (today, today + timedelta(days=1), today + timedelta(days=2))
    shown = [
        datetime.combine(day, quiet.ends, quiet.zone).replace(fold=fold).astimezone(UTC)
        for day in days
        for fold in (0, 1)
    ]
    quarter = int(at.timestamp()) // 900
    return sorted([*shown, *(datetime.fromtimestamp(900 * (quarter + n), UTC) for n in range(1, 4 * 28))])
