"""Lengths of time in words."""

from __future__ import annotations

from datetime import datetime, timedelta

_UNITS = (
    ("year", timedelta(days=365)),
    ("month", timedelta(days=30)),
    ("day", timedelta(days=1)),
    ("hour", timedelta(hours=1)),
    ("minute", timedelta(minutes=1)),
)
SOON = timedelta(days=2)
LAST_DAYS = timedelta(days=14)


def length(span: timedelta) -> str:
    """The span in its largest whole unit."""
    for name, unit in _UNITS:
        count = abs(span) // unit
        if count:
            return f"{count} {name}{'' if count == 1 else 's'}"
    return "less than a minute"


def relative(when: datetime, at: datetime) -> str:
    """When it was or will be, seen from `at`."""
    if abs(when - at) < timedelta(minutes=1):
        return "just now"
    return f"{length(at - when)} ago" if when < at else f"in {length(when - at)}"


def ahead(when: datetime, at: datetime) -> str:
    """When something that hasn't happened yet is expected, even where its time has passed."""
    return "any moment" if when - at < timedelta(minutes=1) else f"in {length(when - at)}"


def until(when: datetime, at: datetime) -> str:
    """How much time is left, or since when there is none."""
    return f"overdue by {length(at - when)}" if when < at else f"due in {length(when - at)}"


def remaining(when: datetime, at: datetime) -> str:
    """How long something still lasts, or since when it is over."""
    return f"ended {length(at - when)} ago" if when < at else f"{length(when - at)} left"


def urgency(when: datetime, at: datetime) -> str:
    """The class that colours a due date."""
    if when < at:
        return "due-overdue"
    return "due-soon" if when - at < SOON else "due"
