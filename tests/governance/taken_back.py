"""A group whose alignment has brought a tenant to another version, and its way back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from config.access import SYSTEM
from governance import (
    drift,
    pipeline,
    plans,
    policies,
    profiles,
    rollbacks,
    simulation,
    snapshots,
    upgrades,
)
from governance.models import Plan, Rollback, Run, Snapshot
from governance.models.snapshot import Trigger
from governance.orchestrator import OrderStatus
from governance.restoring import Scope
from governance.rollbacks import Asked
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

LATER = AT + timedelta(hours=1)


def seal(world: World, at: Any = AT) -> Snapshot:
    sealed = snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=at)
    for one in (world.group, world.tenant_a.group, world.tenant_b.group):
        one.refresh_from_db()
    return sealed


def carry_out(world: World, plan: Plan, at: Any) -> None:
    """The orchestrator does all of the plan, and the tenants' manifests show it."""
    plan.refresh_from_db()
    if plan.status != Plan.Status.RUNNING:
        plans.start(plan, actor=SYSTEM, at=at)
    upgrades.dispatch_due(plan.group, at=at)
    for task in plan.tasks.select_related("tenant"):
        word = OrderStatus(f"order-{task.pk}", str(task.pk), "succeeded", "", at)
        upgrades.write_back(word, actor=SYSTEM, at=at)
    for task in plan.tasks.select_related("tenant"):
        (step,) = task.steps
        rollout.report(world, task.tenant.key, step["to"], at + timedelta(minutes=1))
    drift.detect(plan.group, at=at + timedelta(minutes=1))
    upgrades.verify(plan.group, at=at + timedelta(minutes=1))


def align(world: World) -> World:
    """The world of D-1: what the group wants has brought tenant-b from crm 2.3.0 to 2.4.0 by plan 1."""
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    for tenant, version in (("tenant-a", "2.4.0"), ("tenant-b", "2.3.0")):
        rollout.report(world, tenant, version, AT - timedelta(days=1))
    document = {
        "name": "align",
        "profile": "steady",
        "tenants": "*",
        "rules": [{"name": "crm", "plugins": ["crm"], "same": True, "at": "2.4.0"}],
    }
    policies.apply(world.group, document, actor=SYSTEM, at=AT)
    seal(world)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    carry_out(world, plan, AT)
    assert status(plan) == Plan.Status.COMPLETED
    return world


def status(plan: Plan) -> str:
    plan.refresh_from_db()
    return plan.status


def asked(world: World, **changes: Any) -> Asked:
    plan = Plan.objects.get(group=world.group, number=1)
    return Asked(**{"scope": Scope(plan=plan), "reason": "Customers call.", **changes})


def prepared(world: World, **changes: Any) -> Rollback:
    row = rollbacks.prepare(world.group, asked(world, **changes), actor=SYSTEM, at=LATER)
    row.simulation = simulation.run(row.simulation_id, at=LATER)
    assert row.simulation.status == "ready", row.simulation.error
    return row


def applied(world: World, **changes: Any) -> Plan:
    row = prepared(world, **changes)
    plan = rollbacks.apply(row, actor=SYSTEM, at=LATER)
    assert plan is not None
    return plan


def run(world: World, at: Any) -> Run:
    started = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=at)
    return pipeline.advance_run(started.pk, clock=lambda: at)
