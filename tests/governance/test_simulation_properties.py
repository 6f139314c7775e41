"""Whatever happened to a group: what a simulation foretells is what comes of it, and it looks at enough."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import decisions, drift, policies, profiles, simulation
from governance.documents import ConfigurationError
from governance.models import Conflict, ConflictTenant, Finding, Policy, Simulation, TenantDecision
from governance.rules import RuleError
from governance.simulation import touching
from tests.governance.drift_steps import deny, documents, histories
from tests.governance.drift_worlds import POLICIES, Step, World

pytestmark = pytest.mark.django_db

examples = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

change = st.tuples(st.sampled_from([*POLICIES, "fourth"]), documents(), deny)


def settled(steps: list[Step], denied: tuple[str, ...]) -> World:
    """A group after the steps, everything found and decided, with a profile that enforces."""
    world = World("acme", in_full=True)
    for step in steps:
        world.take(step)
    profile = {"name": "steady", "mode": "enforce", **({"deny": list(denied)} if denied else {})}
    profiles.save(world.group, profile, actor=SYSTEM, at=world.at)
    drift.detect(world.group, at=world.at)
    decisions.evaluate(world.group, at=world.at, actor=SYSTEM)
    return world


def simulate(world: World, name: str, document: dict[str, Any]) -> Simulation | None:
    wanted = {"name": name, "kind": "policy", "profile": "steady", **document}
    try:
        return simulation.simulate(world.group, policies=[wanted], at=world.at, actor=SYSTEM)
    except (ConfigurationError, RuleError):
        return None


def standing(world: World) -> dict[str, Any]:
    """The figures as the group's own records have them."""
    open_ = Finding.objects.filter(group=world.group).outstanding()
    decided = TenantDecision.objects.filter(group=world.group).select_related("decision")
    return {
        "drift": open_.count(),
        "drifting_tenants": open_.values("tenant").distinct().count(),
        "drifting_installations": open_.values("tenant", "plugin").distinct().count(),
        "accepted": Finding.objects.filter(group=world.group, status="accepted").count(),
        "changes": sum(len(row.decision.changes) for row in decided),
        "conflicts": set(
            ConflictTenant.objects.filter(group=world.group)
            .exclude(conflict__status=Conflict.Status.CLOSED)
            .values_list("conflict__fingerprint", "tenant__key")
        ),
    }


@examples
@given(histories(), change)
def test_what_it_foretells_is_what_comes_of_it_and_about_the_tenants_it_leaves_out_the_same_is_decided(
    steps: list[Step], changed: tuple[str, dict[str, Any], tuple[str, ...]]
) -> None:
    name, document, denied = changed
    with transaction.atomic():
        world = settled(steps, denied)
        before = standing(world)
        some = simulate(world, name, document)
        assert standing(world) == before
        whole = simulate_everyone(world, name, document)
        assert (some is None) == (whole is None)
        if some is not None and whole is not None:
            assert told(some) == told(whole)
            assert_comes_true(world, some, before)
            if name not in POLICIES:
                assert Policy.objects.filter(group=world.group, name=name).exists()
        transaction.set_rollback(True)


def simulate_everyone(world: World, name: str, document: dict[str, Any]) -> Simulation | None:
    """The same with no tenant left out."""
    everyone = frozenset(tenant.pk for tenant in world.tenants.values())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(touching, "touched", lambda _before, _after: everyone)
        return simulate(world, name, document)


def assert_comes_true(world: World, kept: Simulation, before: dict[str, Any]) -> None:
    """Put in force, what was foretold is what the group's own records say."""
    policies.apply(
        world.group, kept.supposed["policies"][0], actor=SYSTEM, at=world.at, comment="as foretold"
    )
    after = standing(world)
    outcome = kept.outcome
    for figure in ("drift", "drifting_tenants", "drifting_installations", "accepted"):
        assert (outcome["before"][figure], outcome["after"][figure]) == (before[figure], after[figure])
    assert outcome["difference"]["cost"] == after["changes"] - before["changes"]
    assert pairs(outcome["conflicts"], "new_tenants") == after["conflicts"] - before["conflicts"]
    assert pairs(outcome["solved"], "tenants") == before["conflicts"] - after["conflicts"]


def told(kept: Simulation) -> dict[str, Any]:
    """What an outcome says of differences; how many tenants were looked at for that is left out."""
    outcome = kept.outcome
    difference = {name: value for name, value in outcome["difference"].items() if name != "judged_tenants"}
    new = {one["fingerprint"]: one["new_tenants"] for one in outcome["conflicts"] if one["new"]}
    solved = {one["fingerprint"]: one["tenants"] for one in outcome["solved"]}
    return {"difference": difference, "new": new, "solved": solved}


def pairs(told: list[dict[str, Any]], tenants: str) -> set[tuple[str, str]]:
    """Each conflict with each of its tenants."""
    return {(one["fingerprint"], key) for one in told for key in one[tenants]}
