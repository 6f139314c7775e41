"""Conflicts that evaluation finds, and people's decisions on them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import compliance, conflicts, ways_out
from governance.models import Conflict, Finding, Plugin, Policy
from tests import factories
from tests.factories import AT, World
from tests.governance.aligning import ENFORCE, ahead_and_behind, align, finding, hold, judge, requires, rule


@pytest.fixture
def crm(world: World) -> Plugin:
    return ahead_and_behind(world)


def test_a_hold_against_an_alignment_is_a_conflict_that_names_both(world: World, crm: Plugin) -> None:
    align(world)
    hold(world, until="2026-12-01")
    judge(world)
    conflict = Conflict.objects.get()
    assert str(conflict) == (
        "hold-tenant-b keeps crm at 2.3.0 until 1 December 2026; core-align wants crm 2.4.0 everywhere"
    )
    assert [touched.tenant for touched in conflict.touched.all()] == [world.tenant_b]
    assert {rule["policy"] for rule in conflict.explanation["rules"]} == {"hold-tenant-b", "core-align"}
    assert [way["says"] for way in ways_out.told(conflict)] == [
        "Set core-align aside here: crm stays at 2.3.0",
        "Set hold-tenant-b aside here: crm goes to 2.4.0",
    ]
    found = finding(world.tenant_b)
    assert (found.status, found.target) == (Finding.Status.NEEDS_DECISION, None)
    assert found.reason == str(conflict)


def test_a_new_conflict_is_in_the_ledger_once(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    assert judge(world).new_conflicts == 1
    assert judge(world).new_conflicts == 0
    (entry,) = Entry.objects.filter(action="conflict.found")
    assert entry.data["tenants"] == ["tenant-b"]


def test_setting_the_hold_aside_lets_the_tenant_move(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    conflict = Conflict.objects.get()
    conflicts.decide(
        conflict,
        set_aside=[{"policy": "hold-tenant-b", "key": "hold"}],
        reason="The customer agreed.",
        actor=SYSTEM,
        at=AT,
    )
    found = finding(world.tenant_b)
    assert (found.status, found.target) == (Finding.Status.NEW, factories.release(crm, "2.4.0"))
    assert "recorded decision" in found.reason
    assert conflict.status == Conflict.Status.DECIDED


def test_setting_the_wish_aside_leaves_the_tenant_as_it_is(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    set_aside = [{"policy": "core-align", "key": "core-align"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="Not yet.", actor=SYSTEM, at=AT)
    found = finding(world.tenant_b)
    assert (found.status, found.target, found.due_at) == (Finding.Status.SET_ASIDE, None, None)
    assert found.reason.startswith("Left as it is by a recorded decision")


def test_what_a_decision_sets_aside_beside_what_was_stuck_is_set_aside_too(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "base", ["1.0.0", "2.0.0"])
    skin = factories.plugin(world.group, "skin", ["1.0.0"])
    requires(crm, "2.4.0", {"plugin": "base", "range": ">=2"})
    requires(skin, "1.0.0", {"plugin": "base", "range": "<2"})
    factories.install(world.tenant_b, {"crm": "2.3.0", "base": "1.0.0"})
    here = {"keys": ["tenant-b"]}
    factories.policy(world.group, "newer", [rule("crm", at_least="2.4.0")], profile=ENFORCE, tenants=here)
    factories.policy(
        world.group, "skin-stays", [rule("skin", "skin", present=True)], profile=ENFORCE, tenants=here
    )
    judge(world)
    assert finding(world.tenant_b, "skin").due_at is not None
    set_aside = [{"policy": "skin-stays", "key": "skin"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="No.", actor=SYSTEM, at=AT)
    assert finding(world.tenant_b).target == factories.release(crm, "2.4.0")
    found = finding(world.tenant_b, "skin")
    assert (found.status, found.target, found.due_at) == (Finding.Status.SET_ASIDE, None, None)
    assert found.reason.startswith("Left as it is by a recorded decision")


def test_a_rule_set_aside_binds_none_of_what_the_conflict_is_about(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "base", ["1.0.0", "2.1.0", "3.0.0"])
    factories.plugin(world.group, "skin", ["1.0.0", "2.0.0"])
    either = [{"plugin": "skin", "range": ">=2"}, {"plugin": "base", "range": ">=3"}]
    requires(crm, "2.4.0", {"any_of": either})
    factories.install(world.tenant_b, {"crm": "2.3.0", "base": "2.1.0", "skin": "1.0.0"})
    here = {"keys": ["tenant-b"]}
    odd = {"name": "odd", "plugins": ["skin", "base"], "deny": ">=2 <3"}
    for name, one in {
        "newer": rule("crm", at_least="2.4.0"),
        "odd": odd,
        "cap": rule("cap", "base", at_most="2.9.0"),
    }.items():
        factories.policy(world.group, name, [one], profile=ENFORCE, tenants=here)
    judge(world)
    for conflict in Conflict.objects.waiting():
        set_aside = [{"policy": "odd", "key": "odd"}]
        conflicts.decide(conflict, set_aside=set_aside, reason="No.", actor=SYSTEM, at=AT)
    found = finding(world.tenant_b, "base")
    assert (found.status, found.target, found.due_at) == (Finding.Status.SET_ASIDE, None, None)


def test_what_a_decision_sets_aside_counts_as_drift_and_asks_nothing_of_anybody(
    world: World, crm: Plugin
) -> None:
    align(world)
    hold(world)
    judge(world)
    assert Finding.objects.asking().count() == 1
    set_aside = [{"policy": "core-align", "key": "core-align"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="Not yet.", actor=SYSTEM, at=AT)
    assert Finding.objects.asking().count() == 0
    assert Finding.objects.outstanding().count() == 1


def test_only_an_exemption_brings_into_line_what_a_decision_set_aside(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    everything = world.access(world.owner)
    assert compliance.rate(everything) == compliance.Rate(2, 1, 2, 1, left_aside=0)
    set_aside = [{"policy": "core-align", "key": "core-align"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="Not yet.", actor=SYSTEM, at=AT)
    assert compliance.rate(everything) == compliance.Rate(2, 1, 2, 1, left_aside=1)
    core = Policy.objects.get(name="core-align")
    factories.exemption(world.tenant_b, core, until=AT + timedelta(days=30))
    judge(world)
    assert compliance.rate(everything) == compliance.Rate(2, 2, 2, 0, left_aside=0)


def test_the_service_level_begins_anew_once_a_finding_is_set_aside_no_more(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    assert finding(world.tenant_b).due_at == AT + timedelta(days=30)
    conflict = Conflict.objects.get()
    set_aside = [{"policy": "core-align", "key": "core-align"}]
    conflicts.decide(conflict, set_aside=set_aside, reason="Not yet.", actor=SYSTEM, at=AT)
    judge(world)
    assert finding(world.tenant_b).due_at is None
    later = AT + timedelta(days=3)
    conflicts.reopen(conflict, reason="A mistake.", actor=SYSTEM, at=later)
    found = finding(world.tenant_b)
    assert (found.status, found.due_at) == (Finding.Status.NEEDS_DECISION, later + timedelta(days=30))


def test_a_decision_is_reused_while_its_inputs_stay_and_not_afterwards(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    set_aside = [{"policy": "hold-tenant-b", "key": "hold"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="Agreed.", actor=SYSTEM, at=AT)
    assert judge(world).waiting_conflicts == 0
    factories.install(world.tenant_b, {"crm": "2.2.0"})
    assert judge(world).waiting_conflicts == 1
    first, second = Conflict.objects.order_by("found_at", "status")
    assert {first.status, second.status} == {Conflict.Status.CLOSED, Conflict.Status.OPEN}
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    judge(world)
    (standing,) = Conflict.objects.standing()
    assert standing.status == Conflict.Status.DECIDED
    entry = Entry.objects.get(action="conflict.returned")
    assert (entry.subject_id, entry.data["tenants"]) == (str(standing.pk), ["tenant-b"])


def test_a_decision_is_taken_back(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    conflict = Conflict.objects.get()
    set_aside = [{"policy": "hold-tenant-b", "key": "hold"}]
    conflicts.decide(conflict, set_aside=set_aside, reason="Agreed.", actor=SYSTEM, at=AT)
    conflicts.reopen(conflict, reason="A mistake.", actor=SYSTEM, at=AT)
    assert finding(world.tenant_b).status == Finding.Status.NEEDS_DECISION
    assert Conflict.objects.waiting().count() == 1


def test_a_decision_names_rules_of_the_conflict_and_a_reason(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    conflict = Conflict.objects.get()
    good = [{"policy": "core-align", "key": "core-align"}]
    for set_aside, reason in [([], "x"), (good, " "), ([{"policy": "other", "key": "rule"}], "x")]:
        with pytest.raises(conflicts.DecisionRefused):
            conflicts.decide(conflict, set_aside=set_aside, reason=reason, actor=SYSTEM, at=AT)


def test_a_decision_holds_for_the_tenants_of_the_same_conflict_only(world: World, crm: Plugin) -> None:
    third = factories.tenant(world.group, "tenant-c")
    factories.install(third, {"crm": "2.2.0"})
    align(world)
    hold(world, "freeze", tenants="*")
    judge(world)
    assert Conflict.objects.count() == 2
    conflict = Conflict.objects.get(touched__tenant=world.tenant_b)
    set_aside = [{"policy": "freeze", "key": "hold"}]
    conflicts.decide(conflict, set_aside=set_aside, reason="Agreed.", actor=SYSTEM, at=AT)
    assert finding(world.tenant_b).target is not None
    assert finding(third).status == Finding.Status.NEEDS_DECISION


def test_a_conflict_closes_when_its_rules_no_longer_meet(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    factories.install(world.tenant_b, {"crm": "2.4.0"})
    assert judge(world).closed_conflicts == 1
    assert Conflict.objects.get().status == Conflict.Status.CLOSED
    assert Entry.objects.filter(action="conflict.closed").count() == 1
