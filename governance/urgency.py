"""How urgent an upgrade task is, and where that puts it in the queue; pure.

A task's place is a moment: when it was made, brought forward by what its points are worth. Waiting lifts all
tasks at the same pace, so that the place of each is known once and for all and the queue's order is an index;
and whatever comes later needs more points the longer another has waited, so that nothing waits for ever.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

POINT = timedelta(minutes=15)  # 100 points, one severity, weigh as much as a day of waiting
DUE_SOON = timedelta(days=5)  # what is due within so long rises as if it had waited for what is left
RAISE = 100  # what a person adds or takes away at once

_SEVERITIES = {"critical": 400, "high": 300, "medium": 200, "low": 100}
_WARNED = 150  # what runs now has a security warning
_HEAVIEST = 99  # weights are kept below what tells severities apart


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a task has some of its points."""

    points: int
    because: str

    def as_json(self) -> dict[str, int | str]:
        """As the task keeps it."""
        return {"points": self.points, "because": self.because}


def reasons(*, severities: Collection[str], warnings: int, weight: int) -> tuple[Reason, ...]:
    """What makes a task urgent: its drift, security warnings on what it replaces, its policies' weight."""
    severity = max(severities, key=lambda name: _SEVERITIES.get(name, 0), default="")
    said = (
        Reason(_SEVERITIES.get(severity, 0), f"{severity} severity"),
        Reason(_WARNED if warnings else 0, "security warnings on what runs now"),
        Reason(min(weight // 10, _HEAVIEST), "the policies’ weight"),
    )
    return tuple(reason for reason in said if reason.points)


def priority(said: Iterable[Reason]) -> int:
    """The points in all."""
    return sum(reason.points for reason in said)


def place(points: int, *, created_at: datetime, due_at: datetime | None) -> datetime:
    """The task's place in the queue: the earlier, the sooner it goes."""
    since = created_at if due_at is None else min(created_at, due_at - DUE_SOON)
    return since - points * POINT
