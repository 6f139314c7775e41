"""Whatever a group's findings are, a tenant admin's message speaks of the own tenants and no other."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import OutboxMessage
from audit.models.outbox import Destination
from governance import delivery, reminders
from governance.models import Conflict, ConflictTenant, Finding, Plugin, Rule
from tenants.models import Preferences, Role
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import find, policy

# A name of its own for each tenant and plugin, so that whatever is told of one is told apart.
TENANTS = ("red-tenant", "green-tenant", "blue-tenant")
STATUSES = st.sampled_from(["new", "planned", "needs_decision", "verify_failed", "in_progress"])
FINDINGS = st.lists(
    st.tuples(st.sampled_from(TENANTS), st.integers(0, 1), STATUSES, st.integers(-5, 5)),
    max_size=9,
    unique_by=lambda found: found[:2],
)


@pytest.fixture
def rules(world: World) -> tuple[World, list[Rule], dict[str, list[Plugin]]]:
    """Three tenants with an admin each, and plugins that are named after the tenant that has them."""
    plugins = {}
    for key in TENANTS:
        tenant = factories.tenant(world.group, key)
        admin = factories.member(world.group, f"{key}-admin", Role.TENANT_ADMIN, of=tenant)
        Preferences.objects.create(user=admin, language="zh" if key == "red-tenant" else "en")
        plugins[key] = [
            factories.plugin(world.group, f"{key}-plugin-{number}", ["2.3.0", "2.4.0"]) for number in (0, 1)
        ]
    steps = [{"tell": "tenant_admins"}, {"tell": "owners", "before": "2d"}]
    made = [policy(world, "one", "enforce", escalation=steps), policy(world, "two", "remind")]
    return world, made, plugins


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=FINDINGS, conflicts=st.lists(st.sampled_from(TENANTS), max_size=2), late=st.integers(0, 6))
def test_nothing_about_another_tenant_is_in_a_tenant_admins_message(
    rules: tuple[World, list[Rule], dict[str, list[Plugin]]],
    rolled_back: Any,
    found: list[tuple[str, int, str, int]],
    conflicts: list[str],
    late: int,
) -> None:
    world, made, plugins = rules
    tenants = {tenant.key: tenant for tenant in world.group.tenants.all()}
    with rolled_back():
        for key, number, status, days in found:
            due = AT + timedelta(days=days)
            find(tenants[key], plugins[key][number], made[number], status=status, due_at=due)
        for number, key in enumerate(conflicts):
            _conflict(world, plugins[key][0], tenants[key], number)
        at = AT + timedelta(days=late)
        reminders.send(world.group, at=at)
        delivery.deliver_due(at=at)
        for destination in (Destination.NOTIFY, Destination.EMAIL):
            for row in OutboxMessage.objects.filter(destination=destination):
                _check(str(row.payload), _reader(row))
        told = {_reader(row) for row in OutboxMessage.objects.filter(destination=Destination.NOTIFY)}
        assert {f"{key}-admin" for key, *_ in found} <= told


def _reader(row: OutboxMessage) -> str:
    if row.destination == Destination.EMAIL:
        return row.address.partition("@")[0]
    return str(row.payload["recipients"][0]["user"])


def _check(text: str, reader: str) -> None:
    for key in TENANTS:
        if reader.endswith("-admin") and reader != f"{key}-admin":
            assert key not in text, reader


def _conflict(world: World, plugin: Plugin, tenant: Any, number: int) -> None:
    explanation = {"summary": f"{plugin} can't be right in {tenant}", "rules": [{"policy": "one"}]}
    conflict = Conflict.objects.create(
        group=world.group, fingerprint=str(number), plugin=plugin, explanation=explanation, found_at=AT
    )
    ConflictTenant.objects.create(group=world.group, conflict=conflict, tenant=tenant)


def test_a_finding_of_a_tenant_that_was_left_is_told_no_more(
    rules: tuple[World, list[Rule], dict[str, list[Plugin]]],
) -> None:
    world, made, plugins = rules
    red = world.group.tenants.get(key="red-tenant")
    find(red, plugins["red-tenant"][0], made[0])
    red.memberships.all().delete()
    reminders.send(world.group, at=AT)
    readers = {_reader(row) for row in OutboxMessage.objects.filter(destination=Destination.NOTIFY)}
    assert readers == {"owner"}
    assert Finding.objects.count() == 1
