"""A plan that hasn't started, supposed to be carried out."""

from __future__ import annotations

import pytest

from audit.models import Entry
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import plans, simulation
from governance.documents import ConfigurationError
from governance.models import Plan, Simulation
from governance.simulation import Supposition
from tests.factories import AT, World
from tests.governance import rollout


def simulated(plan: Plan) -> Simulation:
    return simulation.simulate_what(plan.group, Supposition(plan=plan.number), at=AT, actor=SYSTEM)


def test_it_tells_what_the_plan_would_do_and_the_plan_keeps_it_with_its_digest(world: World) -> None:
    plan = rollout.plan(world)
    kept = simulated(plan)
    before, after = kept.outcome["before"], kept.outcome["after"]
    assert (before["compliant_tenants"], after["compliant_tenants"]) == (1, 2)
    assert (kept.outcome["difference"]["closed"], kept.outcome["difference"]["opened"]) == (1, 0)
    assert simulation.verdict(kept).startswith("Carried out, it closes 1 finding and opens 0.")
    plan.refresh_from_db()
    assert (plan.status, plan.simulation, plan.simulation_digest) == ("simulated", kept, kept.inputs_digest)
    assert Entry.objects.filter(action="plan.simulated").count() == 1


def test_it_may_be_simulated_again_and_then_be_approved_and_started(world: World) -> None:
    plan = rollout.plan(world)
    simulated(plan)
    again = simulated(plan)
    plan.refresh_from_db()
    assert plan.simulation == again
    plans.approve(plan, actor=SYSTEM, at=AT)
    plans.start(plan, actor=SYSTEM, at=AT)
    assert plan.status == Plan.Status.RUNNING


def test_one_that_needs_approval_still_does(world: World) -> None:
    plan = rollout.plan(world)
    Plan.objects.update(needs_approval=True)
    simulated(plan)
    plan.refresh_from_db()
    with pytest.raises(plans.NeedsApproval):
        plans.start(plan, actor=SYSTEM, at=AT)


def test_one_that_was_started_is_refused_and_one_approved_meanwhile_stays_so(world: World) -> None:
    plan = rollout.plan(world)
    kept = simulated(plan)
    plans.approve(plan, actor=SYSTEM, at=AT)
    with pytest.raises(TransitionError):
        plans.note_simulation(plan, kept, actor=SYSTEM, at=AT)
    simulated(plan)
    plan.refresh_from_db()
    assert (plan.status, plan.simulation) == (Plan.Status.APPROVED, kept)
    plans.start(plan, actor=SYSTEM, at=AT)
    with pytest.raises(ConfigurationError, match="running already"):
        simulated(plan)
    with pytest.raises(ConfigurationError, match="there is no plan 7"):
        simulation.simulate_what(world.group, Supposition(plan=7), at=AT, actor=SYSTEM)


def test_what_is_supposed_is_taken_back(world: World) -> None:
    plan = rollout.plan(world)
    first, second = simulated(plan), simulated(plan)
    assert first.outcome == second.outcome


def test_it_can_be_asked_but_not_put_in_force(world: World) -> None:
    kept = simulated(rollout.plan(world))
    with pytest.raises(simulation.NotApplicable, match="plan 1 carried out"):
        simulation.apply(kept, actor=SYSTEM, at=AT)
