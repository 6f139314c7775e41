"""A snapshot restored as the wanted state."""

from __future__ import annotations

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import policies, profiles, restoring
from governance.models import Conflict, Exemption, Finding, Policy, Snapshot
from governance.models.snapshot import Trigger
from governance.snapshots import seal
from tests import factories
from tests.factories import AT, World


def align(world: World) -> Policy:
    """Wants crm 2.4.0 everywhere, and has brought tenant-b there from 2.3.0 since snapshot 1."""
    factories.plugin(world.group, "crm", ["2.2.0", "2.3.0", "2.4.0"])
    factories.plugin(world.group, "mail", ["1.0.0", "1.1.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    factories.install(world.tenant_a, {"crm": "2.4.0", "mail": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0", "mail": "1.0.0"})
    document = {
        "name": "align",
        "profile": "steady",
        "tenants": "*",
        "rules": [{"name": "crm", "plugins": ["crm"], "same": True, "at": "2.4.0"}],
    }
    policy = policies.apply(world.group, document, actor=SYSTEM, at=AT).policy
    seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    for tenant in (world.tenant_a, world.tenant_b):
        tenant.group.refresh_from_db()
    factories.install(world.tenant_b, {"crm": "2.4.0", "mail": "1.1.0"})
    return policy


def test_it_wants_back_what_the_policy_is_about_and_nothing_else(world: World) -> None:
    restoration = restoring.prepare(align(world), 1)
    assert restoration.tenants == ("tenant-b",)
    (rule,) = restoration.document["rules"]
    assert (rule["plugins"], rule["exactly"]) == (["crm"], "2.3.0")


def test_tenants_that_had_other_versions_get_variants(world: World) -> None:
    policy = align(world)
    factories.install(world.tenant_a, {"crm": "2.2.0"})
    (rule,) = restoring.prepare(policy, 1).document["rules"]
    wanted = {rule["exactly"], *(variant["exactly"] for variant in rule["variants"])}
    assert wanted == {"2.3.0", "2.4.0"}


def test_a_plugin_that_came_since_is_to_go_and_one_that_went_is_named(world: World) -> None:
    policy = align(world)
    late = factories.tenant(world.group, "tenant-c")
    factories.install(late, {"crm": "2.4.0"})
    factories.install(world.tenant_a, {"mail": "1.0.0"})
    policies.settle(world.group, actor=SYSTEM, at=AT)
    restoration = restoring.prepare(policy, 1)
    (rule,) = restoration.document["rules"]
    (variant,) = rule["variants"]
    assert (rule["exactly"], variant["absent"]) == ("2.3.0", True)
    assert variant["tenants"] == {"keys": ["tenant-c"]}
    assert restoration.left_out == ("crm in tenant-a",)


def test_only_the_tenants_that_are_named_are_brought_back(world: World) -> None:
    policy = align(world)
    assert restoring.prepare(policy, 1, ["tenant-b"]).tenants == ("tenant-b",)
    with pytest.raises(restoring.NothingToRestore):
        restoring.prepare(policy, 1, ["tenant-a"])
    with pytest.raises(Snapshot.DoesNotExist):
        restoring.prepare(policy, 99)


def test_the_old_policy_and_the_baseline_do_not_fight(world: World) -> None:
    policy = align(world)
    restoration = restoring.prepare(policy, 1)
    baseline = restoring.apply(restoration, actor=SYSTEM, at=AT)
    policy.refresh_from_db()
    assert policy.status == "paused"
    assert Exemption.objects.get().tenant == world.tenant_b
    assert not Conflict.objects.exists()
    finding = Finding.objects.outstanding().get()
    assert finding.target is not None
    assert (finding.policy, finding.target.version) == (baseline, "2.3.0")
    assert Entry.objects.filter(action="snapshot.restored").count() == 1


def test_once_it_is_as_it_was_there_is_nothing_to_restore(world: World) -> None:
    policy = align(world)
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    with pytest.raises(restoring.NothingToRestore):
        restoring.prepare(policy, 1)
