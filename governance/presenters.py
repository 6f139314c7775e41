"""Rows as the JSON that the endpoints and `--json` give."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from audit.models import Report
from governance import aftermath, maintenance, restoring, run_wording, simulation, waiting, ways_out
from governance.models import (
    Conflict,
    Finding,
    MaintenanceWindow,
    Plan,
    Rollback,
    Run,
    Snapshot,
    UpgradeTask,
)
from tenants.models import Group


def snapshot(row: Snapshot) -> dict[str, Any]:
    """A sealed snapshot with the drift that is open now."""
    statuses = Finding.objects.filter(group_id=row.group_id).open().order_by().values_list("status")
    return {
        "number": row.number,
        "sealed_at": row.sealed_at.isoformat(),
        "digest": row.digest,
        "tenants": row.tenants,
        "installations": row.installations,
        "opened": row.opened,
        "closed": row.closed,
        "drift": dict(statuses.annotate(count=Count("pk"))),
    }


def run(row: Run) -> dict[str, Any]:
    """A run with its plan, its tasks and what it waits for."""
    conflicts = Conflict.objects.filter(run=row).select_related("plugin").order_by("found_at", "pk")
    left = run_wording.left(row)
    return {
        "id": str(row.pk),
        "number": row.number,
        "status": row.status,
        "says": run_wording.stands(row, left),
        "conflicts_left": left,
        "stage": row.stage,
        "dry_run": row.dry_run,
        "policies": row.policy_names,
        "snapshot": row.snapshot_number,
        "started_at": row.started_at.isoformat(),
        "finished_at": row.finished_at.isoformat() if row.finished_at else None,
        "error": row.error,
        "figures": figures(row),
        "plan": plan(row.plan) if row.plan else None,
        "conflicts": [conflict(found) for found in conflicts],
    }


def figures(row: Run) -> dict[str, Any]:
    """A run's figures, the stages in their order: the database keeps none."""
    stages = {stage.value: row.figures[stage] for stage in Run.Stage if stage in row.figures}
    return {**stages, **row.figures}


def plan(row: Plan) -> dict[str, Any]:
    """A plan with its tasks."""
    tasks = row.tasks.select_related("tenant").order_by("ring", "queue_at", "pk")
    waiting_ones = row.waits_for().order_by("found_at", "pk") if row.standing else ()
    waits_for = [{"conflict": str(found.pk), "summary": str(found)} for found in waiting_ones]
    return {
        "id": str(row.pk),
        "number": row.number,
        "status": row.status,
        "standing": row.standing,
        "waits_for": waits_for,
        "snapshot": row.snapshot_number,
        "inputs_digest": row.inputs_digest,
        "policies": row.policy_versions,
        "needs_approval": row.needs_approval,
        "approved_by": row.approved_by_name,
        "open_ring": row.open_ring + 1,
        "limits": row.limits,
        "failure_budget": row.failure_budget,
        "pause_reason": row.pause_reason,
        "simulation": str(row.simulation_id) if row.simulation_id else None,
        "simulation_digest": row.simulation_digest,
        "rolls_back": row.rolls_back.number if row.rolls_back else None,
        "taken_back_by": list(row.taken_back_by.order_by("number").values_list("number", flat=True)),
        "tasks": [task(one) for one in tasks],
    }


def rollback(row: Rollback) -> dict[str, Any]:
    """A rollback with its simulation, what gives way to it, and its plan."""
    return {
        "number": row.number,
        "snapshot": row.snapshot_number,
        "before_plan": row.of_plan.number if row.of_plan else None,
        "tenants": row.tenants,
        "way": row.way,
        "until": row.until.isoformat(),
        "reason": row.reason,
        "policies": row.policies,
        "left_out": row.left_out,
        "under_way": restoring.under_way_in_words(row.left_out),
        "baseline": row.name,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "simulation": simulation.as_document(row.simulation),
        "plan": plan(row.simulation.plan) if row.simulation.plan else None,
    }


def calendar(group: Group, rows: QuerySet[MaintenanceWindow], *, at: datetime) -> dict[str, Any]:
    """The freezes that are still ahead, and the windows."""
    ahead = [freeze for freeze in maintenance.freezes_of(group.pk) if freeze.ends_at > at]
    return {
        "freezes": [
            {
                "name": freeze.name,
                "from": freeze.starts_at.isoformat(),
                "until": freeze.ends_at.isoformat(),
                "reason": freeze.reason,
            }
            for freeze in sorted(ahead, key=lambda freeze: freeze.starts_at)
        ],
        "windows": [window(row) for row in rows.order_by("tenant__key", "pk")],
    }


def window(row: MaintenanceWindow) -> dict[str, Any]:
    """A maintenance window."""
    return {
        "number": row.pk,
        "tenant": row.tenant.key,
        "days": row.days,
        "starts": f"{row.starts:%H:%M}",
        "ends": f"{row.ends:%H:%M}",
        "zone": row.zone,
        "agreed_by": row.agreed_by_name,
    }


def explained_task(row: UpgradeTask, *, at: datetime) -> dict[str, Any]:
    """An upgrade task with why it isn't running, if it waits, or what follows, if it came to nothing."""
    explanation, follows = waiting.explain_one(row, at=at), aftermath.of(row)
    return {
        **task(row),
        "waiting": explanation.as_json() if explanation else None,
        "what_happens_next": str(follows) if follows else None,
        "later_task": str(follows.later.pk) if follows and follows.later else None,
    }


def task(row: UpgradeTask) -> dict[str, Any]:
    """An upgrade task."""
    return {
        "id": str(row.pk),
        "tenant": row.tenant.key,
        "status": row.status,
        "steps": row.steps,
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "waiting_because": row.wait_reason,
        "detail": row.detail,
        "ring": row.ring + 1,
        "ring_name": row.ring_name or None,
        "priority": row.priority,
        "created_at": row.created_at.isoformat(),
        "attempts": row.attempts,
        "attempts_allowed": len(row.retry_delays) + 1,
        "not_before": row.not_before.isoformat() if row.not_before else None,
        "correction": row.correction,
    }


def conflict(row: Conflict) -> dict[str, Any]:
    """A conflict: why, whom it touches, what could be done, and what was decided."""
    touched = row.touched.order_by("tenant__key").values_list("tenant__key", flat=True)
    return {
        "id": str(row.pk),
        "status": row.status,
        "plugin": row.plugin.name,
        "explanation": row.explanation,
        "tenants": list(touched),
        "ways_out": ways_out.told(row),
        "set_aside": row.set_aside,
        "reason": row.reason,
        "decided_by": row.decided_by_name or None,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "decided_earlier": row.decided_earlier,
    }


def report(row: Report) -> dict[str, Any]:
    """A report and its files."""
    files = row.files.order_by("format").values("format", "name", "size", "sha256")
    return {
        "id": str(row.pk),
        "number": row.number,
        "title": row.title,
        "status": row.status,
        "snapshot": row.snapshot_number,
        "digest": row.digest,
        "error": row.error,
        "created_at": row.created_at.isoformat(),
        "files": list(files),
    }
