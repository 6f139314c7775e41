"""What is decided about the drift of tenants, and what is written down about it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import conflicts, decisions, drift, flags, outcomes
from governance.models import Conflict, Decision, Finding, Manifest, Plugin, Release, TenantDecision
from governance.models.manifest import Inventory
from governance.resolution import Outcome, Situation
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

ENFORCE = {"mode": "enforce", "prefer": "newest"}


def rule(name: str, plugin: str = "crm", **value: Any) -> dict[str, Any]:
    return {"name": name, "plugins": [plugin], **value}


def judge(world: World, **only: Any) -> decisions.EvaluationResult:
    drift.detect(world.group, at=AT)
    return decisions.evaluate(world.group, at=AT, actor=SYSTEM, **only)


def finding(tenant: Tenant, plugin: str = "crm") -> Finding:
    return Finding.objects.open().get(tenant=tenant, plugin__name=plugin)


def requires(plugin: Plugin, version: str, *entries: dict[str, Any]) -> None:
    Release.objects.filter(plugin=plugin, version=version).update(requires=list(entries))


@pytest.fixture
def crm(world: World) -> Plugin:
    """tenant-a is ahead of tenant-b by a minor version."""
    plugin = factories.plugin(world.group, "crm", ["2.2.0", "2.3.0", "2.4.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return plugin


def align(world: World, **more: Any) -> None:
    factories.policy(world.group, "core-align", [rule("core-align", same=True)], profile=ENFORCE, **more)


def hold(world: World, name: str = "hold-tenant-b", plugin: str = "crm", **more: Any) -> None:
    tenants = more.pop("tenants", {"keys": ["tenant-b"]})
    factories.policy(world.group, name, [], kind="hold", plugins=[plugin], tenants=tenants, **more)


def test_a_lagging_tenant_is_to_go_where_the_others_are(world: World, crm: Plugin) -> None:
    align(world)
    result = judge(world)
    found = finding(world.tenant_b)
    assert found.target == factories.release(crm, "2.4.0")
    assert found.reason == "core-align wants crm 2.4.0 everywhere"
    assert found.status == Finding.Status.NEW
    assert (result.changes, result.unsettled) == (1, 0)
    assert not Conflict.objects.exists()


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
    assert [way["says"] for way in conflict.ways_out] == [
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
    assert (found.status, found.target) == (Finding.Status.NEW, None)
    assert found.reason.startswith("Left as it is by a recorded decision")


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


def test_an_exemption_takes_a_rule_away(world: World, crm: Plugin) -> None:
    capped = factories.policy(world.group, "cap", [rule("cap", at_most="2.3.0")])
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")], tenants={"keys": ["tenant-b"]})
    judge(world)
    assert finding(world.tenant_b).status == Finding.Status.NEEDS_DECISION
    factories.exemption(world.tenant_b, capped, until=AT + timedelta(days=9))
    judge(world)
    assert finding(world.tenant_b).target == factories.release(crm, "2.4.0")


def test_an_exempt_finding_gets_no_target(world: World, crm: Plugin) -> None:
    floor = factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    factories.exemption(world.tenant_b, floor, until=AT + timedelta(days=9))
    judge(world)
    found = finding(world.tenant_b)
    assert (found.status, found.target) == (Finding.Status.ACCEPTED, None)


def test_tenants_in_the_same_situation_share_one_decision(world: World, crm: Plugin) -> None:
    third = factories.tenant(world.group, "tenant-c")
    factories.install(third, {"crm": "2.3.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    result = judge(world)
    assert (result.tenants, result.situations) == (2, 1)
    assert Decision.objects.get().tenants.count() == 2


def test_evaluating_one_tenant_leaves_the_others_as_they_are(world: World, crm: Plugin) -> None:
    factories.install(world.tenant_a, {"crm": "2.2.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    judge(world, tenant_ids=[world.tenant_b.pk])
    assert finding(world.tenant_b).target is not None
    assert finding(world.tenant_a).target is None
    assert list(TenantDecision.objects.values_list("tenant", flat=True)) == [world.tenant_b.pk]


def test_one_tenant_at_a_time_comes_out_like_all_at_once(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    drift.detect(world.group, at=AT)
    for tenant in (world.tenant_b, world.tenant_a):
        decisions.evaluate(world.group, at=AT, actor=SYSTEM, tenant_ids=[tenant.pk])
    piecemeal = list(Finding.objects.values_list("tenant", "status", "target", "reason").order_by("pk"))
    before = set(Conflict.objects.values_list("fingerprint", "status"))
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    assert (
        list(Finding.objects.values_list("tenant", "status", "target", "reason").order_by("pk")) == piecemeal
    )
    assert set(Conflict.objects.values_list("fingerprint", "status")) == before


def test_a_dependency_of_the_target_is_raised_with_it(world: World, crm: Plugin) -> None:
    core = factories.plugin(world.group, "core", ["1.0.0", "1.1.0", "1.2.0"])
    requires(crm, "2.4.0", {"plugin": "core", "range": ">=1.1.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0", "core": "1.0.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    judge(world)
    (decision,) = Decision.objects.all()
    assert {change["plugin"]: change["to"] for change in decision.changes} == {
        crm.pk: factories.release(crm, "2.4.0").pk,
        core.pk: factories.release(core, "1.1.0").pk,
    }
    assert "crm 2.4.0 needs core >=1.1.0" in [change["because"] for change in decision.changes]


def test_a_hold_on_a_dependency_is_told_with_the_chain(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "core", ["1.0.0", "1.1.0"])
    requires(crm, "2.4.0", {"plugin": "core", "range": ">=1.1.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0", "core": "1.0.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    hold(world, "keep-core", "core")
    judge(world)
    conflict = Conflict.objects.get()
    assert conflict.explanation["chain"] == ["crm 2.4.0 needs core >=1.1.0, and core is at 1.0.0"]
    assert {rule["policy"] for rule in conflict.explanation["rules"]} == {"floor", "keep-core"}


def test_the_host_range_of_a_release_is_kept(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "host", ["1.0.0", "2.0.0"], host=True)
    Release.objects.filter(plugin=crm, version="2.4.0").update(host_min="2.0.0")
    factories.install(world.tenant_b, {"crm": "2.2.0", "host": "1.0.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.3.0")], profile={"prefer": "newest"})
    judge(world)
    assert finding(world.tenant_b).target == factories.release(crm, "2.3.0")


def test_a_name_that_another_plugin_provides_is_met_by_it(world: World, crm: Plugin) -> None:
    mail = factories.plugin(world.group, "mail", ["1.0.0"])
    Release.objects.filter(plugin=mail).update(provides=["smtp"])
    requires(crm, "2.4.0", {"plugin": "smtp"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    judge(world)
    assert {change["plugin"] for change in Decision.objects.get().changes} == {crm.pk, mail.pk}


def test_an_incomplete_manifest_is_not_told_to_add_what_it_may_have(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "core", ["1.0.0"])
    requires(crm, "2.4.0", {"plugin": "core", "range": ">=1.0.0"})
    inventory = Inventory.objects.create(digest="0" * 64, plugins={}, size=0)
    Manifest.objects.create(
        group=world.group,
        tenant=world.tenant_b,
        inventory=inventory,
        observed_at=AT,
        received_at=AT,
        source="test",
        complete=False,
    )
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    judge(world)
    assert [change["plugin"] for change in Decision.objects.get().changes] == [crm.pk]


def test_a_withdrawn_release_is_no_target_and_an_exactly_named_one_is(world: World, crm: Plugin) -> None:
    Release.objects.filter(plugin=crm, version="2.4.0").update(withdrawn=True)
    factories.install(world.tenant_b, {"crm": "2.2.0"})
    factories.policy(world.group, "floor", [rule("floor", at_least="2.3.0")], profile={"prefer": "newest"})
    judge(world)
    assert finding(world.tenant_b).target == factories.release(crm, "2.3.0")
    factories.policy(world.group, "floor", [rule("floor", exactly="2.4.0")])
    judge(world)
    assert finding(world.tenant_b).target == factories.release(crm, "2.4.0")


def test_findings_that_are_being_worked_on_keep_their_status(world: World, crm: Plugin) -> None:
    factories.policy(world.group, "floor", [rule("floor", at_least="2.4.0")])
    judge(world)
    Finding.objects.update(status=Finding.Status.IN_PROGRESS)
    hold(world)
    judge(world)
    assert finding(world.tenant_b).status == Finding.Status.IN_PROGRESS


def test_evaluating_again_changes_nothing(world: World, crm: Plugin) -> None:
    align(world)
    hold(world)
    judge(world)
    before = list(Finding.objects.values()), list(Conflict.objects.values()), Entry.objects.count()
    judge(world)
    assert (list(Finding.objects.values()), list(Conflict.objects.values()), Entry.objects.count()) == before


def test_nothing_is_evaluated_while_governance_is_off(world: World, crm: Plugin) -> None:
    world.group.governance_enabled = False
    with pytest.raises(flags.FlagOff, match="plugin-version-governance"):
        decisions.evaluate(world.group, at=AT, actor=SYSTEM)


def test_a_situation_that_was_met_lately_is_not_decided_again(
    world: World, crm: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    align(world)
    judge(world)

    def unwanted(parts: Sequence[Situation], *, processes: int) -> list[Outcome]:
        assert not parts, "decided again"
        return []

    monkeypatch.setattr(outcomes, "decide_all", unwanted)
    assert judge(world).changes == 1
