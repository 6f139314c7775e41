"""What is decided about the drift of tenants, and what is written down about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import LazySettings

from audit.models import Entry
from config.access import SYSTEM
from governance import answers, clashes, deciders, decisions, drift, flags
from governance.deciders import Deciders
from governance.messages.conflicts import in_chinese
from governance.models import Conflict, Decision, Finding, Manifest, Plugin, Release, TenantDecision
from governance.models.manifest import Inventory
from governance.resolution import Outcome, Situation
from tests import factories
from tests.factories import AT, World
from tests.governance.aligning import ahead_and_behind, align, finding, hold, judge, requires, rule


@pytest.fixture
def crm(world: World) -> Plugin:
    return ahead_and_behind(world)


def test_a_lagging_tenant_is_to_go_where_the_others_are(world: World, crm: Plugin) -> None:
    align(world)
    result = judge(world)
    found = finding(world.tenant_b)
    assert found.target == factories.release(crm, "2.4.0")
    assert found.reason == "core-align wants crm 2.4.0 everywhere"
    assert found.status == Finding.Status.NEW
    assert (result.changes, result.unsettled) == (1, 0)
    assert not Conflict.objects.exists()


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
    told = in_chinese(clashes.of(world.group.pk, [conflict])[conflict.pk])
    assert "crm 2.4.0 需要 core >=1.1.0，而 core 当前为 1.0.0" in told
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

    def unwanted(_: Situation) -> Outcome:
        raise AssertionError("decided again")

    monkeypatch.setattr(deciders, "decide_whole", unwanted)
    assert judge(world).changes == 1


def test_evaluation_asks_as_many_processes_as_the_environment_allows(
    world: World, crm: Plugin, monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    asked = list[int]()

    def noted(processes: int) -> Deciders:
        asked.append(processes)
        return Deciders(1)

    monkeypatch.setattr(answers, "Deciders", noted)
    settings.DECIDERS = 7
    align(world)
    judge(world)
    assert set(asked) == {7}
