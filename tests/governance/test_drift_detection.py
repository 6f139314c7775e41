"""Drift found, kept and ended."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import catalogue, drift
from governance.compilation import renewal
from governance.drift import DriftResult
from governance.models import Finding, Inventory, Manifest, Plugin, Policy, Rule
from tenants.models import Group, Tenant
from tests import factories
from tests.factories import AT, World

LATER = AT + timedelta(days=1)
Status = Finding.Status


def crm(**value: Any) -> dict[str, Any]:
    return {"name": "crm", "plugins": ["crm"], **value}


def found(group: Group) -> set[tuple[str, str, str]]:
    """The open findings as tenant, rule and what is installed."""
    rows = Finding.objects.filter(group=group).open().select_related("tenant", "plugin", "release")
    return {
        (
            row.tenant.key,
            row.rule_key,
            f"{row.plugin.name} {row.release.version}" if row.release else f"no {row.plugin.name}",
        )
        for row in rows
    }


def only(group: Group) -> Finding:
    return Finding.objects.get(group=group)


@pytest.fixture
def plugin(world: World) -> Plugin:
    """crm, at 1.0.0 in tenant-a and at 3.0.0 in tenant-b."""
    made = factories.plugin(world.group, "crm", ["1.0.0", "2.0.0", "3.0.0"])
    factories.install(world.tenant_a, {"crm": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "3.0.0"})
    return made


@pytest.fixture
def policy(world: World, plugin: Plugin) -> Policy:
    """At least 2.0.0, which tenant-a breaks."""
    rule = crm(at_least="2.0.0", severity="high")
    return factories.policy(world.group, "core", [rule], profile={"sla": {"high": 5}})


def test_an_installation_that_breaks_a_rule_is_found_with_its_due_date(world: World, policy: Policy) -> None:
    result = drift.detect(world.group, at=AT)
    assert (result.opened, result.tenant_ids) == (1, frozenset({world.tenant_a.pk}))
    finding = only(world.group)
    assert (finding.tenant, finding.policy, finding.rule_key) == (world.tenant_a, policy, "crm")
    assert (finding.status, finding.severity) == (Status.NEW, "high")
    assert finding.due_at == AT + timedelta(days=5)
    assert finding.opened_snapshot == world.group.open_snapshot
    assert finding.rule == Rule.objects.get(key="crm")


def test_looking_again_changes_nothing_and_records_nothing(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    entries = Entry.objects.count()
    assert drift.detect(world.group, at=LATER) == DriftResult(kept=1)
    assert Entry.objects.count() == entries


def test_what_changed_is_recorded_with_its_counts(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    entry = Entry.objects.get(action="findings.changed")
    assert (entry.data["opened"], entry.data["closed"], entry.tenant_id) == (1, 0, world.tenant_a.pk)


def test_a_finding_ends_when_its_cause_does(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    Group.objects.filter(pk=world.group.pk).update(open_snapshot=4)
    factories.install(world.tenant_a, {"crm": "2.0.0"})
    result = drift.detect(world.group, at=LATER, tenant_ids=[world.tenant_a.pk])
    assert (result.closed, result.tenant_ids) == (1, frozenset({world.tenant_a.pk}))
    finding = only(world.group)
    assert (finding.status, finding.closed_at, finding.closed_snapshot) == (Status.RESOLVED, LATER, 4)


def test_drift_that_comes_back_is_a_new_finding(world: World, policy: Policy) -> None:
    for version in ("1.0.0", "2.0.0", "1.0.0"):
        factories.install(world.tenant_a, {"crm": version})
        drift.detect(world.group, at=AT, tenant_ids=[world.tenant_a.pk])
    assert Finding.objects.count() == 2
    assert len(found(world.group)) == 1


@pytest.mark.parametrize(
    "status",
    [Status.PLANNED, Status.IN_PROGRESS, Status.VERIFYING, Status.VERIFY_FAILED, Status.NEEDS_DECISION],
)
def test_a_finding_stays_itself_while_its_cause_stays(world: World, policy: Policy, status: Status) -> None:
    factories.policy(world.group, "core", [crm(at_least="3.0.0")])
    drift.detect(world.group, at=AT)
    Finding.objects.update(status=status)
    before = only(world.group)
    factories.install(world.tenant_a, {"crm": "2.0.0"})
    factories.policy(world.group, "core", [crm(at_least="2.5.0", severity="low")])
    result = drift.detect(world.group, at=LATER)
    after = only(world.group)
    assert (result.kept, result.moved) == (1, 1)
    assert result.tenant_ids == {world.tenant_a.pk}
    assert (after.pk, after.status, after.due_at) == (before.pk, status, before.due_at)
    assert (after.severity, after.rule_id != before.rule_id) == ("low", True)
    assert after.release == factories.release(after.plugin, "2.0.0")


def test_a_finding_that_comes_under_an_exemption_and_loses_it_is_said_to_have_changed(
    world: World, policy: Policy
) -> None:
    drift.detect(world.group, at=AT)
    factories.exemption(world.tenant_a, policy, until=LATER)
    for at, counts in ((AT, (1, 0)), (LATER, (0, 1))):
        result = drift.detect(world.group, at=at)
        assert (result.accepted, result.reopened) == counts
        assert result.tenant_ids == {world.tenant_a.pk}
    assert only(world.group).due_at == LATER + timedelta(days=5)


def test_a_changed_policy_is_looked_at_once(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    factories.policy(world.group, "core", [crm(at_least="2.5.0")])
    result = drift.detect(world.group, at=LATER, policy_ids=[policy.pk])
    assert (result.opened, result.kept, result.rules_changed) == (0, 1, True)
    assert not Rule.objects.filter(detected=False).exists()


def test_a_plugin_that_is_gone_breaks_nothing(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    factories.install(world.tenant_a, {})
    assert drift.detect(world.group, at=LATER).closed == 1


def test_a_missing_plugin_that_must_be_there_is_found(world: World, plugin: Plugin) -> None:
    factories.plugin(world.group, "sso", ["1.0.0"])
    factories.policy(world.group, "core", [{"name": "sso", "plugins": ["sso"], "present": True}])
    factories.install(world.tenant_b, {"crm": "3.0.0", "sso": "1.0.0"})
    drift.detect(world.group, at=AT)
    assert found(world.group) == {("tenant-a", "sso", "no sso")}
    factories.install(world.tenant_a, {"crm": "1.0.0", "sso": "1.0.0"})
    drift.detect(world.group, at=AT, tenant_ids=[world.tenant_a.pk])
    assert found(world.group) == set()


def test_of_a_tenant_that_never_said_what_it_runs_nothing_is_missing(world: World, plugin: Plugin) -> None:
    factories.tenant(world.group, "tenant-c")
    factories.plugin(world.group, "sso", ["1.0.0"])
    factories.policy(world.group, "core", [{"name": "sso", "plugins": ["sso"], "present": True}])
    drift.detect(world.group, at=AT)
    assert {tenant for tenant, _, _ in found(world.group)} == {"tenant-a", "tenant-b"}


def test_of_a_tenant_whose_manifest_is_not_whole_nothing_is_missing(world: World, plugin: Plugin) -> None:
    inventory = Inventory.objects.create(digest="0" * 64, plugins={}, size=0)
    for tenant, complete in ((world.tenant_a, False), (world.tenant_b, True)):
        Manifest.objects.create(
            group=world.group, tenant=tenant, inventory=inventory, observed_at=AT, received_at=AT,
            source="test", complete=complete,
        )  # fmt: skip
    factories.plugin(world.group, "sso", ["1.0.0"])
    factories.policy(world.group, "core", [{"name": "sso", "plugins": ["sso"], "present": True}])
    drift.detect(world.group, at=AT)
    assert found(world.group) == {("tenant-b", "sso", "no sso")}


def test_a_forbidden_plugin_is_found_where_it_is(world: World, plugin: Plugin) -> None:
    factories.policy(world.group, "core", [crm(absent=True)], tenants={"keys": ["tenant-b"]})
    drift.detect(world.group, at=AT)
    assert found(world.group) == {("tenant-b", "crm", "crm 3.0.0")}


def test_a_hold_is_broken_by_nothing(world: World, plugin: Plugin) -> None:
    factories.policy(world.group, "freeze", [], kind="hold", plugins=["crm"], until="2026-12-31")
    drift.detect(world.group, at=AT)
    assert found(world.group) == set()


def test_variants_bind_their_own_tenants(world: World, plugin: Plugin) -> None:
    variants = [{"name": "old", "tenants": {"keys": ["tenant-a"]}, "at_most": "1.0.0"}]
    factories.policy(world.group, "core", [crm(at_most="2.0.0", variants=variants)])
    drift.detect(world.group, at=AT)
    assert found(world.group) == {("tenant-b", "crm", "crm 3.0.0")}


def test_a_variant_that_changes_leaves_the_findings_of_the_others_alone(world: World, plugin: Plugin) -> None:
    variants = [{"name": "old", "tenants": {"keys": ["tenant-a"]}, "min_age": "50d"}]
    factories.policy(world.group, "core", [crm(at_most="2.0.0", variants=variants)])
    drift.detect(world.group, at=AT)
    assert len(found(world.group)) == 2
    at = AT + timedelta(days=20)  # crm 1.0.0 is of age now
    result = drift.detect(world.group, at=at, tenant_ids=[world.tenant_b.pk])
    assert (result.closed, found(world.group)) == (1, {("tenant-b", "crm", "crm 3.0.0")})


def test_a_paused_policy_still_finds_drift_and_a_retired_one_does_not(world: World, policy: Policy) -> None:
    Policy.objects.update(status=Policy.Status.PAUSED)
    assert drift.detect(world.group, at=AT).opened == 1
    Policy.objects.update(status=Policy.Status.RETIRED)
    assert drift.detect(world.group, at=AT, policy_ids=[policy.pk]).closed == 1


def test_a_policy_binds_within_its_window(world: World, plugin: Plugin) -> None:
    window: dict[str, Any] = {"effective_from": "2026-03-05", "effective_until": "2026-03-08"}
    factories.policy(world.group, "core", [crm(absent=True)], **window)
    tenant = [world.tenant_a.pk]
    for day, count in ((2, 0), (5, 2), (8, 2), (9, 0)):
        at = datetime(2026, 3, day, tzinfo=AT.tzinfo)
        drift.detect(world.group, at=at, tenant_ids=tenant)
        assert len(found(world.group)) == count, day


def test_a_rule_removed_from_a_policy_ends_its_findings(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    factories.policy(world.group, "core", [{**crm(at_least="2.0.0"), "name": "other"}])
    result = drift.detect(world.group, at=LATER, policy_ids=[policy.pk])
    assert (result.opened, result.closed) == (1, 1)
    assert found(world.group) == {("tenant-a", "other", "crm 1.0.0")}


@pytest.mark.parametrize("few", [200, 0], ids=["few tenants have it", "many tenants have it"])
def test_a_withdrawn_release_is_found_in_all_tenants_by_the_detection_of_one(
    world: World, plugin: Plugin, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(renewal, "_FEW", few)
    factories.policy(world.group, "safe", [], profile={"deny": ["withdrawn"]})
    drift.detect(world.group, at=AT)
    catalogue.withdraw(factories.release(plugin, "3.0.0"), actor=SYSTEM, at=AT)
    drift.detect(world.group, at=AT, tenant_ids=[world.tenant_a.pk])
    assert found(world.group) == {("tenant-b", "profile-withdrawn", "crm 3.0.0")}


def test_who_is_to_be_decided_about_anew_is_said(world: World, policy: Policy) -> None:
    both = {world.tenant_a.pk, world.tenant_b.pk}
    assert drift.detect(world.group, at=AT).concerns([]) is None  # the policy is new
    assert drift.detect(world.group, at=AT).concerns([world.tenant_b.pk]) == {world.tenant_b.pk}
    factories.install(world.tenant_a, {})
    found = drift.detect(world.group, at=AT, tenant_ids=[world.tenant_a.pk])
    assert found.concerns([world.tenant_b.pk]) == both


def test_a_new_tenant_is_judged_with_its_first_manifest(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    new = factories.tenant(world.group, "tenant-c")
    factories.install(new, {"crm": "1.0.0"})
    assert drift.detect(world.group, at=AT, tenant_ids=[new.pk]).opened == 1


def test_a_tenant_that_takes_no_part_any_more_has_no_drift(world: World, policy: Policy) -> None:
    drift.detect(world.group, at=AT)
    Tenant.objects.filter(pk=world.tenant_a.pk).update(active=False)
    assert drift.detect(world.group, at=AT).closed == 1


def test_nothing_reaches_across_groups(world: World, policy: Policy) -> None:
    elsewhere = Group.objects.get(slug="elsewhere")
    factories.plugin(elsewhere, "crm", ["1.0.0"])
    factories.install(Tenant.objects.get(group=elsewhere), {"crm": "1.0.0"})
    drift.detect(world.group, at=AT)
    drift.detect(elsewhere, at=AT)
    assert not Finding.objects.filter(group=elsewhere).exists()
