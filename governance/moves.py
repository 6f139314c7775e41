"""How an upgrade task moves on: its row, the findings that it is to resolve, its plan, and the ledger."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM, Actor
from config.lifecycle import advance, sources
from governance import budgets, reversals
from governance.models import Finding, Plan, UpgradeTask
from governance.models.plan import UNFINISHED

Status = UpgradeTask.Status

# What a task's state makes of the findings that it is to resolve.
FINDING_STATUS: Mapping[str, str] = {
    Status.QUEUED: Finding.Status.PLANNED,
    Status.DISPATCHED: Finding.Status.IN_PROGRESS,
    Status.ACCEPTED: Finding.Status.IN_PROGRESS,
    Status.RUNNING: Finding.Status.IN_PROGRESS,
    Status.VERIFYING: Finding.Status.VERIFYING,
    Status.VERIFY_FAILED: Finding.Status.VERIFY_FAILED,
    Status.MANUAL: Finding.Status.VERIFYING,
    Status.FAILED: Finding.Status.PLANNED,
    Status.GIVEN_UP: Finding.Status.NEW,
    Status.CANCELLED: Finding.Status.NEW,
}
IN_HAND = (Status.ACCEPTED, Status.RUNNING)  # its findings are in progress since it was dispatched
_FOLLOWING = (
    Finding.Status.NEW,
    Finding.Status.PLANNED,
    Finding.Status.IN_PROGRESS,
    Finding.Status.VERIFYING,
    Finding.Status.VERIFY_FAILED,
)


@transaction.atomic
def move(task: UpgradeTask, to: Status, *, actor: Actor, at: datetime, **fields: Any) -> None:
    """Move a task on, its findings and its plan with it, and write it down. Raises TransitionError."""
    ledger.hold(task.group_id)  # before any row: detection holds it while it writes findings
    move_held(task, to, actor=actor, at=at, **fields)


def move_held(task: UpgradeTask, to: Status, *, actor: Actor, at: datetime, **fields: Any) -> None:
    """The same in the transaction of a caller who holds the ledger's lock.

    Raises TransitionError before anything is written.
    """
    if to not in UNFINISHED:
        fields.setdefault("finished_at", at)
    advance(task, to=to, **fields)
    if to not in IN_HAND:
        _follow_all([task], to)
    ledger.record_many([_record(task, to)], group_id=task.group_id, actor=actor, at=at)
    if to not in UNFINISHED:
        _close(task.plan_id, at, failed=to in budgets.FAILURES)


def move_all(
    tasks: Collection[UpgradeTask], to: Status, *, actor: Actor, at: datetime, **fields: Any
) -> list[UpgradeTask]:
    """Move tasks of one group on together, and write each down; those that could go there.

    As many statements for a hundred as for one. Who is somewhere else by now stays there.
    """
    if not tasks:
        return []
    [group_id] = {task.group_id for task in tasks}
    with transaction.atomic(savepoint=False):
        ledger.hold(group_id)
        moved = _advance(tasks, to, at, fields)
        if to not in IN_HAND:
            _follow_all(moved, to)
        ledger.record_many((_record(task, to) for task in moved), group_id=group_id, actor=actor, at=at)
        if to not in UNFINISHED:
            for plan_id in {task.plan_id for task in moved}:
                _close(plan_id, at, failed=to in budgets.FAILURES)
    return moved


def _advance(
    tasks: Iterable[UpgradeTask], to: Status, at: datetime, fields: Mapping[str, Any]
) -> list[UpgradeTask]:
    ended = {} if to in UNFINISHED else {"finished_at": at}
    rows = UpgradeTask.objects.filter(
        pk__in=[task.pk for task in tasks], status__in=sources(UpgradeTask.TRANSITIONS, to)
    )
    there = set(rows.select_for_update(no_key=True).values_list("pk", flat=True))
    UpgradeTask.objects.filter(pk__in=there).update(status=to, **ended, **fields)
    moved = [task for task in tasks if task.pk in there]
    for task in moved:
        task.status = to
        task.detail = fields.get("detail", task.detail)
    return moved


def _record(task: UpgradeTask, to: Status) -> ledger.Record:
    data = {"status": to.value, "detail": task.detail, "steps": task.steps, "order": task.order_id}
    return ledger.Record(Action.TASK_CHANGED, "upgradetask", str(task.pk), str(task), task.tenant_id, data)


def _follow_all(tasks: Collection[UpgradeTask], to: Status) -> None:
    """Bring the open findings along that the tasks, all of one group, are to resolve."""
    status = FINDING_STATUS.get(to)
    if status is None or not tasks:
        return
    given: dict[str, Any] = {
        "group": next(iter(tasks)).group_id,
        "status": str(status),
        "wanted": json.dumps([[task.tenant_id, step["plugin"]] for task in tasks for step in task.steps]),
        "following": list(map(str, _FOLLOWING)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BRING_ALONG, given)


_BRING_ALONG = """
UPDATE governance_finding f
SET status = %(status)s
FROM jsonb_array_elements(%(wanted)s::jsonb) AS wanted (pair)
JOIN governance_plugin p ON p.group_id = %(group)s AND p.name = wanted.pair ->> 1
WHERE f.tenant_id = (wanted.pair ->> 0)::bigint AND f.plugin_id = p.id
    AND f.closed_at IS NULL AND f.status = ANY (%(following)s)
"""


def _close(plan_id: UUID, at: datetime, *, failed: bool) -> None:
    """Complete the plan once its last task is finished; pause it once too many have failed."""
    plan = Plan.objects.select_for_update(no_key=True, of=("self",)).select_related("group").get(pk=plan_id)
    if plan.status != Plan.Status.RUNNING or (failed and budgets.pause_if_spent(plan, at=at)):
        reversals.settle(plan, at=at)  # a late manifest may show what was missing
        return
    if plan.tasks.unfinished().exists():
        return
    advance(plan, to=Plan.Status.COMPLETED, finished_at=at)
    ledger.record(Action.PLAN_COMPLETED, subject=plan, actor=SYSTEM, at=at)
    reversals.settle(plan, at=at)
    budgets.alert_failures(plan, at=at)
