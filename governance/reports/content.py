"""What a compliance report says, as plain JSON: read once, in one transaction, and never again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit.models import Report
from audit.models.report import ReportStatus
from governance.models import Policy, Rule, Run, Snapshot
from governance.models.policy import Mode
from governance.reports import actions, breakdowns, decisions
from tenants.models import Group

FORMAT = 1  # of the JSON; raised when a field changes its meaning
TREND_POINTS = 60
Document = dict[str, Any]


def collect(report: Report, group: Group, snapshot: Snapshot, run: Run | None, *, at: datetime) -> Document:
    """All that the report says, of the state as it is in the caller's transaction."""
    since = _last_reported(group)
    outstanding = actions.outstanding(group, at=at)
    accepted = actions.accepted(group, at=at)
    conflicts = decisions.conflicts(group, since=since, at=at)
    tenants = breakdowns.by_tenant(group, outstanding, accepted)
    return {
        **_head(report, group, since=since, at=at),
        "run": _run(run),
        "snapshot": _snapshot(snapshot),
        "summary": _summary(tenants, outstanding, accepted),
        "trend": _trend(group),
        "by_policy": breakdowns.by_policy(group, outstanding, accepted),
        "by_plugin": breakdowns.by_plugin(group, outstanding, accepted),
        "by_tenant": tenants,
        "completed": {
            "tasks": actions.finished_tasks(group, since=since, at=at),
            "findings": actions.resolved(group, since=since, at=at),
        },
        "outstanding": outstanding,
        "accepted": accepted,
        "planned": _planned(group, at),
        "conflicts": conflicts,
        "assessment": decisions.assessment(conflicts),
        "exemptions": decisions.exemptions(group, since=since, at=at),
        "policies": _policies(group),
    }


def _head(report: Report, group: Group, *, since: datetime | None, at: datetime) -> Document:
    return {
        "format": FORMAT,
        "number": report.number,
        "title": report.title,
        "group": {"slug": group.slug, "name": group.name},
        "at": at.isoformat(),
        "period": {"from": since.isoformat() if since else None, "until": at.isoformat()},
        "requested_by": report.requested_by,
    }


def _planned(group: Group, at: datetime) -> Document:
    return {
        "tasks": actions.planned_tasks(group),
        "windows": actions.windows(group, at=at),
        "policies": _future_policies(group, at),
    }


def _last_reported(group: Group) -> datetime | None:
    reports = Report.objects.filter(group_id=group.pk, status=ReportStatus.READY)
    return reports.order_by("-number").values_list("finished_at", flat=True).first()


def _run(run: Run | None) -> Document | None:
    if run is None:
        return None
    return {"number": run.number, "trigger": run.trigger, "started_at": run.started_at.isoformat()}


def _snapshot(snapshot: Snapshot) -> Document:
    return {
        "number": snapshot.number,
        "digest": snapshot.digest,
        "sealed_at": snapshot.sealed_at.isoformat(),
        "tenants": snapshot.tenants,
        "installations": snapshot.installations,
    }


def _summary(tenants: list[Document], outstanding: list[Document], accepted: list[Document]) -> Document:
    compliant = sum(tenant["compliant"] for tenant in tenants)
    drifting = len({(row["tenant"], row["plugin"]) for row in outstanding})
    installations = sum(tenant["installations"] for tenant in tenants)
    return {
        "tenants": len(tenants),
        "compliant_tenants": compliant,
        "compliance_rate": round(compliant / len(tenants), 4) if tenants else 1.0,
        "installations": installations,
        "drifting_installations": drifting,
        "outstanding": len(outstanding),
        "overdue": sum(row["overdue"] for row in outstanding),
        "accepted": len(accepted),
        "by_status": breakdowns.count([*outstanding, *accepted], "status"),
        "by_severity": breakdowns.count(outstanding, "severity"),
    }


def _trend(group: Group) -> list[Document]:
    """The measured snapshots, oldest first, thinned out; the newest stays, whatever the step."""
    measured = Snapshot.objects.filter(group=group, compliant_tenants__isnull=False, tenants__gt=0)
    fields = ("number", "sealed_at", "tenants", "compliant_tenants", "drifting")
    rows = list(measured.order_by("number").values(*fields))
    step = max(1, len(rows) // TREND_POINTS)
    thinned = rows[::-1][::step][::-1]
    return [{**row, "sealed_at": row["sealed_at"].isoformat()} for row in thinned]


def _policies(group: Group) -> list[Document]:
    """The policies that bind, with the versions that the report goes by."""
    policies = Policy.objects.filter(
        group=group, status__in=[Policy.Status.ACTIVE, Policy.Status.PAUSED], current__isnull=False
    )
    return [
        {
            "policy": policy.name,
            "title": policy.title,
            "kind": policy.kind,
            "status": policy.status,
            "version": policy.current.number,
            "digest": policy.current.digest,
            "profile": policy.current.profile_name,
            "author": policy.current.author_name,
            "mode": policy.current.profile.get("mode", Mode.OBSERVE),
        }
        for policy in policies.select_related("current").order_by("name")
        if policy.current is not None
    ]


def _future_policies(group: Group, at: datetime) -> list[Document]:
    """Rules of the current versions whose time has not come."""
    rules = Rule.objects.filter(group=group, effective_from__gt=at, version_id__in=_current(group))
    found = rules.order_by("effective_from", "policy__name", "key").values_list(
        "policy__name", "key", "effective_from"
    )
    rows = dict.fromkeys((policy, key, begins.isoformat()) for policy, key, begins in found if begins)
    return [{"policy": policy, "rule": key, "effective_from": begins} for policy, key, begins in rows]


def _current(group: Group) -> Any:
    binding = [Policy.Status.ACTIVE, Policy.Status.PAUSED]
    return Policy.objects.filter(group=group, status__in=binding).values("current_id")
