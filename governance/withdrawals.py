"""Upgrade tasks that still wait, taken out of their plans: what asked for them acts no more."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import ledger
from audit.actions import Action
from config.access import Actor
from config.lifecycle import advance
from governance.models import Finding, Plan, Policy, UpgradeTask
from governance.models.plan import NOT_STARTED, WAITING
from tenants.models import Group


@transaction.atomic
def withdraw(policy: Policy, *, actor: Actor, at: datetime) -> int:
    """Cancel the waiting tasks that a policy had a part in, such as when it is paused; how many."""
    ledger.hold(policy.group_id)
    concerned = [task for task in _waiting(policy.group_id) if _is_wanted_by(task, policy.name)]
    why = f"The policy {policy} was taken out of action."
    return _take_out(concerned, why, {"policy": policy.name}, actor=actor, at=at)


@transaction.atomic
def give_way(
    group: Group, pairs: Collection[tuple[str, str]], why: str, *, actor: Actor, at: datetime
) -> int:
    """Cancel the waiting tasks that would change one of these plugins in its tenant; how many."""
    ledger.hold(group.pk)
    concerned = [
        task
        for task in _waiting(group.pk)
        if any((task.tenant.key, step["plugin"]) in pairs for step in task.steps)
    ]
    return _take_out(concerned, why, {"for": why}, actor=actor, at=at)


@transaction.atomic
def plan_anew(group: Group, tenant_ids: Collection[int], *, actor: Actor, at: datetime) -> int:
    """Cancel what waits of these tenants in plans that nobody has started; how many."""
    ledger.hold(group.pk)
    waiting = _waiting(group.pk).filter(plan__status__in=NOT_STARTED, tenant_id__in=tenant_ids)
    why = "The tenant is planned anew."
    return _take_out(list(waiting), why, {"for": why}, actor=actor, at=at)


def _waiting(group_id: int) -> QuerySet[UpgradeTask]:
    return UpgradeTask.objects.filter(group_id=group_id, status__in=WAITING).select_related("plan", "tenant")


def _take_out(
    concerned: Collection[UpgradeTask], why: str, data: dict[str, Any], *, actor: Actor, at: datetime
) -> int:
    """Cancel these waiting tasks, and a plan with its last; the caller holds the ledger's lock."""
    for plan in {task.plan_id: task.plan for task in concerned}.values():
        mine = [task.pk for task in concerned if task.plan_id == plan.pk]
        told = {**data, "cancelled": drop(plan.tasks.filter(pk__in=mine), at, why)}
        if plan.tasks.unfinished().exists():
            ledger.record(Action.TASK_CHANGED, subject=plan, actor=actor, at=at, data=told)
        else:
            advance(plan, to=Plan.Status.CANCELLED, finished_at=at)
            ledger.record(Action.PLAN_CANCELLED, subject=plan, actor=actor, at=at, data=told)
    return len(concerned)


def drop(queued: Any, at: datetime, reason: str) -> list[str]:
    """Cancel waiting tasks and free their findings; the tenants' keys. A task handed over meanwhile stays."""
    tasks = list(queued.select_for_update(of=("self",)).select_related("tenant"))
    ids = [task.pk for task in tasks]
    UpgradeTask.objects.filter(pk__in=ids).update(
        status=UpgradeTask.Status.CANCELLED, detail=reason, wait_reason="", finished_at=at
    )
    set_findings(tasks, [Finding.Status.PLANNED], Finding.Status.NEW)
    return sorted(task.tenant.key for task in tasks)


def set_findings(tasks: Iterable[UpgradeTask], given: Collection[str], to: Finding.Status) -> None:
    """Move the findings on that the tasks are to resolve."""
    wanted = {task.tenant_id: {step["plugin"] for step in task.steps} for task in tasks}
    rows = Finding.objects.open().filter(tenant_id__in=wanted.keys(), status__in=given)
    pairs = rows.values_list("pk", "tenant_id", "plugin__name")
    mine = [pk for pk, tenant_id, name in pairs if name in wanted[tenant_id]]
    Finding.objects.filter(pk__in=mine).update(status=to)


def _is_wanted_by(task: UpgradeTask, policy: str) -> bool:
    return any(rule.split("/")[0] == policy for step in task.steps for rule in step.get("wanted_by", ()))
