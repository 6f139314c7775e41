"""Failure budgets: a plan that fails too often pauses by itself and tells the group's owners."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime

from django.db.models import Count, Q

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM
from config.lifecycle import advance
from governance import announcements, events
from governance.models import Plan, UpgradeTask
from governance.models.plan import WAITING
from tenants import directory

FAILURES = (UpgradeTask.Status.GIVEN_UP, UpgradeTask.Status.VERIFY_FAILED)


@dataclass(frozen=True, slots=True)
class Overspent:
    """A ring whose budget is spent."""

    ring: int
    failed: int
    total: int
    budget: int  # percent

    def __str__(self) -> str:
        return (
            f"{self.failed} of the {self.total} tasks in ring {self.ring} failed; "
            f"the failure budget allows {self.budget} %."
        )


def overspent(failed: int, total: int, percent: int) -> bool:
    """Whether more of a ring's tasks failed than the budget allows; pure."""
    return failed * 100 > total * percent


def pause_if_spent(plan: Plan, *, at: datetime) -> bool:
    """Pause a running plan that has something left to hand over once its budget is spent.

    The caller holds the ledger's lock. A person who resumes it has seen what failed until then.
    """
    if plan.status != Plan.Status.RUNNING or not plan.tasks.filter(status__in=WAITING).exists():
        return False
    spent = _spent(plan)
    if spent is None:
        return False
    reason = str(spent)
    advance(plan, to=Plan.Status.PAUSED, pause_reason=reason)
    plan.tasks.filter(status=UpgradeTask.Status.QUEUED).update(wait_reason="The plan is paused.")
    data = {"reason": reason, "failure_budget": plan.failure_budget}
    ledger.record(Action.PLAN_PAUSED, subject=plan, actor=SYSTEM, at=at, data=data)
    _tell(plan, spent, at)
    return True


def alert_failures(plan: Plan, *, at: datetime) -> None:
    """Raise one alert about what failed in a plan that is over, whether or not a run still looks on."""
    failed = plan.tasks.filter(status__in=FAILURES).count()
    if failed:
        data = {"plan": plan.number, "failed": failed}
        events.alert(plan.group, "enforcement_failed", data, key=f"plan-{plan.pk}-failed", at=at)


def _spent(plan: Plan) -> Overspent | None:
    """The first ring in which more failed than the budget allows."""
    failed = Q(status__in=FAILURES)
    if plan.budget_since is not None:
        failed &= Q(finished_at__gt=plan.budget_since)
    rings = plan.tasks.order_by("ring").values("ring").annotate(total=Count("pk"), failed=Count("pk", failed))
    for ring in rings:
        if overspent(ring["failed"], ring["total"], plan.failure_budget):
            return Overspent(ring["ring"] + 1, ring["failed"], ring["total"], plan.failure_budget)
    return None


def _tell(plan: Plan, spent: Overspent, at: datetime) -> None:
    key = f"plan-{plan.pk}-paused-{at.isoformat()}"
    data = {"plan": plan.number, "says": str(spent), "spent": asdict(spent)}
    events.alert(plan.group, "failure_budget_spent", data, key=key, at=at)
    owners = directory.told(plan.group_id, (), at=at).owners
    announcements.plan_paused(plan, owners, asdict(spent), key=key, at=at)
