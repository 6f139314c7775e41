"""Tenants kept on one version that nobody named: the one that the most of them can reach."""

from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from audit.models import Entry
from config.access import SYSTEM
from governance import catalogue, decisions, drift, policies, sameness, simulation
from governance.models import Conflict, Finding, Plugin, Policy, Release, Rule
from governance.simulation import Supposition
from tenants.models import Group, Tenant
from tests import factories
from tests.factories import AT, World

LATER = AT + timedelta(days=1)


def crm(**value: Any) -> dict[str, Any]:
    return {"name": "crm", "plugins": ["crm"], **value}


def found(group: Group) -> set[tuple[str, str]]:
    """The tenants that are off the target, with what they run."""
    rows = Finding.objects.filter(group=group, policy__name="align").open()
    return set(rows.values_list("tenant__key", "release__version"))


@pytest.fixture(autouse=True)
def _aligned(world: World) -> None:
    """crm shall be the same everywhere; it is at 1.0.0 in tenant-a and at 3.0.0 in tenant-b."""
    factories.plugin(world.group, "crm", ["1.0.0", "2.0.0", "3.0.0"])
    factories.install(world.tenant_a, {"crm": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "3.0.0"})
    factories.policy(world.group, "align", [crm(same=True)])


def test_the_newest_is_wanted_where_nothing_else_binds(world: World) -> None:
    drift.detect(world.group, at=AT)
    assert found(world.group) == {("tenant-a", "1.0.0")}


def test_a_new_release_moves_the_target(world: World) -> None:
    drift.detect(world.group, at=AT)
    release = {"version": "4.0.0", "released_at": "2026-03-01"}
    documents = [{"plugin": "crm", "scheme": "semver", "releases": [release]}]
    catalogue.load(world.group, documents, actor=SYSTEM, at=AT)
    drift.detect(world.group, at=AT, tenant_ids=[world.tenant_a.pk])
    assert found(world.group) == {("tenant-a", "1.0.0"), ("tenant-b", "3.0.0")}


def test_another_policy_moves_the_target_and_its_end_moves_it_back(world: World) -> None:
    drift.detect(world.group, at=AT)
    limit = factories.policy(world.group, "limit", [crm(at_most="2.0.0")], tenants="*")
    drift.detect(world.group, at=AT, policy_ids=[limit.pk])
    assert found(world.group) == {("tenant-a", "1.0.0"), ("tenant-b", "3.0.0")}
    Policy.objects.filter(pk=limit.pk).update(status=Policy.Status.RETIRED)
    drift.detect(world.group, at=AT, policy_ids=[limit.pk])
    assert found(world.group) == {("tenant-a", "1.0.0")}


def test_a_tenants_manifest_moves_the_target_for_all(world: World) -> None:
    for key in ("tenant-c", "tenant-d"):
        factories.install(factories.tenant(world.group, key), {"crm": "1.0.0"})
    freeze = {"keys": ["tenant-b", "tenant-c", "tenant-d"]}
    factories.policy(
        world.group, "freeze", [], tenants=freeze, kind="hold", plugins=["crm"], until="2026-12-31"
    )
    drift.detect(world.group, at=AT)
    assert {tenant for tenant, _ in found(world.group)} == {"tenant-b"}
    moved = Tenant.objects.get(group=world.group, key="tenant-c")
    factories.install(moved, {})
    drift.detect(world.group, at=AT, tenant_ids=[moved.pk])
    assert {tenant for tenant, _ in found(world.group)} == {"tenant-a", "tenant-d"}


def test_who_is_exempt_does_not_count(world: World) -> None:
    freeze = {"keys": ["tenant-b"]}
    factories.policy(
        world.group, "freeze", [], tenants=freeze, kind="hold", plugins=["crm"], until="2026-12-31"
    )
    factories.policy(world.group, "limit", [crm(at_most="2.0.0")], tenants={"keys": ["tenant-a"]})
    align = Policy.objects.get(name="align")
    factories.exemption(world.tenant_b, align, until=LATER)
    drift.detect(world.group, at=AT)
    rule = Rule.objects.get(policy=align)
    (target,) = rule.targets.values()
    assert target == factories.release(Plugin.objects.get(name="crm"), "2.0.0").pk


def needs_platform(version: str, platform: str) -> dict[str, Any]:
    """A release of crm that asks for another plugin."""
    requires = [{"plugin": "platform", "range": platform}]
    return {"version": version, "released_at": "2026-02-01", "requires": requires}


@pytest.fixture
def tied(world: World) -> World:
    """crm 4 needs a platform 2, which three of five tenants are not to have."""
    factories.plugin(world.group, "platform", ["1.0.0", "2.0.0"])
    releases = [needs_platform("4.0.0", ">=2.0.0")]
    documents = [{"plugin": "crm", "scheme": "semver", "releases": releases}]
    catalogue.load(world.group, documents, actor=SYSTEM, at=AT)
    kept = ["tenant-a", "tenant-c", "tenant-d"]
    for key in ("tenant-c", "tenant-d", "tenant-e"):
        factories.tenant(world.group, key)
    for tenant in Tenant.objects.filter(group=world.group):
        factories.install(tenant, {"crm": "1.0.0", "platform": "1.0.0"})
    rule = {"name": "platform", "plugins": ["platform"], "at_most": "1.0.0"}
    factories.policy(world.group, "keep", [rule], tenants={"keys": kept})
    return world


def judged(world: World, tenants: list[int] | None = None) -> str:
    """Detect and evaluate; the version that all shall have."""
    drift.detect(world.group, at=AT, tenant_ids=tenants)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM, tenant_ids=tenants)
    rule = Rule.objects.get(policy__name="align", key="crm")
    return Release.objects.get(pk=rule.targets[str(rule.plugins[0])]).version


def test_what_dependencies_keep_most_tenants_from_is_not_wanted_of_them(tied: World) -> None:
    assert judged(tied) == "3.0.0"
    assert {version for _, version in found(tied.group)} == {"1.0.0"}
    assert not Conflict.objects.filter(group=tied.group).standing().exists()


def test_looking_again_changes_nothing(tied: World) -> None:
    judged(tied)
    assert judged(tied) == "3.0.0"
    result = drift.detect(tied.group, at=AT)
    assert not result.changed


def test_the_tenants_that_cannot_reach_it_are_conflicts_once_most_can(tied: World) -> None:
    judged(tied)
    came = [tied.tenant_b, *(factories.tenant(tied.group, key) for key in ("tenant-f", "tenant-g"))]
    targets = []
    for tenant in came:
        factories.install(tenant, {"crm": "4.0.0", "platform": "2.0.0"})
        targets.append(judged(tied))
    assert targets == ["3.0.0", "3.0.0", "4.0.0"]
    (conflict,) = Conflict.objects.filter(group=tied.group).standing()
    assert {one.tenant.key for one in conflict.touched.all()} == {"tenant-a", "tenant-c", "tenant-d"}
    assert "keep" in str(conflict)


def test_one_tenants_change_leaves_the_choice_to_the_next_evaluation_of_all(tied: World) -> None:
    judged(tied)
    came = [tied.tenant_b, *(factories.tenant(tied.group, key) for key in ("tenant-f", "tenant-g"))]
    for tenant in came:
        factories.install(tenant, {"crm": "4.0.0", "platform": "2.0.0"})
        assert judged(tied, [tenant.pk]) == "3.0.0"
    assert judged(tied) == "4.0.0"


def test_releases_that_rules_deny_never_crowd_out_the_one_that_is_reached(world: World) -> None:
    denied = [{"version": f"3.{n}.0", "released_at": "2026-02-01"} for n in range(1, sameness.TRIED + 3)]
    documents = [{"plugin": "crm", "scheme": "semver", "releases": denied}]
    catalogue.load(world.group, documents, actor=SYSTEM, at=AT)
    third = factories.tenant(world.group, "tenant-c")
    for tenant, version in ((world.tenant_a, "2.0.0"), (world.tenant_b, "1.0.0"), (third, "1.0.0")):
        factories.install(tenant, {"crm": version})
    factories.policy(world.group, "limit", [crm(range="<3")], tenants="*")
    freeze = {"keys": ["tenant-b"]}
    factories.policy(
        world.group, "freeze", [], tenants=freeze, kind="hold", plugins=["crm"], until="2026-12-31"
    )
    assert judged(world) == "2.0.0"
    (conflict,) = Conflict.objects.filter(group=world.group).standing()
    assert [one.tenant.key for one in conflict.touched.all()] == ["tenant-b"]
    assert not Entry.objects.filter(action="target.moved").exists()


def test_that_the_target_moved_is_in_the_ledger_once_with_what_it_was_and_who_reaches_it(
    tied: World,
) -> None:
    judged(tied)
    judged(tied)
    (entry,) = Entry.objects.filter(action="target.moved")
    assert (entry.subject_kind, entry.subject_label) == ("policy", "align")
    wanted = {"rule": "crm", "plugin": "crm", "from": "4.0.0", "to": "3.0.0", "reach": 5, "untried": 0}
    assert entry.data == wanted


def test_that_candidates_were_left_untried_is_said(tied: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sameness, "TRIED", 1)
    with capture_logs() as lines:
        assert judged(tied) == "4.0.0"
    (line,) = (line for line in lines if line["event"] == "target.bound_hit")
    assert (line["policy"], line["rule"], line["tried"], line["untried"]) == ("align", "crm", 1, 3)


def test_a_change_of_the_rules_begins_the_choice_anew(tied: World) -> None:
    judged(tied)
    policies.retire(Policy.objects.get(group=tied.group, name="keep"), actor=SYSTEM, at=AT)
    assert judged(tied) == "4.0.0"


def test_a_simulation_foretells_the_same_choice(tied: World) -> None:
    judged(tied)
    what = Supposition(retired=["keep"])
    kept = simulation.simulate_what(tied.group, what, at=AT, actor=SYSTEM)
    wanted = {(one["plugin"], one["to"]) for one in kept.outcome["advised"]}
    assert ("crm", "4.0.0") in wanted
    assert Entry.objects.filter(action="target.moved").count() == 1
    assert judged(tied) == "3.0.0"
