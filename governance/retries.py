"""Upgrade tasks that failed and are tried again: as a new order, and only if the tenant is as it was."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db import transaction

from audit import ledger
from config.access import SYSTEM
from governance import drafting, upgrades
from governance.models import Plan, UpgradeTask
from tenants.models import Group

Status = UpgradeTask.Status


@transaction.atomic
def queue_due(group: Group, *, at: datetime) -> int:
    """Put failed tasks back into the queue whose delay is over; how many.

    Those whose tenant changed since the plan was drafted, such as by half an upgrade, or whose policies act
    no longer, are given up: the next plan takes the tenant as it is now.
    """
    ledger.hold(group.pk)
    waiting = UpgradeTask.objects.filter(group=group, status=Status.FAILED, not_before__lte=at)
    tasks = list(waiting.filter(plan__status=Plan.Status.RUNNING).select_related("tenant", "plan__group"))
    moved = _moved(tasks, at)
    for task in tasks:
        if task.tenant_id in moved:
            told = f"{task.detail or 'It failed'}; not tried again, since something changed in the tenant."
            upgrades.move(task, Status.GIVEN_UP, actor=SYSTEM, at=at, detail=told, wait_reason="")
        else:
            _queue(task, at)
    return len(tasks) - len(moved)


def _queue(task: UpgradeTask, at: datetime) -> None:
    """As a new order: under a key of its own, and deaf to what is still said of the earlier ones."""
    heard_of = [task.order_id] if task.order_id else []
    upgrades.move(
        task,
        Status.QUEUED,
        actor=SYSTEM,
        at=at,
        idempotency_key=f"plan-{task.plan_id}-tenant-{task.tenant_id}-attempt-{task.attempts + 1}",
        earlier_orders=[*task.earlier_orders, *heard_of],
        order_id="",
        checked_at=None,
        not_before=None,
        wait_reason="",
    )


def _moved(tasks: list[UpgradeTask], at: datetime) -> set[int]:
    by_plan: dict[UUID, list[UpgradeTask]] = defaultdict(list)
    for task in tasks:
        by_plan[task.plan_id].append(task)
    return {tenant for mine in by_plan.values() for tenant in drafting.moved(mine[0].plan, mine, at=at)}
