"""Policies compiled to rules, selections and violating releases, and kept up with what they come from."""

from datetime import timedelta
from typing import Any

import pytest

from config.access import SYSTEM
from governance import catalogue, compilation, drift
from governance.compilation.standing import standings
from governance.models import Plugin, Policy, PolicyVersion, Release, Rule, SelectionTenant, Violation
from governance.rules import RuleError
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World


def rule_of(policy: Policy, key: str, variant: str = "") -> Rule:
    return Rule.objects.get(version=policy.current, key=key, variant=variant)


def chosen(rule: Rule) -> set[str]:
    members = SelectionTenant.objects.filter(selection=rule.selection)
    return set(members.values_list("tenant__key", flat=True))


def broken(rule: Rule) -> set[str]:
    rows = Violation.objects.filter(rule=rule).select_related("release__plugin")
    return {f"{row.release.plugin.name} {row.release.version}" for row in rows}


def crm(**value: Any) -> dict[str, Any]:
    return {"name": "crm", "plugins": ["crm"], **value}


@pytest.fixture
def plugin(world: World) -> Plugin:
    return factories.plugin(world.group, "crm", ["1.0.0", "2.0.0", "3.0.0"])


def test_a_policy_becomes_a_rule_with_its_tenants_and_the_releases_that_break_it(
    world: World, plugin: Plugin
) -> None:
    profile = {"mode": "enforce", "weight": 7, "sla": {"high": 5}}
    policy = factories.policy(
        world.group, "core", [crm(at_least="2.0.0", severity="high")],
        tenants={"keys": ["tenant-a"]}, profile=profile,
    )  # fmt: skip
    rule = rule_of(policy, "crm")
    assert (rule.mode, rule.weight, rule.severity, rule.sla_days) == ("enforce", 7, "high", 5)
    assert rule.plugins == [plugin.pk]
    assert chosen(rule) == {"tenant-a"}
    assert broken(rule) == {"crm 1.0.0"}


@pytest.mark.usefixtures("plugin")
def test_how_the_rules_stand_is_told_by_policy_and_by_what_is_owed(world: World) -> None:
    lowest = factories.policy(world.group, "floor", [crm(at_least="2.0.0"), crm(at_most="3.0.0", name="top")])
    denied = factories.policy(world.group, "denied", [crm(deny="1.0.0")])
    floor, top, deny = rule_of(lowest, "crm"), rule_of(lowest, "top"), rule_of(denied, "crm")
    drift.detect(world.group, at=AT)
    Rule.objects.filter(pk=deny.pk).update(detected=False)
    stand = standings(world.group.pk, AT)
    assert (stand.in_force, stand.owed) == (sorted([floor.pk, top.pk, deny.pk]), [deny.pk])
    assert stand.of_policies([lowest.pk]) == sorted([floor.pk, top.pk])
    assert stand.owed_keys() == {(denied.pk, "crm")}
    assert stand.variants({(lowest.pk, "top"), (denied.pk, "crm")}) == sorted([top.pk, deny.pk])


@pytest.mark.usefixtures("plugin")
def test_what_else_is_to_be_seen_to_is_told_with_how_the_rules_stand(world: World) -> None:
    lowest, begun = factories.policy(world.group, "floor", [crm(at_least="2.0.0")]), AT - timedelta(days=1)
    drift.detect(world.group, at=AT)

    def told() -> tuple[bool, list[int], bool, bool]:
        stand = standings(world.group.pk, AT)
        return stand.has_news, stand.due_tenants, stand.has_chooser, stand.is_contested

    assert told() == (False, [], False, False)
    factories.exemption(world.tenant_a, lowest, until=AT + timedelta(days=1))  # said when it was decided
    assert told() == (False, [], False, False)
    factories.exemption(world.tenant_b, lowest, until=AT, starts_at=begun, decided_at=begun)
    assert told() == (False, [world.tenant_b.pk], False, False)
    factories.exemption(
        world.tenant_a, lowest, until=AT + timedelta(days=1), starts_at=AT, decided_at=begun, rule_key="crm"
    )
    assert set(told()[1]) == {world.tenant_a.pk, world.tenant_b.pk}
    Release.objects.filter(version="1.0.0").update(compiled=False)
    assert told()[0] is True
    factories.policy(world.group, "one", [crm(same=True)])
    assert told()[2:] == (True, False)
    Rule.objects.filter(policy__name="one").update(contested=[1])
    assert told()[2:] == (True, True)
    Policy.objects.filter(name="one").update(status=Policy.Status.RETIRED)
    assert told()[2:] == (False, False)


def test_compiling_twice_is_the_same_as_once(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "core", [crm(at_least="2.0.0")])
    drift.detect(world.group, at=AT)
    before = list(Rule.objects.values().order_by("pk")), set(Violation.objects.values_list("pk", flat=True))
    assert policy.current is not None
    compilation.compile_version(policy.current, at=AT)
    after = list(Rule.objects.values().order_by("pk")), set(Violation.objects.values_list("pk", flat=True))
    assert after == before


def test_variants_take_their_tenants_from_the_rule_the_first_one_before_the_others(
    world: World, plugin: Plugin
) -> None:
    for key in ("tenant-c", "tenant-d"):
        factories.tenant(world.group, key)
    variants = [
        {"name": "old", "tenants": {"keys": ["tenant-b", "tenant-c"]}, "at_most": "1.0.0"},
        {"name": "none", "tenants": {"keys": ["tenant-c", "tenant-d"]}, "absent": True},
    ]
    policy = factories.policy(world.group, "core", [crm(at_least="3.0.0", variants=variants)])
    rules = {variant: rule_of(policy, "crm", variant) for variant in ("", "old", "none")}
    assert {variant: chosen(rule) for variant, rule in rules.items()} == {
        "": {"tenant-a"},
        "old": {"tenant-b", "tenant-c"},
        "none": {"tenant-d"},
    }
    assert broken(rules["old"]) == {"crm 2.0.0", "crm 3.0.0"}
    assert broken(rules["none"]) == {"crm 1.0.0", "crm 2.0.0", "crm 3.0.0"}


def test_a_rule_binds_those_of_the_policys_tenants_that_it_chooses_with_variants_among_them(
    world: World, plugin: Plugin
) -> None:
    factories.tenant(world.group, "tenant-c")
    variants = [{"name": "old", "tenants": {"keys": ["tenant-b", "tenant-c"]}, "at_most": "1.0.0"}]
    bound = {"keys": ["tenant-b", "tenant-c"]}
    rules = [
        crm(at_least="3.0.0", tenants=bound, variants=variants),
        crm(name="other", at_least="1.0.0", tenants=bound),
    ]
    policy = factories.policy(world.group, "core", rules, tenants={"keys": ["tenant-a", "tenant-b"]})
    assert {key: chosen(rule_of(policy, *key)) for key in (("crm", ""), ("crm", "old"), ("other", ""))} == {
        ("crm", ""): set(),
        ("crm", "old"): {"tenant-b"},
        ("other", ""): {"tenant-b"},
    }


def test_a_profiles_switches_deny_for_every_plugin_but_the_host(world: World, plugin: Plugin) -> None:
    host = factories.plugin(world.group, "host", ["1.0.0"], host=True)
    factories.plugin(world.group, "mail", ["5.0.0"])
    Release.objects.filter(plugin=host).update(withdrawn=True)
    Release.objects.filter(version__in=["3.0.0", "5.0.0"]).update(withdrawn=True)
    policy = factories.policy(world.group, "safe", [], profile={"deny": ["vulnerable", "withdrawn"]})
    assert broken(rule_of(policy, "profile-withdrawn")) == {"crm 3.0.0", "mail 5.0.0"}
    assert broken(rule_of(policy, "profile-vulnerable")) == set()


def test_a_security_warning_that_comes_later_is_compiled_in(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "safe", [crm(deny="vulnerable")])
    warning = {"id": "SEC-1", "title": "Bad", "url": "", "affects": ["1.0.0", "2.0.0"]}
    documents = [{"plugin": "crm", "scheme": "semver", "releases": [], "advisories": [warning]}]
    catalogue.load(world.group, documents, actor=SYSTEM, at=AT)
    compilation.recompile(world.group, at=AT)
    assert broken(rule_of(policy, "crm")) == {"crm 1.0.0", "crm 2.0.0"}


def test_a_release_that_only_a_manifest_knows_is_compiled_in(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "core", [crm(at_least="2.0.0")])
    catalogue.resolve_releases(world.group.pk, {("crm", "1.5.0"), ("crm", "2.5.0")})
    compilation.recompile(world.group, at=AT)
    assert broken(rule_of(policy, "crm")) == {"crm 1.0.0", "crm 1.5.0"}


def test_a_tenant_that_is_retired_is_chosen_no_longer(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "core", [crm(at_least="2.0.0")])
    Tenant.objects.filter(pk=world.tenant_b.pk).update(active=False)
    compilation.recompile(world.group, at=AT)
    assert chosen(rule_of(policy, "crm")) == {"tenant-a"}


def test_a_tenant_whose_label_changes_is_chosen_by_it(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "core", [crm(absent=True)], tenants={"labels": {"ring": "pilot"}})
    Tenant.objects.filter(pk=world.tenant_a.pk).update(labels={"ring": "pilot"})
    compilation.recompile(world.group, at=AT, tenants=[world.tenant_a.pk])
    assert chosen(rule_of(policy, "crm")) == {"tenant-a"}


def test_a_rule_says_when_time_alone_will_change_it(world: World, plugin: Plugin) -> None:
    age = factories.policy(world.group, "aged", [crm(min_age="12d")])
    assert rule_of(age, "crm").recompile_at == AT + timedelta(days=2)
    window = factories.policy(
        world.group, "window", [crm(absent=True)],
        effective_from="2026-03-05", effective_until="2026-03-08",
    )  # fmt: skip
    assert rule_of(window, "crm").recompile_at == AT.replace(day=5, hour=0)
    assert rule_of(factories.policy(world.group, "plain", [crm(absent=True)]), "crm").recompile_at is None


def test_time_alone_recompiles_what_is_due(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "aged", [crm(min_age="12d")])
    assert broken(rule_of(policy, "crm")) == {"crm 3.0.0"}
    compilation.recompile(world.group, at=AT + timedelta(days=2))
    assert broken(rule_of(policy, "crm")) == set()
    assert rule_of(policy, "crm").recompile_at is None


def test_a_grace_period_holds_back_the_mode_until_it_is_over(world: World, plugin: Plugin) -> None:
    policy = factories.policy(
        world.group, "core", [crm(at_least="2.0.0")], profile={"mode": "enforce"},
        effective_from="2026-03-01", grace_period="7d",
    )  # fmt: skip
    assert rule_of(policy, "crm").mode == "remind"
    compilation.recompile(world.group, at=AT.replace(day=8, hour=0))
    assert rule_of(policy, "crm").mode == "enforce"


def test_what_an_edited_policy_no_longer_says_is_compiled_away(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "core", [crm(at_least="2.0.0"), {**crm(absent=True), "name": "x"}])
    version = policy.current
    assert version is not None
    version.document = {**version.document, "rules": [crm(at_least="3.0.0")]}
    compilation.compile_version(version, at=AT)
    assert [rule.key for rule in Rule.objects.filter(version=version)] == ["crm"]
    assert broken(rule_of(policy, "crm")) == {"crm 1.0.0", "crm 2.0.0"}


def test_what_breaks_an_older_version_is_not_kept_and_comes_back_with_it(
    world: World, plugin: Plugin
) -> None:
    older = factories.policy(world.group, "core", [crm(at_least="2.0.0")]).current
    policy = factories.policy(world.group, "core", [crm(at_least="3.0.0")])
    assert set(Violation.objects.values_list("rule__version", flat=True)) == {policy.current_id}
    assert older is not None
    policy.current = older
    policy.save()
    compilation.compile_version(PolicyVersion.objects.get(pk=older.pk), at=AT)
    assert broken(rule_of(policy, "crm")) == {"crm 1.0.0"}


def test_a_rule_that_its_plugins_dialect_cannot_read_is_refused_and_nothing_of_it_stays(
    world: World, plugin: Plugin
) -> None:
    with pytest.raises(RuleError, match=r"rules\[0\]\.at_least"):
        factories.policy(world.group, "core", [crm(at_least="two")])
    assert not Rule.objects.exists()


def test_a_plugin_may_be_forbidden_before_anyone_has_it(world: World) -> None:
    rule = {"name": "malware", "plugins": ["malware"], "absent": True}
    policy = factories.policy(world.group, "core", [rule])
    catalogue.resolve_releases(world.group.pk, {("malware", "6.6.6")})
    compilation.recompile(world.group, at=AT)
    assert broken(rule_of(policy, "malware")) == {"malware 6.6.6"}


def test_rules_that_choose_alike_share_a_selection(world: World, plugin: Plugin) -> None:
    policy = factories.policy(world.group, "core", [crm(at_least="2.0.0"), {**crm(absent=True), "name": "x"}])
    assert rule_of(policy, "crm").selection_id == rule_of(policy, "x").selection_id
