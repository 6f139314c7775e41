"""What a tenant's newest manifest says of an upgrade task."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from governance.models import Installation, Manifest, UpgradeTask

_AWAITS = (UpgradeTask.Status.VERIFYING, UpgradeTask.Status.MANUAL)


def judge(task: UpgradeTask, *, at: datetime) -> list[str] | None:
    """What the newest manifest shows otherwise, or that there is none; None if it is too early to say."""
    verdict = _differences(task)
    return _overdue(task, at) if verdict is None else verdict


def _differences(task: UpgradeTask) -> list[str] | None:
    """The differences that the newest manifest shows, empty if none; None if it is too early to say."""
    newest = (
        Manifest.objects.filter(tenant_id=task.tenant_id).order_by("-observed_at", "-inventory_id").first()
    )
    if newest is None or (task.dispatched_at is not None and newest.observed_at < task.dispatched_at):
        return None
    installed = dict(
        Installation.objects.current()
        .filter(tenant_id=task.tenant_id, plugin__name__in=[step["plugin"] for step in task.steps])
        .values_list("plugin__name", "release__version")
    )
    differences = [
        f"{step['plugin']} is {installed.get(step['plugin'], 'not installed')}, not {step['to'] or 'removed'}"
        for step in task.steps
        if installed.get(step["plugin"]) != step["to"]
    ]
    said_at = task.corrected_at or task.checked_at or task.dispatched_at
    return differences if not differences or (said_at and newest.observed_at >= said_at) else None


def _overdue(task: UpgradeTask, at: datetime) -> list[str] | None:
    """That its tenant has been silent for too long; None while it may still speak."""
    said_at = task.corrected_at or task.checked_at or task.dispatched_at
    if task.status not in _AWAITS or said_at is None or at - said_at < settings.VERIFY_WITHIN:
        return None
    return [f"no manifest since {said_at:%Y-%m-%d %H:%M} UTC"]
