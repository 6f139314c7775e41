"""What a tenant's newest manifest says of an upgrade task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from governance.models import Installation, Manifest, UpgradeTask

_EVER = Value(datetime(1970, 1, 1, tzinfo=UTC))
AWAITS = (UpgradeTask.Status.VERIFYING, UpgradeTask.Status.MANUAL)


@dataclass(frozen=True, slots=True)
class Evidence:
    """When tenants were last observed, and what they run of the plugins in question; by tenant id."""

    observed_at: Mapping[int, datetime]
    installed: Mapping[int, Mapping[str, str]]


def arguable(tasks: QuerySet[UpgradeTask], *, at: datetime) -> QuerySet[UpgradeTask]:
    """Those about which `judge` may have something to say: of all others nothing needs to be gathered."""
    handed_over = Coalesce(OuterRef("dispatched_at"), _EVER)
    since = Manifest.objects.filter(tenant=OuterRef("tenant"), observed_at__gte=handed_over)
    silent = Q(said_at__lte=at - settings.VERIFY_WITHIN)
    return tasks.alias(said_at=Coalesce("corrected_at", "checked_at", "dispatched_at")).filter(
        Exists(since) | silent
    )


def gather(tasks: Iterable[UpgradeTask]) -> Evidence:
    """All that is needed to judge these tasks."""
    plugins = {task.tenant_id: {step["plugin"] for step in task.steps} for task in tasks}
    newest = (
        Manifest.objects.filter(tenant_id__in=plugins)
        .order_by("tenant_id", "-observed_at", "-inventory_id")
        .distinct("tenant_id")
        .values_list("tenant_id", "observed_at")
    )
    installed: dict[int, dict[str, str]] = {tenant_id: {} for tenant_id in plugins}
    named = set().union(*plugins.values())
    rows = Installation.objects.current().filter(tenant_id__in=plugins, plugin__name__in=named)
    for tenant_id, plugin, version in rows.values_list("tenant_id", "plugin__name", "release__version"):
        installed[tenant_id][plugin] = version
    return Evidence(dict(newest), installed)


def judge(task: UpgradeTask, evidence: Evidence, *, at: datetime) -> list[str] | None:
    """What the newest manifest shows otherwise, or that there is none; None if it is too early to say."""
    verdict = _differences(task, evidence)
    return _overdue(task, at) if verdict is None else verdict


def _differences(task: UpgradeTask, evidence: Evidence) -> list[str] | None:
    """The differences that the newest manifest shows, empty if none; None if it is too early to say."""
    observed_at = evidence.observed_at.get(task.tenant_id)
    if observed_at is None or (task.dispatched_at is not None and observed_at < task.dispatched_at):
        return None
    installed = evidence.installed[task.tenant_id]
    differences = [
        f"{step['plugin']} is {installed.get(step['plugin'], 'not installed')}, not {step['to'] or 'removed'}"
        for step in task.steps
        if installed.get(step["plugin"]) != step["to"]
    ]
    said_at = task.corrected_at or task.checked_at or task.dispatched_at
    return differences if not differences or (said_at and observed_at >= said_at) else None


def _overdue(task: UpgradeTask, at: datetime) -> list[str] | None:
    """That its tenant has been silent for too long; None while it may still speak."""
    limit = silent_until(task)
    if limit is None or at < limit:
        return None
    return [f"no manifest since {limit - settings.VERIFY_WITHIN:%Y-%m-%d %H:%M} UTC"]


def silent_until(task: UpgradeTask) -> datetime | None:
    """When a task that awaits its tenant's manifest counts as failed without one; None for any other."""
    said_at = task.corrected_at or task.checked_at or task.dispatched_at
    return said_at + settings.VERIFY_WITHIN if task.status in AWAITS and said_at else None
