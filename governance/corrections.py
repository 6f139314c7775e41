"""Manual corrections: a person says what was done by hand, and the tenant's next manifest checks it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import upgrades
from governance.models import UpgradeTask

Status = UpgradeTask.Status


class TenantBusy(Exception):
    """The tenant has another task by now; the correction belongs to that one."""

    def __init__(self, task: UpgradeTask) -> None:
        super().__init__(f"{task.tenant} has another upgrade task by now: say there what was done.")


@transaction.atomic
def correct(task: UpgradeTask, *, done: str, actor: Actor, at: datetime) -> None:
    """Note what a person did instead of the orchestrator, and judge it by what the tenant shows.

    Raises TenantBusy, and TransitionError while the orchestrator has the task or once it is settled.
    """
    ledger.hold(task.group_id)
    others = UpgradeTask.objects.filter(tenant_id=task.tenant_id).exclude(pk=task.pk)
    if others.unfinished().exists():
        raise TenantBusy(task)
    said = {"correction": done, "corrected_by_name": actor.name, "corrected_at": at}
    upgrades.move(
        task, Status.MANUAL, actor=actor, at=at, finished_at=None, wait_reason="", not_before=None, **said
    )
    data = {"done": done, "steps": task.steps}
    ledger.record(Action.TASK_CORRECTED, subject=task, actor=actor, at=at, data=data)
    upgrades.verify(task.group, tenant_ids=[task.tenant_id], at=at)
    task.refresh_from_db()


def correctable(task: UpgradeTask) -> bool:
    """Whether a person may take the task over as it stands; `correct` has the last word."""
    return Status.MANUAL in UpgradeTask.TRANSITIONS[task.status]
