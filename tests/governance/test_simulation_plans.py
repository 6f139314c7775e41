"""What a simulation foretells of its plan: who is taken up by it, and who by later ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from audit.models import Entry
from config.access import SYSTEM
from governance import drift, plans, policies, profiles, simulation, withdrawals
from governance.documents import Source
from governance.models import Finding, Plan, Simulation, UpgradeTask
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

LATER = AT + timedelta(minutes=5)
ALIGN = {
    "name": "align",
    "profile": "steady",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}],
}
TAKEN_UP_LATER = "Tenants with a task under way, 1 of these, are taken up by a plan once that has ended."


@pytest.fixture
def acme(world: World) -> World:
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    return world


def suppose(world: World, **what: Any) -> Simulation:
    given = simulation.read(world.group, Source("request", what), at=AT)
    return simulation.simulate_what(world.group, given, at=AT, actor=SYSTEM)


def test_a_tenant_with_a_task_under_way_is_told_and_left_out_of_the_plan(acme: World, client: Client) -> None:
    rollout.running_task(acme)
    factories.install(factories.tenant(acme.group, "tenant-c"), {"crm": "2.3.0"})
    kept = suppose(acme, policies=[ALIGN])
    assert [one["tenants"] for one in kept.outcome["actions"]] == [["tenant-b", "tenant-c"]]
    assert kept.outcome["later"] == {"under_way": ["tenant-b"], "limits": []}
    assert TAKEN_UP_LATER in simulation.markdown(kept)
    client.force_login(acme.viewer)
    assert TAKEN_UP_LATER in client.get(f"/g/acme/simulations/{kept.pk}/").content.decode()
    plan = simulation.apply(kept, actor=SYSTEM, at=LATER)
    assert plan is not None
    assert [task.tenant.key for task in plan.tasks.all()] == ["tenant-c"]


def test_a_queued_task_that_ends_with_its_policy_keeps_no_tenant_out(acme: World) -> None:
    rollout.running_task(acme)
    kept = suppose(acme, policies=[ALIGN], retired=["core"])
    assert kept.outcome["later"]["under_way"] == []
    plan = simulation.apply(kept, actor=SYSTEM, at=LATER)
    assert plan is not None
    assert [task.tenant.key for task in plan.tasks.all()] == ["tenant-b"]


def test_a_task_that_came_under_way_meanwhile_outdates_it(acme: World) -> None:
    drafted = rollout.plan(acme)
    kept = suppose(acme, policies=[ALIGN])
    plans.start(drafted, actor=SYSTEM, at=AT)
    with pytest.raises(simulation.Outdated, match="the tenants with a task under way"):
        simulation.apply(kept, actor=SYSTEM, at=LATER)


def test_a_limit_is_told_where_the_plan_will_not_take_up_all(acme: World) -> None:
    factories.plugin(acme.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (acme.tenant_a, acme.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    limited = {"name": "steady", "mode": "enforce", "limits": {"tasks_per_plan": 1}}
    kept = suppose(acme, policies=[ALIGN], profiles=[limited])
    assert kept.outcome["later"]["limits"] == [{"policy": "align", "tasks_per_plan": 1, "tenants": 2}]
    told = "align lets a plan take up 1 of its 2 tenants; the others follow in later plans."
    assert simulation.in_later_plans(kept) == [told]
    plan = simulation.apply(kept, actor=SYSTEM, at=LATER)
    assert plan is not None
    assert plan.tasks.count() == 1
    enough = {**limited, "limits": {"tasks_per_plan": 2}}
    assert suppose(acme, policies=[ALIGN], profiles=[enough]).outcome["later"]["limits"] == []


@pytest.fixture
def mailing(acme: World) -> Plan:
    """A plan for tenant-a, which nobody has started; tenant-b is behind in what no policy wants yet."""
    mailing = [{"name": "mail", "plugins": ["mail"], "at_least": "1.1.0"}]
    factories.plugin(acme.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(acme.group, "mail", ["1.0.0", "1.1.0"])
    factories.install(acme.tenant_a, {"mail": "1.0.0"})
    factories.install(acme.tenant_b, {"crm": "2.3.0"})
    policies.apply(acme.group, {**ALIGN, "name": "mailing", "rules": mailing}, actor=SYSTEM, at=AT)
    plan = plans.draft(acme.group, at=AT, actor=SYSTEM)
    assert plan is not None
    return plan


def foretold(world: World) -> Plan:
    """What comes of a rule for tenant-b alone."""
    here = suppose(world, policies=[{**ALIGN, "tenants": {"keys": ["tenant-b"]}}])
    plan = simulation.apply(here, actor=SYSTEM, at=LATER)
    assert plan is not None
    return plan


def waiting(plan: Plan) -> list[Tenant]:
    return [task.tenant for task in plan.tasks.unfinished().order_by("tenant")]


def test_the_plan_is_of_what_was_foretold_and_leaves_other_drift_alone(acme: World, mailing: Plan) -> None:
    assert waiting(foretold(acme)) == [acme.tenant_b]
    plans.start(mailing, actor=SYSTEM, at=LATER)
    assert waiting(mailing) == [acme.tenant_a], "which can still be started"


def test_of_an_earlier_plan_only_what_is_planned_anew_gives_way(acme: World, mailing: Plan) -> None:
    factories.install(acme.tenant_b, {"crm": "2.3.0", "mail": "1.0.0"})
    drift.detect(acme.group, at=AT)
    both = plans.draft(acme.group, at=AT, actor=SYSTEM)
    assert both is not None
    assert waiting(both) == [acme.tenant_a, acme.tenant_b]
    plans.approve(both, actor=SYSTEM, at=AT)

    plan = foretold(acme)

    assert waiting(plan) == [acme.tenant_b]
    assert sorted(step["plugin"] for step in plan.tasks.get().steps) == ["crm", "mail"]
    both.refresh_from_db()
    assert (both.status, waiting(both)) == (Plan.Status.APPROVED, [acme.tenant_a])
    assert Entry.objects.get(action="task.changed").data["cancelled"] == ["tenant-b"]
    plans.start(both, actor=SYSTEM, at=LATER)


def test_a_plan_that_was_approved_before_and_comes_out_the_same_stays_approved(
    acme: World, mailing: Plan
) -> None:
    plans.approve(mailing, actor=SYSTEM, at=AT)
    profiles.save(acme.group, {"name": "watch", "mode": "observe"}, actor=SYSTEM, at=AT)
    watching = {**ALIGN, "profile": "watch", "tenants": {"keys": ["tenant-a"]}}
    kept = suppose(acme, policies=[watching])
    assert [one["tenants"] for one in kept.outcome["actions"]] == [["tenant-a"]]
    assert simulation.apply(kept, actor=SYSTEM, at=LATER) == mailing
    mailing.refresh_from_db()
    assert mailing.status == Plan.Status.APPROVED


def test_a_plan_that_something_was_taken_out_of_is_not_just_the_same(acme: World, mailing: Plan) -> None:
    withdrawals.plan_anew(acme.group, [acme.tenant_b.pk], actor=SYSTEM, at=AT)
    assert plans.draft(acme.group, at=AT, actor=SYSTEM) == mailing
    task = UpgradeTask.objects.get(plan=mailing)
    UpgradeTask.objects.filter(pk=task.pk).update(status=UpgradeTask.Status.CANCELLED)
    Finding.objects.open().update(status=Finding.Status.NEW)
    again = plans.draft(acme.group, at=AT, actor=SYSTEM)
    assert again is not None
    assert again != mailing
    assert waiting(again) == [acme.tenant_a]
