"""How far a rollback reaches: what its plan changed, where it changed it."""

from __future__ import annotations

import re
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import decisions, drift, plans, policies, presenters, restoring, rollbacks
from governance.models import Conflict, Plan, Plugin, Policy, Release, SelectionTenant, UpgradeTask
from governance.restoring import Scope
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import shell
from tests.governance.taken_back import LATER, align, prepared, seal
from tests.ground import Kind

SCENE = Kind(align)
HOST = {"host": "10.0.0"}


def want(world: World, plugin: str, version: str, tenant: str, *, at: datetime = AT) -> None:
    """A policy wants the plugin at this version or a newer one there."""
    rule = {"name": plugin, "plugins": [plugin], "at_least": version}
    document = {
        "name": f"{plugin}-in-{tenant}",
        "profile": "steady",
        "tenants": {"keys": [tenant]},
        "rules": [rule],
    }
    policies.apply(world.group, document, actor=SYSTEM, at=at)


@pytest.fixture
def spread(standing_scene: World) -> World:
    """Plan 2 brings tenant-a from crm 2.4.0 to 2.5.0 and tenant-b from mail 1.0.0 to 1.1.0."""
    world = standing_scene
    Policy.objects.filter(name="align").update(status=Policy.Status.RETIRED)
    crm = Plugin.objects.get(name="crm")
    Release.objects.create(group=world.group, plugin=crm, version="2.5.0", rank=3, released_at=AT)
    factories.plugin(world.group, "mail", ["1.0.0", "1.1.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {**HOST, "crm": "2.4.0", "mail": "1.0.0"})
    for plugin, version, key in (("crm", "2.5.0", "tenant-a"), ("mail", "1.1.0", "tenant-b")):
        want(world, plugin, version, key)
    seal(world)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    plans.start(plan, actor=SYSTEM, at=AT)
    plan.tasks.update(status=UpgradeTask.Status.VERIFYING, dispatched_at=AT)
    return world


def upgraded(world: World) -> Plan:
    """All that the plan wanted has come."""
    factories.install(world.tenant_a, {**HOST, "crm": "2.5.0", "mail": "1.0.0"})
    factories.install(world.tenant_b, {**HOST, "crm": "2.4.0", "mail": "1.1.0"})
    plan = Plan.objects.get(number=2)
    plan.tasks.update(status=UpgradeTask.Status.SUCCEEDED, finished_at=AT)
    Plan.objects.filter(pk=plan.pk).update(status=Plan.Status.COMPLETED)
    policies.settle(world.group, actor=SYSTEM, at=AT)
    drift.detect(world.group, at=AT)
    return Plan.objects.get(number=2)


def bound(policy: str) -> set[tuple[str, str]]:
    """The plugins that the policy's rules bind, with the tenants in which they do."""
    rules = Policy.objects.get(name=policy).rules.all()
    return {
        (member.tenant.key, rule.key)
        for rule in rules
        for member in SelectionTenant.objects.filter(selection=rule.selection).select_related("tenant")
    }


def test_its_baseline_binds_each_plugin_only_where_the_plan_changed_it(spread: World) -> None:
    row = prepared(spread, scope=Scope(plan=upgraded(spread)))
    plan = rollbacks.apply(row, actor=SYSTEM, at=LATER)
    assert plan is not None
    assert bound("rollback-1") == {("tenant-a", "crm"), ("tenant-b", "mail")}
    steps = {
        (task.tenant.key, step["plugin"], step["to"]) for task in plan.tasks.all() for step in task.steps
    }
    assert steps == {("tenant-a", "crm", "2.4.0"), ("tenant-b", "mail", "1.0.0")}


def test_the_command_shows_for_whom_its_rules_are(
    spread: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rollbacks.apply(prepared(spread, scope=Scope(plan=upgraded(spread))), actor=SYSTEM, at=LATER)
    policy = shell(capsys, monkeypatch, "policy")
    told = " ".join(policy("show", "rollback-1").out.split())
    assert "only for tenant-a" in told
    assert "only for tenant-b" in told
    by_key = {rule["name"]: rule["tenants"] for rule in policy("show", "rollback-1", "--json").json["rules"]}
    assert by_key == {"crm": {"keys": ["tenant-a"]}, "mail": {"keys": ["tenant-b"]}}


def test_what_others_want_of_a_plugin_elsewhere_does_not_conflict_with_it(spread: World) -> None:
    rollbacks.apply(prepared(spread, scope=Scope(plan=upgraded(spread))), actor=SYSTEM, at=LATER)
    want(spread, "mail", "1.1.0", "tenant-a", at=LATER)
    decisions.evaluate(spread.group, at=LATER, actor=SYSTEM)
    assert not [row.explanation for row in Conflict.objects.all()]


def under_way(world: World) -> Plan:
    """The plan has come to its end in tenant-a, and waits to be verified in tenant-b."""
    factories.install(world.tenant_a, {**HOST, "crm": "2.5.0", "mail": "1.0.0"})
    plan = Plan.objects.get(number=2)
    done = plan.tasks.filter(tenant=world.tenant_a)
    done.update(status=UpgradeTask.Status.SUCCEEDED, finished_at=AT)
    policies.settle(world.group, actor=SYSTEM, at=AT)
    drift.detect(world.group, at=AT)
    return plan


TOLD = (
    "1 tenant is under way, and what still changes there is not part of it: tenant-b. "
    "Roll back once more when it is done."
)


def test_tenants_in_which_the_plan_is_under_way_are_named_before_it_is_applied(spread: World) -> None:
    row = prepared(spread, scope=Scope(plan=under_way(spread)))
    assert row.tenants == ["tenant-a"]
    reason = "Plan 2 is under way there; roll back once more when it is done"
    assert [(one["tenant"], one["plugin"], one["reason"]) for one in row.left_out] == [
        ("tenant-b", "mail", reason)
    ]
    assert presenters.rollback(row)["under_way"] == TOLD


def test_once_applied_it_names_those_that_are_under_way_by_then(spread: World) -> None:
    plan = under_way(spread)
    plan.tasks.filter(tenant=spread.tenant_b).update(status=UpgradeTask.Status.QUEUED)
    row = prepared(spread, scope=Scope(plan=plan))
    assert presenters.rollback(row)["under_way"] == ""
    plan.tasks.filter(tenant=spread.tenant_b).update(status=UpgradeTask.Status.RUNNING)
    rollbacks.apply(row, actor=SYSTEM, at=LATER)
    row.refresh_from_db()
    assert restoring.under_way_in_words(row.left_out) == TOLD


def test_of_a_policy_only_what_it_wants_is_named_and_only_in_the_tenants_asked_about(spread: World) -> None:
    under_way(spread)

    def named(scope: Scope) -> set[str]:
        return {one["tenant"] for one in restoring.under_way(spread.group, scope, ())}

    assert named(Scope()) == named(Scope(policy=Policy.objects.get(name="mail-in-tenant-b"))) == {"tenant-b"}
    assert named(Scope(policy=Policy.objects.get(name="crm-in-tenant-a"))) == set()
    assert named(Scope(tenant_keys=frozenset({"tenant-a"}))) == set()


@given(st.sets(st.integers(10, 99).map(str)), st.sets(st.integers(10, 99).map(str)))
def test_in_words_as_many_are_named_as_are_under_way(moving: set[str], others: set[str]) -> None:
    entry = {"plugin": "crm", "reason": "-"}
    left_out = [{"tenant": tenant, "plan": "Plan 1", **entry} for tenant in moving]
    left_out += [{"tenant": tenant, **entry} for tenant in others]
    told = restoring.under_way_in_words(left_out)
    assert told.startswith(f"{len(moving)} tenant" if moving else "")
    assert bool(told) == bool(moving)
    named = re.findall(r"\b\d\d\b", told.partition(": ")[2].partition(" more")[0])
    assert set(sorted(moving)[:5]) <= set(named)
