"""Tenants that are alike are looked at once, and come out as if each had been looked at alone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from governance import answers, decisions, situations
from governance.likeness import Likeness, Question, likenesses
from governance.models import Manifest, Plugin, Release, Rule
from governance.models.manifest import Inventory
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.sighting import Sighting
from governance.situations import Inputs
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

pytestmark = pytest.mark.django_db

VERSIONS = ["1.0.0", "2.0.0", "3.0.0"]
RolledBack = Callable[[], AbstractContextManager[None]]


def floor(world: World, version: str = "2.0.0", **more: Any) -> Any:
    rule = {"name": "floor", "plugins": ["crm"], "at_least": version}
    return factories.policy(world.group, "floor", [rule], profile={"mode": "enforce"}, **more)


def alike(world: World, **more: Any) -> list[Likeness]:
    rules = Rule.objects.filter(group=world.group).values_list("selection_id", flat=True)
    return likenesses(Question(world.group.pk, AT, set(rules), **more))


def kinds(world: World, **more: Any) -> list[list[str]]:
    """The keys of the tenants of each kind."""
    keys = dict(Tenant.objects.values_list("pk", "key"))
    return [[keys[tenant] for tenant in kind.tenant_ids] for kind in alike(world, **more)]


def manifest(tenant: Tenant, *, complete: bool) -> None:
    inventory, _ = Inventory.objects.get_or_create(digest="0" * 64, defaults={"plugins": {}, "size": 0})
    Manifest.objects.create(
        group=tenant.group,
        tenant=tenant,
        inventory=inventory,
        observed_at=AT,
        received_at=AT,
        source="test",
        complete=complete,
    )


@pytest.fixture
def crm(world: World) -> Plugin:
    """Both tenants run the same."""
    made = factories.plugin(world.group, "crm", VERSIONS)
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "1.0.0"})
    return made


def test_tenants_that_run_the_same_under_the_same_rules_are_alike(world: World, crm: Plugin) -> None:
    floor(world)
    assert kinds(world) == [["tenant-a", "tenant-b"]]


def test_other_versions_set_tenants_apart(world: World, crm: Plugin) -> None:
    floor(world)
    factories.install(world.tenant_b, {"crm": "2.0.0"})
    assert kinds(world) == [["tenant-a"], ["tenant-b"]]


def test_what_was_installed_in_a_snapshot_counts_where_it_is_asked_about(world: World, crm: Plugin) -> None:
    floor(world)
    world.group.open_snapshot += 1
    world.group.save()
    world.tenant_b.group = world.group
    factories.install(world.tenant_b, {"crm": "2.0.0"})
    assert kinds(world, snapshot=world.group.open_snapshot - 1) == [["tenant-a", "tenant-b"]]
    assert kinds(world) == [["tenant-a"], ["tenant-b"]]


def test_a_rule_for_one_of_them_sets_tenants_apart(world: World, crm: Plugin) -> None:
    floor(world)
    only = {"name": "cap", "plugins": ["crm"], "at_most": "3.0.0"}
    factories.policy(world.group, "cap", [only], tenants={"keys": ["tenant-b"]})
    assert kinds(world) == [["tenant-a"], ["tenant-b"]]


def test_an_exemption_sets_tenants_apart(world: World, crm: Plugin) -> None:
    factories.exemption(world.tenant_a, floor(world), until=AT + timedelta(days=1))
    assert kinds(world) == [["tenant-a"], ["tenant-b"]]


def test_a_manifest_that_may_leave_plugins_unnamed_sets_tenants_apart(world: World, crm: Plugin) -> None:
    floor(world)
    manifest(world.tenant_a, complete=True)
    manifest(world.tenant_b, complete=False)
    assert [(kind.tenant_ids, kind.complete) for kind in alike(world)] == [
        ((world.tenant_a.pk,), True),
        ((world.tenant_b.pk,), False),
    ]


def test_tenants_that_no_rule_is_for_are_left_out(world: World, crm: Plugin) -> None:
    floor(world, tenants={"keys": ["tenant-b"]})
    assert kinds(world) == [["tenant-b"]]
    assert kinds(world, tenant_ids=[world.tenant_a.pk]) == []


# Each example makes a world of its own in the database, which is taken back.
worlds_apart = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
versions = st.sampled_from([None, *VERSIONS])
bounds = st.sampled_from(["at_least", "at_most", "exactly", "hold", "same"])
wishes = st.lists(st.tuples(st.sampled_from(["crm", "core"]), bounds, versions, st.booleans()), max_size=4)


def furnish(
    world: World, installed: list[tuple[Any, Any]], wanted: list[tuple[Any, ...]], exempt: set[int]
) -> Inputs:
    """Five tenants with two plugins, of which the first needs the second, under these rules."""
    crm, _ = (factories.plugin(world.group, name, VERSIONS) for name in ("crm", "core"))
    needs = [{"plugin": "core", "range": ">=2.0.0"}]
    Release.objects.filter(plugin=crm, version="3.0.0").update(requires=needs)
    tenants = [factories.tenant(world.group, f"t{n}", ring=f"r{n % 2}") for n in range(len(installed))]
    for tenant, (one, other) in zip(tenants, installed, strict=True):
        there = {"crm": one, "core": other}
        factories.install(tenant, {name: version for name, version in there.items() if version})
    for number, (plugin, word, version, everywhere) in enumerate(wanted):
        value: dict[str, Any] = {word: version or "2.0.0"} if word not in ("hold", "same") else {word: True}
        rule = {"name": "rule", "plugins": [plugin], **value}
        selector = "*" if everywhere else {"labels": {"ring": "r0"}}
        made = factories.policy(
            world.group, f"p{number}", [rule], tenants=selector, profile={"mode": "enforce"}
        )
        for place in exempt if number == 0 else ():
            factories.exemption(tenants[place], made, until=AT + timedelta(days=1))
    return decisions.current_inputs(world.group, at=AT)


def told(results: dict[int, TenantOutcome]) -> dict[int, tuple[Any, ...]]:
    return {tenant: (result.digest, result.outcome, result.decided) for tenant, result in results.items()}


def goes(result: TenantOutcome) -> tuple[Any, ...]:
    """What changes, and who is stuck: all but why."""
    return result.outcome.changes, [unsettled.stuck for unsettled in result.outcome.unsettled]


@given(st.lists(st.tuples(versions, versions), min_size=5, max_size=5), wishes, st.sets(st.integers(0, 4)))
@worlds_apart
def test_tenants_together_come_out_like_each_alone_and_like_any_slices(
    world: World,
    rolled_back: RolledBack,
    installed: list[tuple[Any, Any]],
    wanted: list[tuple[Any, ...]],
    exempt: set[int],
) -> None:
    with rolled_back(), pytest.MonkeyPatch.context() as patch:
        inputs = furnish(world, installed, wanted, exempt)
        together = told(evaluate_outcomes(inputs, {}))
        patch.setattr(situations, "SLICE", 1)
        answers.forget()
        assert told(evaluate_outcomes(inputs, {})) == together
        alone: dict[int, tuple[Any, ...]] = {}
        for tenant in Tenant.objects.filter(group=world.group):
            answers.forget()
            only = Inputs(inputs.group_id, AT, inputs.rules, tenant_ids=frozenset({tenant.pk}))
            alone |= told(evaluate_outcomes(only, {}))
        assert alone == together
        answers.forget()
        untold = evaluate_outcomes(replace(inputs, why=False), {})
        assert {tenant: goes(result) for tenant, result in untold.items()} == {
            tenant: goes(result) for tenant, result in evaluate_outcomes(inputs, {}).items()
        }


@given(
    st.lists(st.tuples(versions, versions), min_size=3, max_size=5),
    wishes,
    st.sets(st.integers(0, 2)),
    st.data(),
)
@worlds_apart
def test_what_was_read_for_all_rules_answers_for_some_of_them_and_some_tenants(
    world: World,
    rolled_back: RolledBack,
    installed: list[tuple[Any, Any]],
    wanted: list[tuple[Any, ...]],
    exempt: set[int],
    data: st.DataObject,
) -> None:
    with rolled_back():
        inputs = furnish(world, installed, wanted, exempt)
        seen = Sighting(inputs.group_id, AT, inputs.rules, kept=True)
        whole = evaluate_outcomes(replace(inputs, sighting=seen), {})
        assert told(whole) == told(evaluate_outcomes(inputs, {}))
        acting = {rule.id for rule in inputs.rules if data.draw(st.booleans())}
        keys = Tenant.objects.filter(group=world.group).values_list("pk", flat=True)
        tenants = frozenset(tenant for tenant in keys if data.draw(st.booleans()))
        asked = replace(inputs, acting=frozenset(acting), tenant_ids=tenants)
        assert told(evaluate_outcomes(replace(asked, sighting=seen), {})) == told(
            evaluate_outcomes(asked, {})
        )


def test_what_is_exempt_offends_nobody(world: World, crm: Plugin) -> None:
    factories.exemption(world.tenant_a, floor(world), until=AT + timedelta(days=1))
    inputs = decisions.current_inputs(world.group, at=AT)
    seen = Sighting(inputs.group_id, AT, inputs.rules)
    tenants = [world.tenant_a.pk, world.tenant_b.pk]
    assert seen.offenders(tenants, None) == {world.tenant_b.pk: {crm.pk}}


def test_what_was_read_is_not_read_again(world: World, crm: Plugin) -> None:
    floor(world)
    inputs = decisions.current_inputs(world.group, at=AT)
    seen = Sighting(inputs.group_id, AT, inputs.rules, kept=True)
    evaluate_outcomes(replace(inputs, sighting=seen), {})
    with CaptureQueriesContext(connection) as asked:
        evaluate_outcomes(replace(inputs, sighting=seen, acting=frozenset()), {})
    read = ("governance_installation", "governance_violation", "governance_selectiontenant")
    assert not [query["sql"] for query in asked if any(table in query["sql"] for table in read)]
