"""Dates, times and lengths of time as people write them in policies."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

_SPAN = re.compile(r"(\d{1,4})\s*(min|h|d|w|minutes?|hours?|days?|weeks?)")
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 168 * 60}
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class MomentError(ValueError):
    """The text is neither a date, nor a time, nor a length of time."""


def span(text: str) -> timedelta:
    """`30min`, `12h`, `14d`, `2w` (or spelled out: `14 days`) as a length of time."""
    match = _SPAN.fullmatch(text.strip())
    if match is None:
        raise MomentError(f"“{text}” is not a length of time such as 12h, 14d or 2w")
    return timedelta(minutes=int(match[1]) * _MINUTES[match[2][0]])


def starting(text: str, *, at: datetime) -> datetime:
    """A date, time or `in 9 days` as a beginning: a date alone begins at its first moment, in UTC."""
    return _moment(text, at=at, ends=False)


def ending(text: str, *, at: datetime) -> datetime:
    """A date, time or `in 9 days` as an end: a date alone is included, so it ends with it, in UTC."""
    return _moment(text, at=at, ends=True)


def is_relative(text: str) -> bool:
    """Whether the text counts from the time at which it is applied."""
    return text.strip().startswith("in ")


def _moment(text: str, *, at: datetime, ends: bool) -> datetime:
    text = text.strip()
    if is_relative(text):
        return at + span(text[3:])
    try:
        if _DATE.fullmatch(text):
            day = date.fromisoformat(text) + timedelta(days=1 if ends else 0)
            return datetime.combine(day, time.min, tzinfo=UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise MomentError(
            f"“{text}” is not a date (2026-12-31), a time (2026-12-31T18:00:00Z) "
            "or a length ahead (in 9 days)"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
