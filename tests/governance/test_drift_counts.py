"""How many findings a detection opened, closed and kept, however much of the group it looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from governance import drift
from governance.models import Policy, Rule
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

LATER = AT + timedelta(days=1)


@pytest.fixture
def third(world: World) -> Tenant:
    return factories.tenant(world.group, "tenant-c")


@pytest.fixture
def policy(world: World, third: Tenant) -> Policy:
    """Two of three broke it when it was last looked at; since then one has ended to, and the third begun."""
    factories.plugin(world.group, "crm", ["1.0.0", "2.0.0"])
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.0.0"}
    policy = factories.policy(world.group, "core", [rule])
    versions = {world.tenant_a: "1.0.0", world.tenant_b: "1.0.0", third: "2.0.0"}
    for tenant, version in versions.items():
        factories.install(tenant, {"crm": version})
    drift.detect(world.group, at=AT)
    factories.install(world.tenant_b, {"crm": "2.0.0"})
    factories.install(third, {"crm": "1.0.0"})
    return policy


def everything(world: World, _: Policy) -> dict[str, Any]:
    return {}


def all_tenants(world: World, _: Policy) -> dict[str, Any]:
    return {"tenant_ids": list(Tenant.objects.values_list("pk", flat=True))}


def the_policy(_: World, policy: Policy) -> dict[str, Any]:
    return {"policy_ids": [policy.pk]}


def what_is_owed(_: World, policy: Policy) -> dict[str, Any]:
    Rule.objects.filter(policy=policy).update(detected=False)
    return {"tenant_ids": []}


@pytest.mark.parametrize("scope", [everything, all_tenants, the_policy, what_is_owed])
def test_one_finding_opens_one_closes_and_one_is_kept_as_it_is(
    world: World, policy: Policy, third: Tenant, scope: Callable[[World, Policy], dict[str, Any]]
) -> None:
    before = row_of(world.tenant_a)
    result = drift.detect(world.group, at=LATER, **scope(world, policy))
    assert (result.opened, result.closed, result.kept) == (1, 1, 1)
    assert result.tenant_ids == {world.tenant_b.pk, third.pk}
    assert row_of(world.tenant_a) == before


def row_of(tenant: Tenant) -> tuple[str, ...]:
    """The place of the tenant's only finding and who wrote it, which are others once it was written again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT ctid::text, xmin::text FROM governance_finding WHERE tenant_id = %s", [tenant.pk]
        )
        (row,) = cursor.fetchall()
        return tuple(row)
