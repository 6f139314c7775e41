"""Tenants kept on one version that nobody named: the one that the most of them can reach."""

from datetime import timedelta
from typing import Any

import pytest

from config.access import SYSTEM
from governance import catalogue, drift
from governance.models import Finding, Plugin, Policy, Rule
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
