"""What-if: the real detection and evaluation over other inputs, with nothing done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import Model

from config.access import SYSTEM
from governance import configuration, flags, policies, profiles, simulation
from governance.documents import ConfigurationError
from governance.models import (
    Conflict,
    Decision,
    Exemption,
    Finding,
    Policy,
    PolicyVersion,
    Profile,
    Rule,
    Simulation,
    Violation,
)
from tests import factories
from tests.factories import AT, World
from tests.ground import Kind

ALIGN = {
    "name": "align",
    "profile": "steady",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "same": True, "at": "2.4.0"}],
}
FREEZE = {
    "name": "freeze",
    "kind": "hold",
    "tenants": {"keys": ["tenant-b"]},
    "plugins": ["crm"],
    "until": "in 9 days",
    "reason": "Books close.",
}
STATE: tuple[type[Model], ...] = (
    Conflict,
    Decision,
    Exemption,
    Finding,
    Policy,
    PolicyVersion,
    Profile,
    Rule,
    Violation,
)


def behind(world: World) -> World:
    """tenant-b runs an older crm than tenant-a; there is a profile that enforces."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return world


SCENE = Kind(behind)


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


def simulate(world: World, *documents: dict[str, Any], **more: Any) -> Simulation:
    return simulation.simulate(world.group, policies=documents, actor=SYSTEM, **{"at": AT, **more})


def state(world: World) -> list[tuple[Any, ...]]:
    return [row for model in STATE for row in model._default_manager.order_by("pk").values_list()]


def test_it_tells_what_would_drift_and_what_would_be_done(acme: World) -> None:
    outcome = simulate(acme, ALIGN, title="Align").outcome
    assert (outcome["before"]["drift"], outcome["after"]["drift"]) == (0, 1)
    assert outcome["after"]["by_policy"] == {"align": 1}
    assert outcome["difference"]["findings"] == [
        {
            "kind": "opened",
            "tenant": "tenant-b",
            "plugin": "crm",
            "version": "2.3.0",
            "policy": "align",
            "rule": "crm",
        }
    ]
    (action,) = outcome["actions"]
    assert (action["from"], action["to"], action["tenants"]) == ("2.3.0", "2.4.0", ["tenant-b"])
    assert outcome["conflicts"] == []


def test_it_leaves_no_trace_but_its_own_record(acme: World) -> None:
    policies.apply(acme.group, {**ALIGN, "rules": []}, actor=SYSTEM, at=AT)
    before = state(acme)
    kept = simulate(acme, ALIGN, FREEZE)
    assert state(acme) == before
    assert (kept.number, kept.created_by_name) == (1, SYSTEM.name)


def test_it_finds_the_conflict_that_would_need_a_person(acme: World) -> None:
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    outcome = simulate(acme, FREEZE).outcome
    (conflict,) = outcome["conflicts"]
    assert conflict["new"]
    assert conflict["tenants"] == ["tenant-b"]
    assert {rule["policy"] for rule in conflict["rules"]} == {"align", "freeze"}
    assert {way["policy"] for way in conflict["ways_out"]} == {"align", "freeze"}
    assert outcome["difference"]["changed"]
    assert not Conflict.objects.exists()


def test_what_stays_stuck_by_other_rules_is_a_conflict_changed_neither_made_nor_solved(acme: World) -> None:
    for document in (ALIGN, FREEZE):
        policies.apply(acme.group, document, actor=SYSTEM, at=AT)
    policies.settle(acme.group, actor=SYSTEM, at=AT)
    kept = simulate(acme, {**FREEZE, "name": "freeze-too"})
    outcome = kept.outcome
    (conflict,) = outcome["conflicts"]
    assert (conflict["new"], conflict["changed"]) == (False, True)
    assert (conflict["new_tenants"], conflict["changed_tenants"]) == ([], ["tenant-b"])
    assert outcome["solved"] == []
    counted = {name: n for name, n in outcome["difference"].items() if name.startswith("conflicts_")}
    assert counted == {"conflicts_new": 0, "conflicts_changed": 1, "conflicts_solved": 0}
    assert "changes 1 conflict." in simulation.verdict(kept)


def test_it_comes_to_what_really_comes_of_it(acme: World) -> None:
    foretold = simulate(acme, ALIGN, FREEZE).outcome
    for document in (ALIGN, FREEZE):
        policies.apply(acme.group, document, actor=SYSTEM, at=AT)
    assert Finding.objects.outstanding().count() == foretold["after"]["drift"]
    real = Conflict.objects.get()
    assert [one["fingerprint"] for one in foretold["conflicts"]] == [real.fingerprint]
    assert real.explanation["summary"] == foretold["conflicts"][0]["summary"]
    again = simulate(acme, ALIGN, FREEZE).outcome
    assert not again["difference"]["changed"]
    assert again["conflicts"] == []


def test_equal_inputs_have_an_equal_digest_and_outcome(acme: World) -> None:
    first, second = simulate(acme, ALIGN), simulate(acme, ALIGN)
    assert first.inputs_digest == second.inputs_digest
    assert first.outcome == second.outcome


def test_another_world_has_another_digest(acme: World) -> None:
    first = simulate(acme, ALIGN)
    factories.install(acme.tenant_b, {"crm": "2.4.0"})
    second = simulate(acme, ALIGN)
    assert first.inputs_digest != second.inputs_digest
    assert second.outcome["after"]["drift"] == 0


def test_a_supposed_exemption_covers_drift(acme: World) -> None:
    exempt = {"name": "x", "tenant": "tenant-b", "policy": "align", "reason": "r", "until": "in 2 days"}
    outcome = simulate(acme, ALIGN, exemptions=[exempt]).outcome
    assert (outcome["after"]["drift"], outcome["after"]["accepted"]) == (0, 1)
    assert outcome["actions"] == []


def test_a_policy_supposed_away_takes_its_drift_with_it(acme: World) -> None:
    policies.apply(acme.group, ALIGN, actor=SYSTEM, at=AT)
    outcome = simulate(acme, retired=["align"]).outcome
    assert outcome["difference"]["closed"] == 1
    assert Policy.objects.get().status == "active"


def test_a_supposed_profile_counts_for_the_policies_that_name_it(acme: World) -> None:
    outcome = simulate(
        acme, {**ALIGN, "profile": "new"}, profiles=[{"name": "new", "mode": "observe"}]
    ).outcome
    assert outcome["after"]["drift"] == 1


def test_a_future_policy_makes_a_difference_only_at_its_time(acme: World) -> None:
    future = {**ALIGN, "effective_from": "2026-04-01"}
    assert not simulate(acme, future).outcome["difference"]["changed"]
    assert simulate(acme, future, at=AT + timedelta(days=60)).outcome["difference"]["opened"] == 1


def test_a_text_that_can_not_bind_is_refused(acme: World) -> None:
    with pytest.raises(ConfigurationError, match="there is no profile"):
        simulate(acme, {**ALIGN, "profile": "none"})
    assert not Simulation.objects.exists()


def test_it_is_refused_while_governance_is_off(acme: World) -> None:
    acme.group.governance_enabled = False
    with pytest.raises(flags.FlagOff):
        simulate(acme, ALIGN)


def test_files_are_simulated_as_they_would_be_applied(acme: World) -> None:
    policies.apply(acme.group, {**ALIGN, "name": "old"}, actor=SYSTEM, at=AT)
    document = {"version": 1, "groups": {"acme": {"policies": [ALIGN]}}}
    files = configuration.load_text(configuration.dump(document), file="f.yaml")

    def run(*, prune: bool) -> dict[str, Any]:
        kept = simulation.simulate_files(acme.group, files, prune=prune, at=AT, actor=SYSTEM)
        found: dict[str, Any] = kept.outcome["difference"]["by_policy"]
        return found

    assert run(prune=False) == {"align": {"opened": 1, "closed": 0}}
    assert run(prune=True) == {"align": {"opened": 1, "closed": 0}, "old": {"opened": 0, "closed": 1}}
    configuration.apply(files, actor=SYSTEM, at=AT)
    again = simulation.simulate_files(acme.group, files, prune=False, at=AT, actor=SYSTEM)
    assert not again.outcome["difference"]["changed"]
