"""A plan taken back by another: it counts as rolled back once that one has done all of its work."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM
from config.lifecycle import advance
from governance.models import Plan, UpgradeTask

_OVER = (Plan.Status.COMPLETED, Plan.Status.CANCELLED)


def settle(plan: Plan, *, at: datetime) -> None:
    """Note at the plan that this one takes back that it is rolled back, once every task here succeeded.

    The same of this plan, where others have taken it back while some of what it had begun went on. The caller
    holds the ledger's lock. One that failed in a tenant leaves the other plan as it stood, and so does one
    that takes back only some of its tenants, until others have taken back the rest.
    """
    if plan.rolls_back_id is not None:
        _settle(plan.rolls_back_id, plan, at)
    if plan.status in _OVER:
        for back in plan.taken_back_by.order_by("-number"):
            _settle(plan.pk, back, at)


def _settle(undone_id: UUID, back: Plan, at: datetime) -> None:
    if back.status != Plan.Status.COMPLETED:
        return
    if back.tasks.exclude(status=UpgradeTask.Status.SUCCEEDED).exists():
        return
    undone = Plan.objects.select_for_update(no_key=True, of=("self",)).get(pk=undone_id)
    if undone.status not in _OVER or undone.tasks.unfinished().exists() or _left(undone).exists():
        return
    advance(undone, to=Plan.Status.ROLLED_BACK)
    data = {"by": back.number}
    ledger.record(Action.PLAN_ROLLED_BACK, subject=undone, actor=SYSTEM, at=at, data=data)


def _left(undone: Plan) -> QuerySet[UpgradeTask]:
    """What the plan did in tenants that no plan has taken back."""
    done = UpgradeTask.objects.filter(status=UpgradeTask.Status.SUCCEEDED)
    back = done.filter(plan__rolls_back=undone, plan__status=Plan.Status.COMPLETED)
    return done.filter(plan=undone).exclude(tenant__in=back.values("tenant"))
