"""The inbox."""

from typing import Any

import pytest
from django.test import Client

from audit.actions import Action
from audit.models import Entry
from governance import notifications
from governance.models import (
    Notification,
)
from tenants.models import Preferences
from tests.factories import AT, World
from tests.governance.notified import message


@pytest.fixture
def inbox(world: World) -> World:
    message(world, world.tenant_admin, "one", tenant="tenant-a", subject="One <b>thing</b>")
    message(world, world.owner, "two", subject="Another thing")
    return world


def test_the_inbox_shows_the_actors_own_messages_only(client: Client, inbox: World) -> None:
    client.force_login(inbox.tenant_admin)
    page = client.get("/g/acme/notifications/").content.decode()
    assert "One &lt;b&gt;thing&lt;/b&gt;" in page
    assert "Another thing" not in page


def test_someone_elses_message_is_not_there(client: Client, inbox: World) -> None:
    client.force_login(inbox.tenant_admin)
    other = Notification.objects.get(user=inbox.owner)
    for verb in ("", "read/", "acknowledge/"):
        address = f"/g/acme/notifications/{other.pk}/{verb}"
        answer = client.post(address) if verb else client.get(address)
        assert answer.status_code == 404


def test_looking_at_a_message_changes_nothing_until_the_page_says_it_was_read(
    client: Client, inbox: World
) -> None:
    client.force_login(inbox.owner)
    row = Notification.objects.get(user=inbox.owner)
    page = client.get(f"/g/acme/notifications/{row.pk}/").content.decode()
    assert "Read this." in page
    row.refresh_from_db()
    assert row.read_at is None
    part = client.post(f"/g/acme/notifications/{row.pk}/read/", headers={"HX-Request": "true"})
    assert "Unread" not in part.content.decode()
    row.refresh_from_db()
    assert row.read_at is not None


def test_a_message_is_acknowledged_from_the_inbox(client: Client, inbox: World) -> None:
    client.force_login(inbox.tenant_admin)
    row = Notification.objects.get(user=inbox.tenant_admin)
    answer = client.post(f"/g/acme/notifications/{row.pk}/acknowledge/", headers={"HX-Request": "true"})
    assert "Acknowledged" in answer.content.decode()
    assert client.post(f"/g/acme/notifications/{row.pk}/acknowledge/").status_code == 303
    assert Entry.objects.filter(action=Action.REMINDER_ACKNOWLEDGED).count() == 1


def test_all_messages_are_marked_as_read_at_once(client: Client, inbox: World) -> None:
    client.force_login(inbox.owner)
    assert client.post("/g/acme/notifications/read/").status_code == 303
    assert notifications.unread_count(inbox.access(inbox.owner)) == 0
    assert notifications.unread_count(inbox.access(inbox.tenant_admin)) == 1


def test_the_inbox_is_narrowed_by_what_was_done_about_a_message(client: Client, inbox: World) -> None:
    client.force_login(inbox.owner)
    notifications.mark_all_read(inbox.access(inbox.owner), at=AT)
    assert "Another thing" not in client.get("/g/acme/notifications/?state=unread").content.decode()
    assert "Another thing" in client.get("/g/acme/notifications/?state=open").content.decode()
    assert "No messages" not in client.get("/g/acme/notifications/?q=another").content.decode()


@pytest.mark.parametrize(
    ("zone", "language", "told"),
    [
        ("UTC", "en", "2026-03-05 20:30 (UTC)"),
        ("Asia/Shanghai", "en", "2026-03-06 04:30 (Asia/Shanghai)"),
        ("Asia/Shanghai", "zh", "2026-03-06 04:30 (Asia/Shanghai)"),
    ],
)
def test_due_dates_are_by_the_readers_clock_and_in_the_language_of_the_console(
    client: Client, world: World, zone: str, language: str, told: str
) -> None:
    Preferences.objects.create(user=world.tenant_admin, time_zone=zone, language=language)
    due = "2026-03-05T20:30:00+00:00"
    lines = [{"tenant": "tenant-a", "plugin": "crm", "due_at": due}, {"tenant": "tenant-a", "plugin": "erp"}]
    message(world, world.tenant_admin, "one", tenant="tenant-a", due_at=due, lines=lines)
    client.force_login(world.tenant_admin)
    page = client.get("/g/acme/notifications/").content.decode()
    assert f">{told}</time>" in page
    assert f'title="{told}"' in page
    one = client.get(f"/g/acme/notifications/{Notification.objects.get().pk}/").content.decode()
    assert one.count(f">{told}</time>") == 2, "above, and in the line of the finding"
    Notification.objects.update(acknowledged_at=AT)
    assert f">{told}</time>" in client.get("/g/acme/notifications/").content.decode()


@pytest.mark.parametrize("odd", [{"due_at": "2026-13-40T00:00:00Z"}, {"due_at": 5}, {"finding": "x"}])
def test_a_line_of_another_service_that_makes_no_sense_keeps_nobody_from_the_message(
    client: Client, world: World, odd: dict[str, Any]
) -> None:
    message(world, world.owner, "one")
    row = Notification.objects.get()
    row.content["lines"] = [{"tenant": "tenant-a", "plugin": "crm", **odd}]
    row.save()
    client.force_login(world.owner)
    page = client.get(f"/g/acme/notifications/{row.pk}/")
    assert page.status_code == 200
    assert "tenant-a" in page.content.decode()
