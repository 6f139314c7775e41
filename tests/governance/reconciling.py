"""A group in which all agrees, made by the product's own functions, with a plan under way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from audit.models import OutboxMessage
from config.access import SYSTEM
from governance import decisions, drift, plans, policies, profiles, reconciliation, snapshots, upgrades
from governance.models import Plan, Policy, Reconciliation, UpgradeTask
from governance.models.snapshot import Trigger
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

LATER = AT + timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class House:
    """What there is, and all of it agrees."""

    world: World
    policy: Policy
    plan: Plan

    @property
    def task(self) -> UpgradeTask:
        """The plan's task, handed over."""
        return self.plan.tasks.get()

    @property
    def message(self) -> OutboxMessage:
        """Its hand-over."""
        return OutboxMessage.objects.get(destination="orchestrator")

    def reconcile(self, *, apply: bool = False, at: Any = LATER) -> Reconciliation:
        """Compare, and with `apply` repair."""
        return reconciliation.reconcile(self.world.group, apply=apply, actor=SYSTEM, at=at)

    def kinds(self, *, apply: bool = False) -> list[str]:
        """The kinds of what is found."""
        return [one["kind"] for one in self.reconcile(apply=apply).disagreements]


def settle_in(world: World) -> House:
    """tenant-b is a version behind, and its task has been handed over."""
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    rollout.report(world, "tenant-a", "2.4.0", AT - timedelta(days=1))
    rollout.report(world, "tenant-b", "2.3.0", AT - timedelta(days=1))
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    rules = [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}]
    document = {"name": "core", "profile": "steady", "tenants": "*", "rules": rules}
    policy = policies.apply(world.group, document, actor=SYSTEM, at=AT).policy
    snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    world.group.refresh_from_db()
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    plans.start(plan, actor=SYSTEM, at=AT)
    upgrades.dispatch_due(world.group, at=AT)
    policy.refresh_from_db()
    return House(world, policy, plan)
