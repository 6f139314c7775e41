"""Failure budgets: a plan that fails too often pauses by itself and tells the group's owners."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count, Q
from django.urls import reverse

from audit import ledger, outbox
from audit.actions import Action
from audit.models.outbox import Destination
from config.access import SYSTEM
from config.lifecycle import advance
from governance import events
from governance.models import Notification, Plan, UpgradeTask
from governance.models.plan import WAITING
from tenants import directory

FAILURES = (UpgradeTask.Status.GIVEN_UP, UpgradeTask.Status.VERIFY_FAILED)


def overspent(failed: int, total: int, percent: int) -> bool:
    """Whether more of a ring's tasks failed than the budget allows; pure."""
    return failed * 100 > total * percent


def pause_if_spent(plan: Plan, *, at: datetime) -> bool:
    """Pause a running plan that has something left to hand over once its budget is spent.

    The caller holds the ledger's lock. A person who resumes it has seen what failed until then.
    """
    if plan.status != Plan.Status.RUNNING or not plan.tasks.filter(status__in=WAITING).exists():
        return False
    reason = _spent(plan)
    if not reason:
        return False
    advance(plan, to=Plan.Status.PAUSED, pause_reason=reason)
    plan.tasks.filter(status=UpgradeTask.Status.QUEUED).update(wait_reason="The plan is paused.")
    data = {"reason": reason, "failure_budget": plan.failure_budget}
    ledger.record(Action.PLAN_PAUSED, subject=plan, actor=SYSTEM, at=at, data=data)
    _tell(plan, reason, at)
    return True


def alert_failures(plan: Plan, *, at: datetime) -> None:
    """Raise one alert about what failed in a plan that is over, whether or not a run still looks on."""
    failed = plan.tasks.filter(status__in=FAILURES).count()
    if failed:
        data = {"plan": plan.number, "failed": failed}
        events.alert(plan.group, "enforcement_failed", data, key=f"plan-{plan.pk}-failed", at=at)


def _spent(plan: Plan) -> str:
    """Why the budget is spent, in words; empty while it isn't."""
    failed = Q(status__in=FAILURES)
    if plan.budget_since is not None:
        failed &= Q(finished_at__gt=plan.budget_since)
    rings = plan.tasks.order_by("ring").values("ring").annotate(total=Count("pk"), failed=Count("pk", failed))
    for ring in rings:
        if overspent(ring["failed"], ring["total"], plan.failure_budget):
            return (
                f"{ring['failed']} of the {ring['total']} tasks in ring {ring['ring'] + 1} failed; "
                f"the failure budget allows {plan.failure_budget} %."
            )
    return ""


def _tell(plan: Plan, reason: str, at: datetime) -> None:
    path = reverse("plan_detail", args=[plan.group.slug, plan.pk])
    key = f"plan-{plan.pk}-paused-{at.isoformat()}"
    message: dict[str, Any] = {
        "subject": f"{plan.group}: {plan} has paused by itself",
        "text": f"{reason} Nothing more is handed over until someone resumes it.",
        "link": f"{settings.BASE_URL}{path}",
    }
    people = [
        {**message, "user": owner.username} for owner in directory.told(plan.group_id, (), at=at).owners
    ]
    events.alert(plan.group, "failure_budget_spent", {"plan": plan.number, "says": reason}, key=key, at=at)
    if people:
        payload = {"kind": str(Notification.Kind.ALERT), "recipients": people}
        outbox.post(Destination.NOTIFY, payload, group_id=plan.group_id, idempotency_key=key, at=at)
