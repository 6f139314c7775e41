"""Why an upgrade task isn't running: in words, with its place in the queue and when it should be its turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Q

from governance import flags, halting, limits, maintenance, rings, verification
from governance.calendars import Freeze
from governance.limits import NOWHERE, Limits, Load, Spot
from governance.models import Plan, UpgradeTask
from governance.models.plan import UNAPPROVED, WAITING
from governance.rings import Outlook
from tenants.models import Group

Status = UpgradeTask.Status
COUNTED = 2_000  # that go before a task: to count all would take longer the more do
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STANDS = {
    Plan.Status.DRAFTED: "The plan has not been started.",
    Plan.Status.SIMULATED: "The plan has not been started.",
    Plan.Status.APPROVED: "The plan is approved, and has not been started.",
    Plan.Status.PAUSED: "The plan is paused.",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a task waits. `position` counts from 1 among those whose turn it could be, None where more than
    `behind` go before it; `expected_at` is an estimate from how fast the group's tasks were handed over of
    late, None where nobody can say. One that isn't `in_queue` is done, and waits to be verified."""

    reason: str
    position: int | None = None
    expected_at: datetime | None = None
    behind: int | None = None
    in_queue: bool = True

    def as_json(self) -> dict[str, Any]:
        """For the endpoint and `--json`."""
        expected = self.expected_at.isoformat() if self.expected_at else None
        place = {"position": self.position, "behind_more_than": self.behind}
        return {"because": self.reason, **place, "expected_at": expected}


@dataclass(frozen=True, slots=True)
class Queue:
    """The group's queue at one moment. `rate`: hand-overs an hour of late, 0 if there were none."""

    group: Group
    at: datetime
    load: Load
    rate: float
    freeze: Freeze | None = None

    def free(self, allowed: Limits) -> int:
        """How many may be handed over now, by what a plan allows."""
        return max(allowed.most - self.load.total, 0)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What besides the task's own row keeps it: its place in the queue, where it runs, its ring's turn.

    Every place behind more than are counted is the one after the last of these.
    """

    position: int | None = None
    spot: Spot = NOWHERE
    outlook: Outlook | None = None


def explain(group: Group, tasks: Sequence[UpgradeTask], *, at: datetime) -> dict[UUID, Explanation]:
    """By id, why those of these tasks of one group that wait do so."""
    verified = {task.pk: _until_verified(task) for task in tasks if task.status in verification.AWAITS}
    return verified | _explain_queued(group, [task for task in tasks if task.status in WAITING], at)


def _explain_queued(group: Group, waiting: Sequence[UpgradeTask], at: datetime) -> dict[UUID, Explanation]:
    if not waiting:
        return {}
    queue = _queue(group, at)
    positions = _positions(group, [task.pk for task in waiting], at)
    spots = limits.spots(task.tenant_id for task in waiting)
    outlooks = _outlooks(waiting)
    return {
        task.pk: judge(
            task,
            queue,
            Circumstances(
                positions.get(task.pk), spots[task.tenant_id], outlooks.get((task.plan_id, task.ring))
            ),
        )
        for task in waiting
    }


def say(group: Group, tasks: Sequence[UpgradeTask], *, at: datetime) -> None:
    """Let those of these tasks that wait have why, for a page that shows them."""
    explained = explain(group, tasks, at=at)
    for task in tasks:
        task.explanation = explained.get(task.pk)


def explain_one(task: UpgradeTask, *, at: datetime) -> Explanation | None:
    """Why the task waits, None if it doesn't."""
    return explain(task.group, [task], at=at).get(task.pk)


def judge(task: UpgradeTask, queue: Queue, around: Circumstances) -> Explanation:
    """The first of the reasons that keep the task: the group's, its plan's, its own; pure."""
    kept = _of_the_group(queue) or _of_the_plan(task.plan)
    if kept is not None:
        return kept
    if task.status == Status.FAILED:
        return Explanation(task.wait_reason, expected_at=task.not_before)
    if task.not_before is not None and task.not_before > queue.at:
        if task.wait_reason == maintenance.NEVER_OPENS:
            return Explanation(task.wait_reason)
        opens = f"{task.not_before:%Y-%m-%d %H:%M} UTC"
        told = f"Outside its tenant’s maintenance windows; the next one opens at {opens}."
        return Explanation(told, expected_at=task.not_before)
    if around.outlook is not None:
        return _in_a_later_ring(task, around.outlook)
    if around.position is None:
        return Explanation(task.wait_reason or "It isn’t its turn.")
    allowed = Limits(**task.plan.limits)
    kept_by, free = limits.in_the_way(allowed, around.spot, queue.load), queue.free(allowed)
    if not kept_by and around.position <= free:
        return Explanation("It is handed over in the next round.", around.position, queue.at)
    return _behind(queue, around.position, kept_by, free)


def _until_verified(task: UpgradeTask) -> Explanation:
    told, limit = "Waits for the tenant’s next manifest", verification.silent_until(task)
    if limit is not None:
        told += f"; without one it counts as failed at {limit:%Y-%m-%d %H:%M} UTC"
    return Explanation(f"{told}.", in_queue=False)


def _of_the_group(queue: Queue) -> Explanation | None:
    for flag, on in flags.states(queue.group).items():
        if not on:
            return Explanation(f"The feature flag {flag} is off.")
    if halted := halting.in_words(queue.group):
        return Explanation(halted)
    if queue.freeze is not None:
        return Explanation(maintenance.in_words(queue.freeze), expected_at=queue.freeze.ends_at)
    return None


def _of_the_plan(plan: Plan) -> Explanation | None:
    if plan.needs_approval and plan.status in UNAPPROVED:
        return Explanation("The plan waits for the approval of someone else than its author.")
    if plan.status == Plan.Status.PAUSED and plan.pause_reason:
        return Explanation(f"The plan is paused: {plan.pause_reason}")
    return Explanation(_STANDS[Plan.Status(plan.status)]) if plan.status in _STANDS else None


def _in_a_later_ring(task: UpgradeTask, outlook: Outlook) -> Explanation:
    ring = f"Ring {rings.in_words(task.ring, task.ring_name)}"
    if outlook.unfinished or outlook.opens_at is None:
        return Explanation(
            f"{ring} follows once the rings before have succeeded: {outlook.unfinished} to go."
        )
    told = f"{ring} follows at {outlook.opens_at:%Y-%m-%d %H:%M} UTC, if nothing goes wrong till then."
    return Explanation(told, expected_at=outlook.opens_at)


def _behind(queue: Queue, position: int, kept_by: str, free: int) -> Explanation:
    ahead = position - 1
    told = kept_by or "There are fewer places free than tasks before it"
    if ahead > COUNTED:
        told += f"; more than {COUNTED:,} go before it"
        if queue.rate:
            soonest = queue.at + timedelta(hours=max(COUNTED - free, 1) / queue.rate)
            told += f", so not before {soonest:%Y-%m-%d %H:%M} UTC as things went of late"
        return Explanation(f"{told}.", behind=COUNTED)
    told += f"; {ahead} go{'es' if ahead == 1 else ''} before it." if ahead else "; it is the next."
    if not queue.rate:
        return Explanation(told, position)
    return Explanation(told, position, queue.at + timedelta(hours=max(position - free, 1) / queue.rate))


def _outlooks(waiting: Sequence[UpgradeTask]) -> dict[tuple[UUID, int], Outlook]:
    """By plan and ring, what those wait for that haven't begun."""
    closed = {(t.plan_id, t.ring): t.plan for t in waiting if t.ring > t.plan.open_ring}
    return {(plan_id, ring): rings.outlook(plan, ring) for (plan_id, ring), plan in closed.items()}


def _queue(group: Group, at: datetime) -> Queue:
    tasks = UpgradeTask.objects.filter(group=group)
    of_late = tasks.filter(dispatched_at__gt=at - _DAY).aggregate(
        hour=Count("pk", filter=Q(dispatched_at__gt=at - _HOUR)), day=Count("pk")
    )
    rate = of_late["hour"] or of_late["day"] / (_DAY / _HOUR)
    return Queue(group, at, limits.load_of(group), rate, maintenance.freeze_at(group, at))


def _positions(group: Group, ids: Sequence[UUID], at: datetime) -> dict[UUID, int]:
    """By id, the place in the queue of those whose turn it could be.

    From one of them to the next no more are counted than matter, so that it takes no longer the more there
    are whose turn it could be.
    """
    turns = UpgradeTask.objects.filter(group=group).claimable(at).order_by()
    mine, chosen = turns.filter(pk__in=ids).values("id", "queue_at").query.sql_with_params()
    others, parameters = turns.values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_PLACES.format(mine=mine, turns=others), [*parameters, COUNTED + 1, *chosen])
        return {task: min(int(before), COUNTED + 1) + 1 for task, before in cursor.fetchall()}


_PLACES = """
SELECT id, sum(since_last) OVER (ORDER BY queue_at, id)
FROM (
    SELECT mine.id, mine.queue_at, (
        SELECT count(*) FROM (
            {turns}
            AND (governance_upgradetask.queue_at, governance_upgradetask.id) >= (last_at, last_id)
            AND (governance_upgradetask.queue_at, governance_upgradetask.id) < (mine.queue_at, mine.id)
            LIMIT %s
        ) AS earlier
    ) AS since_last
    FROM (
        SELECT id, queue_at, coalesce(lag(queue_at) OVER queue, '-infinity') AS last_at,
            coalesce(lag(id) OVER queue, '00000000-0000-0000-0000-000000000000') AS last_id
        FROM ({mine}) AS asked
        WINDOW queue AS (ORDER BY queue_at, id)
    ) AS mine
) AS counted
"""
