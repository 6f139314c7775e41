"""The question behind drift, as simulations and the figures of past snapshots ask it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from governance.models import Policy, Rule
from governance.violations import violations_query
from tenants.models import Group
from tests import factories
from tests.factories import AT, World


@pytest.fixture
def policy(world: World) -> Policy:
    """At least 2.0.0, which tenant-a breaks."""
    factories.plugin(world.group, "crm", ["1.0.0", "2.0.0", "3.0.0"])
    factories.install(world.tenant_a, {"crm": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "3.0.0"})
    return factories.policy(world.group, "core", [{"name": "crm", "plugins": ["crm"], "at_least": "2.0.0"}])


def ask(group: Group, **options: Any) -> set[tuple[int, int | None, Any]]:
    return {(row[0], row[3], row[4]) for row in violations(group, **options)}


def violations(group: Group, **options: Any) -> list[tuple[Any, ...]]:
    rules = list(Rule.objects.filter(group=group).values_list("pk", flat=True))
    query = violations_query(rules, options.pop("tenant_ids", None), AT, group_id=group.pk, **options)
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.parameters)
        return sorted(cursor.fetchall(), key=str)


def test_rules_that_are_not_in_force_can_be_asked(world: World, policy: Policy) -> None:
    Policy.objects.update(status=Policy.Status.DRAFT)
    assert {tenant for tenant, _, _ in ask(world.group)} == {world.tenant_a.pk}
    assert ask(world.group, tenant_ids=[world.tenant_b.pk]) == set()


def test_a_past_snapshot_can_be_asked(world: World, policy: Policy) -> None:
    Group.objects.filter(pk=world.group.pk).update(open_snapshot=2)
    world.tenant_a.group.refresh_from_db()
    factories.install(world.tenant_a, {"crm": "2.0.0"})
    assert ask(world.group) == set()
    assert {tenant for tenant, _, _ in ask(world.group, snapshot=1)} == {world.tenant_a.pk}
    assert ask(world.group, snapshot=2) == set()


def test_the_exemption_that_lasts_longest_is_named_for_what_it_covers(world: World, policy: Policy) -> None:
    factories.exemption(world.tenant_a, policy, until=AT + timedelta(days=1))
    factories.exemption(world.tenant_a, policy, until=AT + timedelta(days=8), rule_key="another")
    longer = factories.exemption(world.tenant_a, policy, until=AT + timedelta(days=2), rule_key="crm")
    ((_, _, exemption),) = ask(world.group)
    assert exemption == longer.pk


@pytest.mark.parametrize("snapshot", [None, 1, 2])
def test_few_tenants_are_told_the_same_as_many(
    world: World, monkeypatch: pytest.MonkeyPatch, snapshot: int | None
) -> None:
    factories.plugin(world.group, "crm", ["1.0.0", "2.0.0", "3.0.0"])
    factories.plugin(world.group, "mail", ["1.0.0", "2.0.0"])
    factories.install(world.tenant_a, {"crm": "1.0.0", "mail": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "2.0.0"})
    crm, mail = {"name": "crm", "plugins": ["crm"]}, {"name": "mail", "plugins": ["mail"]}
    core = factories.policy(world.group, "core", [crm | {"at_least": "2.0.0"}, mail | {"present": True}])
    factories.policy(world.group, "newest", [crm | {"at_least": "3.0.0"}], tenants={"keys": ["tenant-b"]})
    factories.exemption(world.tenant_b, core, until=AT + timedelta(days=1), rule_key="mail")
    Group.objects.filter(pk=world.group.pk).update(open_snapshot=2)
    world.tenant_a.group.refresh_from_db()
    factories.install(world.tenant_a, {"crm": "2.0.0", "mail": "1.0.0"})
    for tenants in ([world.tenant_a.pk], [world.tenant_b.pk], [world.tenant_a.pk, world.tenant_b.pk]):
        few = violations(world.group, tenant_ids=tenants, snapshot=snapshot)
        with monkeypatch.context() as patch:
            patch.setattr("governance.violations._FEW", 0)
            assert violations(world.group, tenant_ids=tenants, snapshot=snapshot) == few
        breaking = {world.tenant_a.pk, world.tenant_b.pk} if snapshot == 1 else {world.tenant_b.pk}
        assert {row[0] for row in few} == breaking.intersection(tenants)
