"""Rings and limits: in which order tenants follow, and how many at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from config.access import SYSTEM
from governance import decisions, drift, pipeline, plans, rollouts
from governance.models import Plan, Plugin, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

RINGS = [
    {"name": "pilot", "tenants": {"keys": ["tenant-b"]}},
    {"name": "broad", "tenants": {"keys": ["tenant-a"]}, "wait": "2d"},
]


@pytest.fixture
def crm(world: World) -> Plugin:
    plugin = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for key in ("tenant-a", "tenant-b"):
        factories.install(world.group.tenants.get(key=key), {"crm": "2.3.0"})
    return plugin


def drafted(world: World, name: str = "floor", **profile: Any) -> Plan:
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, name, [rule], profile={"mode": "enforce", **profile})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    return plan


def in_order(plan: Plan) -> list[str]:
    return [task.tenant.key for task in plan.tasks.order_by("ring", "queue_at", "pk")]


def test_an_earlier_ring_goes_first(world: World, crm: Plugin) -> None:
    assert in_order(drafted(world, rings=RINGS)) == ["tenant-b", "tenant-a"]


def test_a_tenant_that_no_ring_selects_comes_with_the_last_one(world: World, crm: Plugin) -> None:
    plan = drafted(world, rings=[RINGS[0], {**RINGS[1], "tenants": {"keys": ["nobody"]}}])
    last = plan.tasks.get(tenant=world.tenant_a)
    assert (last.ring, last.ring_wait) == (1, timedelta(days=2))


def test_the_most_cautious_of_several_policies_counts(world: World, crm: Plugin) -> None:
    drafted(world, "first", rings=RINGS)
    plan = drafted(world, "second", rings=[*RINGS[1:], *RINGS[:1]])
    waits = {task.tenant.key: task.ring_wait for task in plan.tasks.select_related("tenant")}
    assert waits == {"tenant-a": timedelta(days=2), "tenant-b": timedelta()}
    assert {task.ring for task in plan.tasks.all()} == {0}


def test_a_tier_counts_what_the_profile_gives_it(world: World, crm: Plugin) -> None:
    Tenant.objects.filter(pk=world.tenant_b.pk).update(tier="critical")
    plan = drafted(world, tiers={"critical": 70})
    assert in_order(plan) == ["tenant-b", "tenant-a"]
    said = {"points": 70, "because": "tenants of tier critical"}
    assert said in plan.tasks.get(tenant=world.tenant_b).priority_because


def test_without_rings_all_go_at_once(world: World, crm: Plugin) -> None:
    assert set(drafted(world).tasks.values_list("ring", flat=True)) == {0}


def test_a_limit_leaves_the_others_for_the_next_plan(world: World, crm: Plugin) -> None:
    plan = drafted(world, rings=RINGS, limits={"tasks_per_plan": 1})
    assert in_order(plan) == ["tenant-b"]
    plans.start(plan, actor=SYSTEM, at=AT)
    following = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert following is not None
    assert in_order(following) == ["tenant-a"]


def test_a_plan_waits_for_a_person_where_a_profile_says_so(world: World, crm: Plugin) -> None:
    plan = drafted(world, auto_start=False)
    assert not rollouts.starts_by_itself(plan)
    run = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    run = pipeline.advance_run(run.pk, clock=lambda: AT)
    assert run.status == Run.Status.COMPLETED
    assert run.figures["execute"]["waits_for_a_person"] == 1
    assert run.plan is not None
    assert run.plan.status == Plan.Status.DRAFTED
    assert set(UpgradeTask.objects.values_list("status", flat=True)) == {"queued"}
