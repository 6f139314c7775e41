"""A plan taken back: it counts as rolled back once that is done in every tenant, by whichever plans."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM
from config.lifecycle import advance
from governance.models import Plan, Rollback, UpgradeTask

_OVER = (Plan.Status.COMPLETED, Plan.Status.CANCELLED)
_Status = UpgradeTask.Status


def settle(plan: Plan, *, at: datetime) -> None:
    """Note at the plans that this one takes back, once it is over, that they are rolled back, if they are.

    The same of this plan, where it has been taken back while some of what it had begun went on. The caller
    holds the ledger's lock. A failure in a tenant leaves the other plan as it stood, and so does what takes
    back only some of its tenants, until others have taken back the rest.
    """
    if plan.status in _OVER:
        for undone_id in {plan.pk, *_taken_back(plan)}:
            _settle(undone_id, at)


def _settle(undone_id: UUID, at: datetime) -> None:
    undone = Plan.objects.select_for_update(no_key=True, of=("self",)).get(pk=undone_id)
    if undone.status not in _OVER or undone.tasks.unfinished().exists():
        return
    back = _ways_back(undone)
    done = back.filter(status=_Status.SUCCEEDED)
    last = done.order_by("plan__number").values_list("plan__number", flat=True).last()
    missing = back | undone.tasks.filter(status=_Status.SUCCEEDED)
    if last is None or missing.exclude(tenant__in=done.values("tenant")).exists():
        return
    advance(undone, to=Plan.Status.ROLLED_BACK)
    ledger.record(Action.PLAN_ROLLED_BACK, subject=undone, actor=SYSTEM, at=at, data={"by": last})


def _taken_back(plan: Plan) -> set[UUID]:
    """The plans that this one takes back: its own, and those of rollbacks that its policies are of.

    A run plans anew what nobody has started yet, together with all else that is wanted.
    """
    policies = [used["policy"] for used in plan.policy_versions]
    rows = Rollback.objects.filter(group=plan.group_id, baseline__name__in=policies, of_plan__isnull=False)
    own = {plan.rolls_back_id} if plan.rolls_back_id else set()
    return own | set(rows.values_list("of_plan", flat=True))


def _ways_back(undone: Plan) -> QuerySet[UpgradeTask]:
    """What takes its tenants back, was done or failed; what was dropped, another plan has or will have."""
    by = Q(plan__rolls_back=undone)
    for row in undone.rollbacks.filter(baseline__isnull=False).select_related("baseline"):
        bound = {"plan__policy_versions__contains": [{"policy": row.name}], "tenant__key__in": row.tenants}
        by |= Q(**bound)
    return UpgradeTask.objects.filter(by, group=undone.group_id).exclude(status=_Status.CANCELLED)
