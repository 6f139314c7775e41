"""The parts of the benchmark of execution that run inside its installation."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import httpx
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from config import queue
from config.access import SYSTEM
from demo.drill import group as drilled
from governance import limits, pipeline, queueing, waiting
from governance.models import Plan, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Group, Tenant

EVERY = 0.5  # seconds between two looks
GIVE_UP = 1800.0
ROUNDS = 15  # of each question to the queue
PROFILE = {
    "name": "drill",
    "title": "All at once",
    "mode": "enforce",
    "prefer": "newest",
    "limits": {"at_once": 100},
    "notify": {"tenant_admins": False, "owners": False},
}


def fill(tasks: int) -> dict[str, Any]:
    """A group whose tenants are all behind."""
    drilled.fill(tasks, profile=PROFILE, at=timezone.now())
    return {}


def carry_out() -> dict[str, Any]:
    """One run, which the workers carry on, from its start to the last verified task."""
    httpx.patch(
        f"{settings.ORCHESTRATOR_URL}/sandbox/settings",
        json={"delay_seconds": 0},
        headers={"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"},
    ).raise_for_status()
    group = Group.objects.get(slug=drilled.SLUG)
    begun = time.monotonic()
    with transaction.atomic():
        run = pipeline.start_run(group, trigger=Trigger.HAND, actor=SYSTEM, at=timezone.now())
        queue.enqueue("governance.jobs.advance_run", run_id=str(run.pk))
    plan = _completed(run)
    assert plan.started_at is not None
    assert plan.finished_at is not None
    seconds = (plan.finished_at - plan.started_at).total_seconds()
    done = plan.tasks.filter(status=UpgradeTask.Status.SUCCEEDED).count()
    return {
        "tasks": plan.tasks.count(),
        "succeeded": done,
        "seconds": round(seconds, 1),
        "tasks_per_second": round(done / seconds, 1),
        "with_the_run_around_it": round(time.monotonic() - begun, 1),
        "dispatch_milliseconds": _spread(_latencies(plan)),
    }


def ask_queue(sizes: Sequence[int]) -> dict[str, Any]:
    """What the same questions take with few and with many tasks waiting."""
    return {f"{size:,} waiting": _asked(size) for size in sizes}


def _completed(run: Run) -> Plan:
    deadline = time.monotonic() + GIVE_UP
    while time.monotonic() < deadline:
        plan = Plan.objects.filter(runs=run, status=Plan.Status.COMPLETED).first()
        if plan is not None:
            return plan
        time.sleep(EVERY)
    raise TimeoutError("The plan wasn't carried out in time.")


def _latencies(plan: Plan) -> list[float]:
    """Milliseconds from the decision to hand a task over until the orchestrator has stored its order."""
    with closing(sqlite3.connect(f"file:{drilled.state_file()}?mode=ro", uri=True)) as state:
        accepted = dict(state.execute("SELECT task, min(accepted_at) FROM orders GROUP BY task").fetchall())
    return [
        (datetime.fromisoformat(accepted[str(pk)]) - dispatched_at) / timedelta(milliseconds=1)
        for pk, dispatched_at in plan.tasks.values_list("pk", "dispatched_at")
        if dispatched_at is not None
    ]


def _spread(milliseconds: Sequence[float]) -> dict[str, float]:
    parts = statistics.quantiles(milliseconds, n=100)
    return {"median": round(parts[49], 1), "p99": round(parts[98], 1)}


def _asked(size: int) -> dict[str, Any]:
    group = _waiting_group(size)
    at = timezone.now()
    turns = UpgradeTask.objects.filter(group=group).claimable(at).select_related("tenant", "plan")
    last = UpgradeTask.objects.filter(group=group).order_by("queue_at", "pk").last()
    middle = UpgradeTask.objects.filter(group=group).order_by("queue_at", "pk")[size // 2]
    assert last is not None

    def prioritise() -> None:
        with transaction.atomic():
            queueing.prioritise(last, queueing.Move.RAISE, reason="measured", actor=SYSTEM, at=at)

    return {
        "next_tasks_ms": _median(lambda: limits.admitted(group, turns)),
        "position_in_the_middle_ms": _median(lambda: waiting.explain_one(middle, at=at)),
        "change_of_priority_ms": _median(prioritise),
        "to_the_front_ms": _median(
            lambda: queueing.prioritise(middle, queueing.Move.FRONT, reason="measured", actor=SYSTEM, at=at)
        ),
    }


def _median(work: Callable[[], object]) -> float:
    taken = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return round(statistics.median(taken) * 1000, 1)


def _waiting_group(size: int) -> Group:
    """A group with one running plan and so many tasks that wait for their turn."""
    at = timezone.now()
    group = Group.objects.create(slug=f"waiting-{size}", name=f"{size} waiting")
    tenants = Tenant.objects.bulk_create(
        (Tenant(group=group, key=f"tenant-{number:06}") for number in range(size)), batch_size=5000
    )
    plan = Plan.objects.create(
        group=group,
        number=1,
        status=Plan.Status.RUNNING,
        snapshot_number=1,
        inputs_digest="",
        created_by_name="benchmark",
        created_at=at,
        started_at=at,
    )
    UpgradeTask.objects.bulk_create(
        (_task(plan, tenant, at + timedelta(seconds=number)) for number, tenant in enumerate(tenants)),
        batch_size=5000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE governance_upgradetask")
    return group


def _task(plan: Plan, tenant: Tenant, queue_at: datetime) -> UpgradeTask:
    return UpgradeTask(
        group_id=plan.group_id,
        plan=plan,
        tenant=tenant,
        steps=[{"plugin": "mail", "from": "1.0.0", "to": "2.0.0", "because": "", "wanted_by": []}],
        situation_digest="",
        queue_at=queue_at,
        idempotency_key=f"{plan.pk}-{tenant.pk}",
        created_at=queue_at,
    )


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "fill": fill,
    "carry_out": carry_out,
    "queue": ask_queue,
}
