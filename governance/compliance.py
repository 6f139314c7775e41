"""How far a group is in line: now, through its history, and in reports that stay as they were built."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from audit import ledger
from audit.actions import Action
from audit.models import Report, ReportFile
from audit.models.report import ReportStatus
from config.access import SYSTEM, Access, Actor, ActorKind, Permission
from config.lifecycle import TransitionError, advance
from governance import announcements, events, snapshots
from governance.models import Exemption, Finding, Installation, Rule, Run, Snapshot
from governance.models.snapshot import Trigger
from governance.reports import content, documents
from tenants import directory
from tenants.models import Group, Tenant, User
from tenants.reach import access_of_person

log = structlog.get_logger("plumbline.compliance")


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of the active tenants, and of their installations, break no rule without an exemption.

    What a decision set aside still counts: it is a choice between rules, made by one person and without an
    end. Were it a permission, exemptions with their approval and expiry could be passed by. `left_aside` are
    the tenants that nothing but such drift keeps out of line.
    """

    tenants: int
    compliant_tenants: int
    installations: int
    drifting: int
    left_aside: int = 0

    @property
    def share(self) -> float:
        """The compliance rate, from 0 to 1. A group without tenants has nothing out of line."""
        told = share(self.compliant_tenants, self.tenants)
        return 1.0 if told is None else told

    @property
    def installation_share(self) -> float:
        """The same by installations."""
        return 1 - self.drifting / self.installations if self.installations else 1.0


def share(compliant: int | None, tenants: int) -> float | None:
    """The part of the tenants that are in line, now or in a snapshot; None where that isn't known."""
    return compliant / tenants if tenants and compliant is not None else None


def rate(access: Access) -> Rate:
    """Compliance now, of the tenants within reach."""
    tenants = Tenant.objects.within(access).active()
    findings = Finding.objects.within(access).outstanding().filter(tenant__active=True).order_by()
    asking = Count("tenant", distinct=True, filter=~Q(status=Finding.Status.SET_ASIDE))
    counts = findings.aggregate(drifting=Count("tenant", distinct=True), asking=asking)
    return Rate(
        tenants=(total := tenants.count()),
        compliant_tenants=total - counts["drifting"],
        left_aside=counts["drifting"] - counts["asking"],
        installations=Installation.objects.within(access).current().filter(tenant__in=tenants).count(),
        drifting=findings.values("tenant", "plugin").distinct().count(),
    )


def measure(group: Group, wanted: Iterable[Snapshot] | None = None, *, at: datetime | None = None) -> int:
    """Fill in the compliance figures of snapshots that have none; how many were measured.

    The rules are those in force at `at`, the present if not given. An exemption counts in the snapshots that
    were sealed while it was in force. A plugin that must be there and isn't counts as drift from the tenant's
    first manifest on. The cost grows with the installations that break a rule, not with the snapshots.
    """
    unmeasured = Snapshot.objects.filter(group=group, drifting__isnull=True)
    if wanted is not None:
        unmeasured = unmeasured.filter(pk__in=[snapshot.pk for snapshot in wanted])
    numbers = list(unmeasured.order_by("number").values_list("number", flat=True))
    if not numbers:
        return 0
    rules = Rule.objects.filter(group=group).in_force(at or timezone.now())
    exemptions = Exemption.objects.filter(group=group, status__in=_COVERING)
    parameters: dict[str, Any] = {
        "group": group.pk,
        "numbers": numbers,
        "first": numbers[0],
        "last": numbers[-1],
        "rules": list(rules.values_list("pk", flat=True)),
        "exempted": list(exemptions.values_list("tenant_id", flat=True).distinct()),
    }
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, parameters)
        measured: int = cursor.rowcount
    return measured


def never_reported(group: Group) -> bool:
    """Whether the group has no report yet."""
    return not Report.objects.filter(group_id=group.pk, status=ReportStatus.READY).exists()


@transaction.atomic
def request(group: Group, *, actor: Actor, at: datetime, run: Run | None = None) -> Report:
    """Queue a report. `build` makes it, here or in the job `governance.jobs.build_report`."""
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # numbers come one after the other
    last = Report.objects.filter(group_id=group.pk).aggregate(last=Max("number"))["last"] or 0
    name, person = actor.name, actor.id if actor.kind == ActorKind.PERSON else None
    if run is not None and run.started_by_id is not None:
        name, person = run.started_by_name, run.started_by_id
    return Report.objects.create(
        group_id=group.pk,
        number=last + 1,
        title=f"Version compliance of {group}, {at:%Y-%m-%d}",
        run_id=run.pk if run else None,
        requested_by=name,
        requested_by_id=person,
        created_at=at,
    )


def report_on(run: Run, *, at: datetime) -> Report:
    """Build a run's report here and now. Asked again it is the same, until a decision moves the run on."""
    reports = Report.objects.filter(group_id=run.group_id, run_id=run.pk)
    if decided_at := run.conflicts.aggregate(last=Max("decided_at"))["last"]:
        reports = reports.filter(created_at__gte=decided_at)
    known = reports.order_by("-number").first()
    return build((known or request(run.group, actor=SYSTEM, at=at, run=run)).pk, at=at)


def build(report_id: Any, *, at: datetime) -> Report:
    """Build a report that was asked for and freeze it. One that can't be built says why and raises an alert.

    A report that is ready stays as it is; one whose builder was killed is begun anew.
    """
    report = Report.objects.get(pk=report_id)
    if report.status == ReportStatus.READY:
        return report
    try:
        advance(report, to=ReportStatus.BUILDING, error="")
        _freeze(report, *_built(report, at), at=at)
    except TransitionError:
        report.refresh_from_db()  # someone else was faster: theirs it is
    except Exception as failure:
        log.exception("report.failed", report=report.number)
        _fail(report, f"{type(failure).__name__}: {failure}"[:2000], at)
    return report


def _built(report: Report, at: datetime) -> tuple[dict[str, Any], list[ReportFile]]:
    """What the report says and its files. It speaks of a sealed state, held still while it is read."""
    group = Group.objects.get(pk=report.group_id)
    run = Run.objects.filter(pk=report.run_id).first() if report.run_id else None
    with transaction.atomic():
        trigger = Trigger.RUN if run else Trigger.HAND
        snapshot = snapshots.seal(group, trigger=trigger, actor=SYSTEM, at=at)
        measure(group, at=at)
        data = content.collect(report, group, snapshot, run, at=at)
    return data, documents.render(report, data)


@transaction.atomic
def _freeze(report: Report, data: dict[str, Any], files: list[ReportFile], *, at: datetime) -> None:
    digest = documents.digest(data)
    number = data["snapshot"]["number"]
    advance(report, to=ReportStatus.READY, data=data, digest=digest, snapshot_number=number, finished_at=at)
    ReportFile.objects.bulk_create(files)
    ledger.record(
        Action.REPORT_BUILT,
        subject=report,
        actor=SYSTEM,
        at=at,
        data={
            "digest": digest,
            "snapshot": number,
            "requested_by": report.requested_by,
            "files": {file.name: file.sha256 for file in files},
        },
    )
    try:
        with transaction.atomic():
            _tell(report, at)
    except Exception:  # the report is whole even so, and on its page
        log.exception("report.not_told", report=report.number)


def _tell(report: Report, at: datetime) -> None:
    """Tell who asked for it, once; of those that nobody asked for, the group's owners once a day."""
    group = Group.objects.get(pk=report.group_id)
    by = report.requested_by_id
    asked = User.objects.filter(pk=by).first() if by is not None else None
    if asked is None:
        people, key = directory.told(group.pk, (), at=at).owners, f"reports-{group.pk}-{at:%Y-%m-%d}"
    else:
        access = access_of_person(asked, group.slug)
        reads = access is not None and access.allows(Permission.REPORT_VIEW)
        people, key = [asked] if reads else [], f"report-{report.pk}"
    announcements.report_ready(report, group, people, key=key, at=at)


@transaction.atomic
def _fail(report: Report, error: str, at: datetime) -> None:
    advance(report, to=ReportStatus.FAILED, error=error, finished_at=at)
    group = Group.objects.get(pk=report.group_id)
    data = {"report": report.number, "error": error}
    events.alert(group, "report_failed", data, key=f"report-{report.pk}-{at.isoformat()}", at=at)


_COVERING = (Exemption.Status.APPROVED, Exemption.Status.EXPIRED)

# Each stretch of snapshots in which a plugin of a tenant breaks a rule is a range of numbers; what exemptions
# cover is taken out. One sweep over the ends of the ranges then counts all snapshots at once.
_MEASURE = """
WITH held AS (
    SELECT tenant_id, plugin_id, release_id, since, until FROM governance_installation
    WHERE group_id = %(group)s AND until IS NULL AND since <= %(last)s
    UNION ALL
    SELECT tenant_id, plugin_id, release_id, since, until FROM governance_installation
    WHERE group_id = %(group)s AND until > %(first)s AND since <= %(last)s
), covering AS MATERIALIZED (
    SELECT tenant_id, policy_id, rule_key, plugin_id, int4range(begun.number, over.number) AS during
    FROM governance_exemption e
    CROSS JOIN LATERAL (SELECT min(number) AS number FROM governance_snapshot
        WHERE group_id = %(group)s AND sealed_at >= e.starts_at) AS begun
    CROSS JOIN LATERAL (SELECT min(number) AS number FROM governance_snapshot
        WHERE group_id = %(group)s AND sealed_at >= e.expires_at) AS over
    WHERE e.group_id = %(group)s AND e.status IN ('approved', 'expired') AND begun.number IS NOT NULL
), broken AS (
    SELECT h.tenant_id, h.plugin_id, r.policy_id, r.key,
        int4multirange(int4range(h.since, h.until)) AS during
    FROM governance_rule r
    JOIN governance_violation v ON v.rule_id = r.id
    JOIN held h ON h.release_id = v.release_id
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id AND s.tenant_id = h.tenant_id
    WHERE r.id = ANY (%(rules)s::bigint[])
    UNION ALL
    SELECT s.tenant_id, wanted.plugin_id, r.policy_id, r.key,
        int4multirange(int4range(known.since, NULL)) - coalesce(there.during, '{}')
    FROM governance_rule r
    CROSS JOIN LATERAL unnest(r.plugins) AS wanted (plugin_id)
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id
    CROSS JOIN LATERAL (SELECT min(since) AS since FROM governance_installation
        WHERE tenant_id = s.tenant_id) AS known
    CROSS JOIN LATERAL (SELECT range_agg(int4range(since, until)) AS during FROM governance_installation
        WHERE tenant_id = s.tenant_id AND plugin_id = wanted.plugin_id) AS there
    WHERE r.id = ANY (%(rules)s::bigint[]) AND r.kind = 'present' AND known.since IS NOT NULL
      AND coalesce((SELECT m.complete FROM governance_manifest m WHERE m.tenant_id = s.tenant_id
                    ORDER BY m.observed_at DESC, m.inventory_id DESC LIMIT 1), true)
), stretches AS MATERIALIZED (
    SELECT tenant_id, plugin_id, range_agg(
        CASE WHEN tenant_id = ANY (%(exempted)s::bigint[]) THEN during - coalesce((
            SELECT range_agg(c.during) FROM covering c
            WHERE c.tenant_id = broken.tenant_id AND c.policy_id = broken.policy_id
              AND c.rule_key IN ('', broken.key)
              AND (c.plugin_id IS NULL OR c.plugin_id = broken.plugin_id)
        ), '{}') ELSE during END) AS during
    FROM broken GROUP BY tenant_id, plugin_id
), spans AS (
    SELECT unnest(during) AS during, 1 AS plugin, 0 AS tenant FROM stretches
    UNION ALL
    SELECT unnest(range_agg(during)), 0, 1 FROM stretches GROUP BY tenant_id
), counts AS (
    SELECT number, sum(sum(plugin)) OVER (ORDER BY number) AS drifting,
        sum(sum(tenant)) OVER (ORDER BY number) AS tenants
    FROM (
        SELECT lower(during) AS number, plugin, tenant FROM spans
        UNION ALL
        SELECT upper(during), -plugin, -tenant FROM spans WHERE NOT upper_inf(during)
        UNION ALL
        SELECT unnest(%(numbers)s::int[]), 0, 0
    ) AS ends
    GROUP BY number
)
UPDATE governance_snapshot s
SET drifting = counts.drifting, compliant_tenants = greatest(s.tenants - counts.tenants, 0)
FROM counts
WHERE s.group_id = %(group)s AND s.number = counts.number AND s.number = ANY (%(numbers)s::int[])
"""
