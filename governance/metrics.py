"""What Prometheus scrapes, read from the database each time, so that several processes agree."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.db.models.fields.json import KT
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from audit.actions import Action
from audit.models import Entry, OutboxMessage, Report
from audit.models.outbox import OutboxStatus
from config import queue
from governance.models import Conflict, Finding, Plan, Run, Snapshot, UpgradeTask
from tenants.models import Group, Tenant

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_ENDS = [UpgradeTask.Status.SUCCEEDED, UpgradeTask.Status.GIVEN_UP, UpgradeTask.Status.VERIFY_FAILED]
_RUN_ENDS = [Run.Status.COMPLETED, Run.Status.NEEDS_DECISION, Run.Status.FAILED, Run.Status.CANCELLED]


def scrape(group_ids: Collection[int], *, at: datetime) -> bytes:
    """The metrics of these groups in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(GovernanceCollector(group_ids, at))
    text: bytes = generate_latest(registry)
    return text


class GovernanceCollector(Collector):
    """The figures of some groups at one moment. Everything carries the label `group`."""

    def __init__(self, group_ids: Collection[int], at: datetime) -> None:
        self.at = at
        self.slugs = dict(Group.objects.filter(pk__in=group_ids).order_by("slug").values_list("pk", "slug"))

    def describe(self) -> list[Metric]:
        """Nothing: registering must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families."""
        yield from self._totals()
        yield from self._compliance()
        yield from self._standing()
        yield from self._ages()
        yield self._jobs()

    def _totals(self) -> Iterator[Metric]:
        yield self._counter(
            "version_policy_drift", "Findings ever opened.", self._counted(Finding.objects.all(), "group")
        )
        help_text = "Times that an upgrade task ended, by outcome."
        yield self._counter("version_policy_enforced", help_text, self._ended(), "outcome")
        yield self._counter(
            "version_policy_conflict", "Conflicts ever found.", self._counted(Conflict.objects.all(), "group")
        )
        ended = self._said("run", Action.RUN_FINISHED, _RUN_ENDS)
        yield self._counter("version_policy_runs", "Times that a run ended, by status.", ended, "status")

    def _ended(self) -> dict[tuple[Any, ...], float]:
        cancelled = UpgradeTask.objects.filter(status=UpgradeTask.Status.CANCELLED)
        return {
            **self._said("upgradetask", Action.TASK_CHANGED, _ENDS),
            **self._counted(cancelled, "group", "status"),
        }

    def _said(self, kind: str, action: Action, statuses: Collection[str]) -> dict[tuple[Any, ...], float]:
        """How often the ledger says so: a counter never falls, but a new attempt leaves a status again."""
        entries = Entry.objects.filter(subject_kind=kind, action=action, data__status__in=list(statuses))
        # From nothing on, or the first of its kind would come with its series and be no increase.
        none: dict[tuple[Any, ...], float] = {
            (pk, str(status)): 0 for pk in self.slugs for status in statuses
        }
        return none | self._counted(entries.annotate(said=KT("data__status")), "group_id", "said")

    def _compliance(self) -> Iterator[Metric]:
        tenants = self._counted(Tenant.objects.active(), "group")
        findings = Finding.objects.outstanding().filter(tenant__active=True)
        drifting = self._counted(findings, "group", of="tenant", distinct=True)
        rates = {
            (pk,): 1 - drifting.get((pk,), 0) / tenants[pk,] if tenants.get((pk,)) else 1.0
            for pk in self.slugs
        }
        yield self._gauge("version_policy_compliance_rate", "Share of active tenants without drift.", rates)
        outstanding = self._counted(Finding.objects.outstanding(), "group", "status", "severity")
        help_text = "Open findings that no exemption covers."
        yield self._gauge("version_policy_outstanding", help_text, outstanding, "status", "severity")
        overdue = self._each(self._counted(Finding.objects.overdue(self.at), "group"))
        yield self._gauge("version_policy_overdue", "Outstanding findings past their due date.", overdue)

    def _standing(self) -> Iterator[Metric]:
        waiting = self._each(self._counted(Conflict.objects.waiting(), "group"))
        yield self._gauge("version_policy_conflicts_waiting", "Conflicts that need a decision.", waiting)
        tasks = self._counted(UpgradeTask.objects.unfinished(), "group", "status")
        yield self._gauge("version_policy_tasks", "Unfinished upgrade tasks.", tasks, "status")
        reports = self._counted(Report.objects.all(), "group_id", "status")
        yield self._gauge("version_policy_reports", "Compliance reports.", reports, "status")
        held = OutboxMessage.objects.undelivered()
        messages = self._counted(held, "group_id", "destination", "status")
        help_text = "Messages not delivered: pending, or given up."
        yield self._gauge("version_policy_outbox_messages", help_text, messages, "destination", "status")

    def _ages(self) -> Iterator[Metric]:
        queued = UpgradeTask.objects.filter(
            status=UpgradeTask.Status.QUEUED, plan__status=Plan.Status.RUNNING
        )
        help_text = "How long the oldest upgrade task of a running plan has been queued."
        yield self._age("version_policy_queue_age_seconds", help_text, queued, "group", "created_at")
        pending = OutboxMessage.objects.filter(status=OutboxStatus.PENDING)
        help_text = "How long the oldest pending message has been waiting."
        yield self._age("version_policy_outbox_age_seconds", help_text, pending, "group_id", "created_at")
        sealed = Snapshot.objects.values_list("group").order_by("group", "-number").distinct("group")
        ages = {
            (pk,): (self.at - sealed_at).total_seconds()
            for pk, sealed_at in sealed.values_list("group", "sealed_at").filter(group__in=self.slugs)
        }
        help_text = "Time since the newest snapshot was sealed; one that changed nothing isn't sealed anew."
        yield self._gauge("version_policy_snapshot_age_seconds", help_text, ages)

    def _jobs(self) -> Metric:
        family = GaugeMetricFamily("plumbline_jobs_waiting", "Background jobs that wait or are being done.")
        family.add_metric([], queue.waiting())
        return family

    def _counted(
        self, rows: QuerySet[Any], group: str, *by: str, of: str = "pk", distinct: bool = False
    ) -> dict[tuple[Any, ...], float]:
        """How many rows there are by group and more fields, each a tuple that begins with the group's id."""
        mine = rows.filter(**{f"{group}__in": list(self.slugs)}).order_by().values_list(group, *by)
        counts = mine.annotate(count=Count(of, distinct=distinct))
        return {tuple(key): count for *key, count in counts}

    def _each(self, values: dict[tuple[Any, ...], float]) -> dict[tuple[Any, ...], float]:
        """With a zero for each group that has no row, so that an alert can tell none from unknown."""
        return {(pk,): values.get((pk,), 0) for pk in self.slugs}

    def _age(self, name: str, help_text: str, rows: QuerySet[Any], group: str, since: str) -> Metric:
        mine = rows.filter(**{f"{group}__in": list(self.slugs)}).order_by().values_list(group)
        oldest = dict(mine.annotate(oldest=Min(since)))
        ages = {(pk,): (self.at - oldest[pk]).total_seconds() if pk in oldest else 0.0 for pk in self.slugs}
        return self._gauge(name, help_text, ages)

    def _counter(
        self, name: str, help_text: str, values: dict[tuple[Any, ...], float], *labels: str
    ) -> Metric:
        family = CounterMetricFamily(name, help_text, labels=["group", *labels])
        return self._filled(family, values if labels else self._each(values))

    def _gauge(self, name: str, help_text: str, values: dict[tuple[Any, ...], float], *labels: str) -> Metric:
        return self._filled(GaugeMetricFamily(name, help_text, labels=["group", *labels]), values)

    def _filled(self, family: Any, values: dict[tuple[Any, ...], float]) -> Metric:
        for (pk, *rest), value in sorted(values.items()):
            family.add_metric([self.slugs[pk], *map(str, rest)], value)
        filled: Metric = family
        return filled
