"""What people were told before findings were mentioned one by one, as the migration remembers it."""

import importlib
from datetime import timedelta

import pytest
from django.apps import apps
from django.db import connection

from governance import reminders
from governance.models import Conflict, Mention, Told
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import find, policy

DAY = timedelta(days=1)
MIGRATION = importlib.import_module("governance.migrations.0015_mentions_of_what_was_told")


@pytest.fixture
def told(world: World) -> World:
    """The owner and the tenant's admin know of one finding and a conflict, by hashes of another kind."""
    crm = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    find(world.tenant_a, crm, policy(world, "core", "remind"))
    Conflict.objects.create(
        group=world.group, fingerprint="f", plugin=crm, found_at=AT, explanation={"rules": [], "summary": "x"}
    )
    for user in (world.owner, world.tenant_admin):
        Told.objects.create(group=world.group, user=user, news=[1, 2], told_at=AT)
    with connection.schema_editor() as editor:
        MIGRATION.remember(apps, editor)
    return world


def test_nobody_hears_again_of_what_they_know(told: World) -> None:
    assert Mention.objects.get().user == told.tenant_admin
    assert reminders.send(told.group, at=AT + DAY).sent == []


def test_what_came_up_since_and_what_comes_due_is_told(told: World) -> None:
    erp = factories.plugin(told.group, "erp", ["2.3.0", "2.4.0"])
    assert reminders.send(told.group, at=AT + 5 * DAY).sent == [told.tenant_admin.pk], "two days before"
    find(told.tenant_b, erp, policy(told, "edge", "remind"), opened_at=AT + 5 * DAY)
    assert told.owner.pk in reminders.send(told.group, at=AT + 5 * DAY).sent


def test_without_a_memory_everybody_would_hear_of_it_again(told: World) -> None:
    Mention.objects.all().delete()
    Told.objects.update(news=[1, 2])
    assert set(reminders.send(told.group, at=AT + DAY).sent) == {told.owner.pk, told.tenant_admin.pk}
