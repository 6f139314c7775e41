"""Asking the orchestrator to drop upgrade tasks that it has already."""

from __future__ import annotations

from datetime import datetime

from audit import outbox
from audit.models.outbox import Destination
from governance.models import Plan, UpgradeTask

Status = UpgradeTask.Status
UNDER_WAY = (Status.DISPATCHED, Status.ACCEPTED, Status.RUNNING)
_ASKED = "The plan was cancelled; the orchestrator is asked to drop this task."


def ask(plan: Plan, *, at: datetime) -> list[str]:
    """Leave a message for each of the plan's tasks that the orchestrator has; the tenants' keys.

    In the caller's transaction, which writes them into the ledger. The answer decides: a task that is too far
    on goes on to its verification.
    """
    tasks = list(
        plan.tasks.filter(status__in=UNDER_WAY).select_for_update(of=("self",)).select_related("tenant")
    )
    for task in tasks:
        outbox.post(
            Destination.CANCELLATION,
            {"task": str(task.pk), "plan": str(plan.pk), "tenant": task.tenant.key},
            group_id=plan.group_id,
            idempotency_key=f"cancel-{task.idempotency_key}",
            at=at,
        )
    UpgradeTask.objects.filter(pk__in=[task.pk for task in tasks]).update(detail=_ASKED)
    return sorted(task.tenant.key for task in tasks)
