"""Why an upgrade task isn't running: in words, with its place in the queue and when it should be its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Count, OuterRef, Q, Subquery

from governance import flags, upgrades
from governance.models import Plan, UpgradeTask
from governance.models.plan import UNDER_WAY, WAITING
from tenants.models import Group

Status = UpgradeTask.Status
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STANDS = {
    Plan.Status.DRAFTED: "The plan has not been started.",
    Plan.Status.PAUSED: "The plan is paused.",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a task waits. `position` counts from 1 among those whose turn it could be; `expected_at` is an
    estimate from how fast the group's tasks were handed over of late, None where nobody can say."""

    reason: str
    position: int | None = None
    expected_at: datetime | None = None

    def as_json(self) -> dict[str, Any]:
        """For the endpoint and `--json`."""
        expected = self.expected_at.isoformat() if self.expected_at else None
        return {"because": self.reason, "position": self.position, "expected_at": expected}


@dataclass(frozen=True, slots=True)
class Queue:
    """The group's queue at one moment. `rate`: hand-overs an hour of late, 0 if there were none."""

    group: Group
    at: datetime
    under_way: int
    rate: float

    @property
    def free(self) -> int:
        """How many may be handed over now."""
        return max(upgrades.AT_ONCE - self.under_way, 0)


def explain(group: Group, tasks: Sequence[UpgradeTask], *, at: datetime) -> dict[UUID, Explanation]:
    """By id, why those of these tasks of one group that wait do so."""
    waiting = [task for task in tasks if task.status in WAITING]
    if not waiting:
        return {}
    queue = _queue(group, at)
    positions = _positions(group, [task.pk for task in waiting], at)
    return {task.pk: judge(task, queue, positions.get(task.pk)) for task in waiting}


def explain_one(task: UpgradeTask, *, at: datetime) -> Explanation | None:
    """Why the task waits, None if it doesn't."""
    return explain(task.group, [task], at=at).get(task.pk)


def judge(task: UpgradeTask, queue: Queue, position: int | None) -> Explanation:
    """The first of the reasons that keep the task; pure."""
    for flag, on in flags.states(queue.group).items():
        if not on:
            return Explanation(f"The feature flag {flag} is off.")
    if task.plan.status in _STANDS:
        return Explanation(_STANDS[Plan.Status(task.plan.status)])
    if task.status == Status.FAILED:
        return Explanation(task.wait_reason, expected_at=task.not_before)
    if task.not_before is not None and task.not_before > queue.at:
        told = f"Its ring follows later, at {task.not_before:%Y-%m-%d %H:%M} UTC."
        return Explanation(told, expected_at=task.not_before)
    if position is None:
        return Explanation(task.wait_reason or "It isn’t its turn.")
    if position <= queue.free:
        return Explanation("It is handed over in the next round.", position, queue.at)
    return _behind(queue, position)


def _behind(queue: Queue, position: int) -> Explanation:
    ahead = position - 1
    told = f"{queue.under_way} tasks of the group are under way, of at most {upgrades.AT_ONCE}"
    told += f", and {ahead} go{'es' if ahead == 1 else ''} before it." if ahead else "; it is the next."
    if not queue.rate:
        return Explanation(told, position)
    return Explanation(told, position, queue.at + timedelta(hours=(position - queue.free) / queue.rate))


def _queue(group: Group, at: datetime) -> Queue:
    tasks = UpgradeTask.objects.filter(group=group)
    of_late = tasks.filter(dispatched_at__gt=at - _DAY).aggregate(
        hour=Count("pk", filter=Q(dispatched_at__gt=at - _HOUR)), day=Count("pk")
    )
    rate = of_late["hour"] or of_late["day"] / (_DAY / _HOUR)
    return Queue(group, at, tasks.filter(status__in=UNDER_WAY).count(), rate)


def _positions(group: Group, ids: Sequence[UUID], at: datetime) -> dict[UUID, int]:
    """By id, the place in the queue of those whose turn it could be."""
    turns = UpgradeTask.objects.filter(group=group).claimable(at)
    before = Q(queue_at__lt=OuterRef("queue_at")) | Q(queue_at=OuterRef("queue_at"), pk__lte=OuterRef("pk"))
    counted = turns.filter(before).order_by().values("group").annotate(count=Count("pk")).values("count")
    rows = turns.filter(pk__in=ids).annotate(position=Subquery(counted))
    return dict(rows.values_list("pk", "position"))
