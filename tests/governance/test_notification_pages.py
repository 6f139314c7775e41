"""The inbox."""

import pytest
from django.test import Client

from audit.actions import Action
from audit.models import Entry
from governance import notifications
from governance.models import (
    Notification,
)
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
