"""What is done, outstanding, accepted and planned, a row each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from governance import maintenance
from governance.models import Finding, UpgradeTask
from governance.models.plan import UNFINISHED
from tenants.models import Group

Document = dict[str, Any]

_FINDING = {
    "tenant": "tenant__key",
    "plugin": "plugin__name",
    "installed": "release__version",
    "target": "target__version",
    "remove": "remove",
    "policy": "policy__name",
    "rule": "rule_key",
    "mode": "rule__mode",
    "severity": "severity",
    "status": "status",
    "reason": "reason",
    "opened_at": "opened_at",
    "due_at": "due_at",
    "closed_at": "closed_at",
    "exempt_until": "exemption__expires_at",
}


def outstanding(group: Group, *, at: datetime) -> list[Document]:
    """Open drift that no exemption covers, the most overdue first."""
    findings = Finding.objects.filter(group=group, tenant__active=True).outstanding()
    return _rows(findings, at)


def accepted(group: Group, *, at: datetime) -> list[Document]:
    """Open drift under an exemption."""
    return _rows(Finding.objects.filter(group=group).open().filter(status=Finding.Status.ACCEPTED), at)


def resolved(group: Group, *, since: datetime | None, at: datetime) -> list[Document]:
    """Drift that went away in the period."""
    closed = Finding.objects.filter(group=group, closed_at__lte=at)
    return _rows(closed.filter(closed_at__gt=since) if since else closed, at)


def finished_tasks(group: Group, *, since: datetime | None, at: datetime) -> list[Document]:
    """Upgrade tasks that ended in the period, verified or not."""
    tasks = UpgradeTask.objects.filter(group=group, finished_at__lte=at).exclude(status__in=UNFINISHED)
    return _tasks(tasks.filter(finished_at__gt=since) if since else tasks)


def planned_tasks(group: Group) -> list[Document]:
    """Upgrade tasks that are still to be done or under way."""
    return _tasks(UpgradeTask.objects.filter(group=group).unfinished())


def windows(group: Group, *, at: datetime) -> Document | None:
    """How many of those wait for maintenance windows, and when the next opens; None if none does."""
    awaited = maintenance.awaited(UpgradeTask.objects.filter(group=group), at)
    return awaited.as_json() if awaited else None


def _rows(findings: QuerySet[Finding], at: datetime) -> list[Document]:
    ordered = findings.order_by("due_at", "tenant__key", "plugin__name", "policy__name", "rule_key", "pk")
    found = ordered.values_list(*_FINDING.values())
    return [_row(dict(zip(_FINDING, values, strict=True)), at) for values in found.iterator(5000)]


def _row(row: Document, at: datetime) -> Document:
    overdue = row["closed_at"] is None and row["due_at"] is not None and row["due_at"] < at
    times = {name: _text(row[name]) for name in ("opened_at", "due_at", "closed_at", "exempt_until")}
    return {**row, **times, "overdue": overdue}


def _tasks(tasks: QuerySet[UpgradeTask]) -> list[Document]:
    return [
        {
            "tenant": task.tenant.key,
            "plan": task.plan.number,
            "status": task.status,
            "steps": [{name: step.get(name) for name in ("plugin", "from", "to")} for step in task.steps],
            "waiting_because": task.wait_reason,
            "detail": task.detail,
            "due_at": _text(task.due_at),
            "created_at": _text(task.created_at),
            "finished_at": _text(task.finished_at),
        }
        for task in tasks.select_related("tenant", "plan").order_by("plan__number", "tenant__key", "pk")
    ]


def _text(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
