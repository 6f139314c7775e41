"""What a simulation foretells of its plan: who is taken up by it, and who by later ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import plans, policies, profiles, simulation
from governance.documents import Source
from governance.models import Simulation
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


def test_the_plan_is_of_what_was_foretold_and_leaves_other_drift_alone(acme: World) -> None:
    mailing = [{"name": "mail", "plugins": ["mail"], "at_least": "1.1.0"}]
    factories.plugin(acme.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(acme.group, "mail", ["1.0.0", "1.1.0"])
    factories.install(acme.tenant_a, {"mail": "1.0.0"})
    factories.install(acme.tenant_b, {"crm": "2.3.0"})
    policies.apply(acme.group, {**ALIGN, "name": "mailing", "rules": mailing}, actor=SYSTEM, at=AT)
    earlier = plans.draft(acme.group, at=AT, actor=SYSTEM)
    assert earlier is not None

    here = suppose(acme, policies=[{**ALIGN, "tenants": {"keys": ["tenant-b"]}}])
    plan = simulation.apply(here, actor=SYSTEM, at=LATER)

    assert plan is not None
    assert [task.tenant for task in plan.tasks.all()] == [acme.tenant_b]
    plans.start(earlier, actor=SYSTEM, at=LATER)
    assert [task.tenant for task in earlier.tasks.all()] == [acme.tenant_a], "which can still be started"
