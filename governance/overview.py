"""What a group's people want to see first."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from audit.models import OutboxMessage, Report
from config.access import Access, Permission
from governance import compliance, unreached
from governance.models import Conflict, Exemption, Finding, Run, Snapshot

TREND_POINTS = 60
SOON = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Countdown:
    """Findings by how long their SLA still lasts."""

    overdue: int
    today: int
    this_week: int
    later: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What needs a person."""

    conflicts: int
    exemptions: int
    expiring: int
    verify_failed: int
    undeliverable: int
    unreached: int

    def __bool__(self) -> bool:
        return any(astuple(self))


def trend(access: Access, now: float) -> list[tuple[str, float | None]]:
    """The share of compliant tenants in past snapshots and `now`, thinned out to what a chart can show.

    Only for those who reach the whole group: a snapshot's figures speak of all its tenants.
    """
    measured = Snapshot.objects.within(access).filter(compliant_tenants__isnull=False, tenants__gt=0)
    rows = list(measured.order_by("number").values_list("sealed_at", "compliant_tenants", "tenants"))
    step = max(1, len(rows) // TREND_POINTS)
    # The newest stays, whatever the step.
    thinned = rows[::-1][::step][::-1]
    past = [
        (f"{sealed_at:%Y-%m-%d}", compliance.share(compliant, tenants))
        for sealed_at, compliant, tenants in thinned
    ]
    return [*past, ("now", now)] if past else []


def countdown(access: Access, *, at: datetime) -> Countdown:
    """The findings within reach that ask something of somebody, by their due date."""
    day, week = at + timedelta(days=1), at + timedelta(days=7)
    rows = Finding.objects.within(access).asking()
    return Countdown(
        **rows.aggregate(
            overdue=Count("pk", filter=Q(due_at__lt=at)),
            today=Count("pk", filter=Q(due_at__gte=at, due_at__lt=day)),
            this_week=Count("pk", filter=Q(due_at__gte=day, due_at__lt=week)),
            later=Count("pk", filter=Q(due_at__gte=week) | Q(due_at__isnull=True)),
        )
    )


def waiting(access: Access, *, at: datetime) -> Waiting:
    """How much of each kind waits for a person."""
    exemptions = Exemption.objects.within(access)
    approved = exemptions.filter(status=Exemption.Status.APPROVED, expires_at__range=(at, at + SOON))
    failed = Finding.objects.within(access).open().filter(status=Finding.Status.VERIFY_FAILED)
    dead = OutboxMessage.objects.within(access).given_up()
    return Waiting(
        conflicts=Conflict.objects.within(access).waiting().count(),
        exemptions=exemptions.filter(status=Exemption.Status.REQUESTED).count(),
        expiring=approved.count(),
        verify_failed=failed.count(),
        undeliverable=dead.count() if access.allows(Permission.PLAN_OPERATE) else 0,
        unreached=len(unreached.found(access, at=at)),
    )


def latest_runs(access: Access, limit: int = 5) -> QuerySet[Run]:
    """The newest runs."""
    return Run.objects.within(access).select_related("plan").order_by("-number")[:limit]


def latest_report(access: Access) -> Report | None:
    """The newest report."""
    return Report.objects.within(access).order_by("-number").first()
