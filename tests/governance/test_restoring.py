"""What takes tenants back to a snapshot."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import manifests, policies, profiles, restoring
from governance.manifests import ManifestDocument
from governance.models import Policy, Release, Snapshot
from governance.models.snapshot import Trigger
from governance.restoring import Restoration, Scope
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


def back(world: World, number: int = 1, *tenants: str, policy: Policy | None = None) -> Restoration:
    snapshot = Snapshot.objects.get(group=world.group, number=number)
    return restoring.prepare(snapshot, Scope(frozenset(tenants), policy), at=AT)


def test_it_wants_back_what_the_policy_is_about_and_nothing_else(world: World) -> None:
    restoration = back(world, policy=align(world))
    assert restoration.tenants == ["tenant-b"]
    (rule,) = restoration.rules
    assert (rule["plugins"], rule["exactly"]) == (["crm"], "2.3.0")


def test_without_a_policy_it_wants_back_all_that_differs(world: World) -> None:
    align(world)
    assert [rule["plugins"] for rule in back(world).rules] == [["crm"], ["mail"]]


def test_tenants_that_had_other_versions_get_variants(world: World) -> None:
    policy = align(world)
    factories.install(world.tenant_a, {"crm": "2.2.0"})
    (rule,) = back(world, policy=policy).rules
    wanted = {rule["exactly"], *(variant["exactly"] for variant in rule["variants"])}
    assert wanted == {"2.3.0", "2.4.0"}


def test_a_plugin_that_came_since_is_to_go_and_one_that_went_is_to_come_back(world: World) -> None:
    policy = align(world)
    seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    for tenant in (world.tenant_a, world.tenant_b):
        tenant.group.refresh_from_db()
    factories.install(world.tenant_a, {"mail": "1.0.0"})
    went = back(world, 2, policy=policy)
    assert went.wanted == {("tenant-a", "crm"): "2.4.0"}
    assert [next(iter(rule.keys() & {"exactly", "present"})) for rule in went.rules] == ["exactly", "present"]
    factories.plugin(world.group, "late", ["1.0.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0", "mail": "1.0.0", "late": "1.0.0"})
    (rule,) = back(world, 2).rules
    assert (rule["plugins"], rule["absent"]) == (["late"], True)


@pytest.mark.parametrize(("host", "complete", "left"), [("10.0.0", False, ["mail"]), ("", True, ["host"])])
def test_what_nobody_named_then_may_have_been_there_and_is_not_removed(
    world: World, host: str, complete: bool, left: list[str]
) -> None:
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0"])
    factories.plugin(world.group, "mail", ["1.0.0"])
    then = {"crm": "2.3.0"} if not complete else {"crm": "2.3.0", "mail": "1.0.0"}
    for at, version, plugins, whole in (
        (AT, host, then, complete),
        (AT + timedelta(hours=1), "10.0.0", {"crm": "2.3.0", "mail": "1.0.0"}, True),
    ):
        document = ManifestDocument("tenant-b", version, plugins, observed_at=at, complete=whole)
        assert not manifests.ingest(world.group, [document], actor=SYSTEM, at=at).refused
        seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=at)
        world.group.refresh_from_db()
    with pytest.raises(restoring.NothingToRestore, match="doesn’t say whether it was there") as nothing:
        back(world)
    assert [one["plugin"] for one in nothing.value.left_out] == left


def test_a_tenant_that_came_later_is_left_as_it_is_and_named(world: World) -> None:
    policy = align(world)
    late = factories.tenant(world.group, "tenant-c")
    factories.install(late, {"crm": "2.4.0"})
    policies.settle(world.group, actor=SYSTEM, at=AT)
    restoration = back(world, policy=policy)
    assert restoration.tenants == ["tenant-b"]
    (left,) = restoration.left_out
    assert (left["tenant"], "wasn’t in snapshot 1" in left["reason"]) == ("tenant-c", True)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"withdrawn": True}, "2.3.0 was withdrawn"), ({"catalogued": False}, "2.3.0 isn’t in the catalogue")],
)
def test_releases_that_nobody_should_run_are_left_out_with_the_reason(
    world: World, change: dict[str, bool], reason: str
) -> None:
    align(world)
    Release.objects.filter(plugin__name="crm", version="2.3.0").update(**change)
    restoration = back(world)
    assert restoration.left_out == [{"tenant": "tenant-b", "plugin": "crm", "reason": reason}]
    assert restoration.wanted == {("tenant-b", "mail"): "1.0.0"}
    with pytest.raises(restoring.NothingToRestore, match=reason):
        back(world, policy=Policy.objects.get())


def test_what_a_hold_keeps_stays_and_the_hold_is_named(world: World) -> None:
    align(world)
    factories.policy(world.group, "stay", [], kind="hold", tenants={"keys": ["tenant-b"]}, plugins=["crm"])
    restoration = back(world)
    assert ("tenant-b", "crm") not in restoration.wanted
    assert [one["reason"] for one in restoration.left_out] == ["stay keeps crm as it is; end the hold first"]
    assert not restoration.opposing


def test_only_the_tenants_that_are_named_are_brought_back(world: World) -> None:
    align(world)
    assert back(world, 1, "tenant-b").tenants == ["tenant-b"]
    with pytest.raises(restoring.NothingToRestore):
        back(world, 1, "tenant-a")


def test_the_rules_that_would_undo_it_are_named_with_what_they_want(world: World) -> None:
    align(world)
    rule = {"name": "any", "plugins": ["crm"], "at_least": "2.2.0"}
    factories.policy(world.group, "content", [rule], profile={"mode": "enforce"})
    rule = {"name": "new", "plugins": ["mail"], "at_least": "1.1.0"}
    factories.policy(world.group, "watch", [rule], profile={"mode": "observe"})
    told = [one.as_json() for one in back(world).opposing]
    assert [(one["policy"], one["says"], one["acts"], one["tenants"]) for one in told] == [
        ("align", "wants crm 2.4.0 everywhere", True, ["tenant-b"]),
        ("watch", "wants mail 1.1.0 or newer", False, ["tenant-b"]),
    ]


def test_what_is_exempt_from_a_rule_is_not_undone_by_it(world: World) -> None:
    policy = align(world)
    factories.exemption(world.tenant_b, policy, until=AT.replace(year=2027))
    assert not back(world).opposing


def test_once_it_is_as_it_was_there_is_nothing_to_restore(world: World) -> None:
    align(world)
    factories.install(world.tenant_b, {"crm": "2.3.0", "mail": "1.0.0"})
    with pytest.raises(restoring.NothingToRestore):
        back(world)


def test_a_plugin_is_wanted_back_only_where_it_changed(world: World) -> None:
    align(world)
    factories.install(world.tenant_a, {"crm": "2.2.0", "mail": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0", "mail": "1.1.0"})
    crm, mail = back(world).rules
    assert (crm["plugins"], crm["tenants"]) == (["crm"], {"keys": ["tenant-a"]})
    assert (mail["plugins"], mail["tenants"]) == (["mail"], {"keys": ["tenant-b"]})


@given(
    wanted=st.dictionaries(
        st.tuples(st.sampled_from("abc"), st.sampled_from(["crm", "mail"])),
        st.sampled_from([None, "1.0.0", "2.0.0"]),
        min_size=1,
    ),
    now=st.sets(st.tuples(st.sampled_from("abc"), st.sampled_from(["crm", "mail"]))),
)
def test_its_rules_bind_what_is_taken_back_and_nothing_else(
    wanted: dict[tuple[str, str], str | None], now: set[tuple[str, str]]
) -> None:
    tenants = {tenant for tenant, _ in wanted}
    bound: dict[tuple[str, str], str | None] = {}
    for rule in restoring.rules(wanted, dict.fromkeys(now, "0.9.0")):
        keys = rule.get("tenants", {}).get("keys", tenants)
        (plugin,) = rule["plugins"]
        if "present" in rule:
            assert {(tenant, plugin) for tenant in keys} <= wanted.keys() - now
            continue
        others = {key: one for one in rule.get("variants", ()) for key in one["tenants"]["keys"]}
        assert others.keys() <= set(keys)
        bound |= {(tenant, plugin): others.get(tenant, rule).get("exactly") for tenant in keys}
    assert bound == wanted
