"""What leaves the console: quiet hours, rates, and many messages as one."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import outbox
from audit.models import OutboxMessage
from audit.models.outbox import Destination
from governance import delivery, parcels, retention
from governance.models import Notification, Parcel
from tenants.models import Membership, Preferences, Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import message

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def mails(user: User) -> list[dict[str, Any]]:
    rows = OutboxMessage.objects.filter(destination=Destination.EMAIL, address=user.email)
    return [row.payload for row in rows.order_by("created_at", "pk")]


def tell(world: World, *keys: str) -> None:
    for key in keys:
        message(world, world.owner, key, subject=f"About {key}", text=f"The text of {key}.")


@pytest.fixture
def asleep(world: World) -> World:
    """The owner's quiet hours, which end an hour from now."""
    ends = (AT + HOUR).time()
    Preferences.objects.create(user=world.owner, quiet_from=time(1), quiet_until=ends)
    return world


def test_the_inbox_has_at_once_what_the_mail_waits_with(asleep: World) -> None:
    tell(asleep, "one")
    assert Notification.objects.count() == 1
    assert mails(asleep.owner) == []
    held = Parcel.objects.get()
    assert (held.held_until, held.held_because) == (AT + HOUR, "quiet")


def test_what_waited_goes_as_one_when_the_quiet_hours_end(asleep: World) -> None:
    tell(asleep, "one", "two", "three")
    assert parcels.send_due(asleep.group, at=AT + HOUR - MINUTE) == 0
    assert parcels.send_due(asleep.group, at=AT + HOUR) == 1
    (mail,) = mails(asleep.owner)
    assert mail["subject"] == "3 messages, the latest: About three"
    for key in ("one", "two", "three"):
        assert f"The text of {key}." in mail["text"]
        assert f"The text of {key}." in mail["html"]
    assert parcels.send_due(asleep.group, at=AT + 2 * HOUR) == 0


def test_who_reaches_nothing_any_more_is_sent_nothing_that_waited(asleep: World) -> None:
    tell(asleep, "one")
    Membership.objects.filter(user=asleep.owner).delete()
    assert parcels.send_due(asleep.group, at=AT + HOUR) == 0
    assert mails(asleep.owner) == []
    assert not Parcel.objects.waiting().exists()


def test_of_what_waited_only_what_is_still_within_reach_is_sent(world: World) -> None:
    Preferences.objects.create(user=world.tenant_admin, quiet_from=time(1), quiet_until=(AT + HOUR).time())
    other = world.tenant_admin.memberships.create(
        group=world.group, role=Role.TENANT_ADMIN, tenant=world.tenant_b
    )
    message(world, world.tenant_admin, "one", subject="Yours", tenant="tenant-a")
    lines = [{"tenant": "tenant-a"}, {"tenant": "tenant-b"}]
    message(world, world.tenant_admin, "two", subject="Once yours", lines=lines)
    other.delete()
    assert parcels.send_due(world.group, at=AT + HOUR) == 1
    assert [mail["subject"] for mail in mails(world.tenant_admin)] == ["Yours"]


def test_two_messages_to_one_reader_that_arrive_together_do_not_wait_for_each_other(world: World) -> None:
    tell(world, "one")
    with CaptureQueriesContext(connection) as queries:
        tell(world, "two")
    (lock,) = [q["sql"] for q in queries if "FOR " in q["sql"] and '"tenants_user"' in q["sql"]]
    assert lock.endswith("FOR NO KEY UPDATE"), "else each waits for the other's reference to the reader"


def test_what_is_urgent_goes_at_once_and_takes_along_what_waits(asleep: World) -> None:
    tell(asleep, "one")
    row = Notification.objects.create(
        group=asleep.group,
        user=asleep.owner,
        kind="decision",
        key="k",
        subject="Now",
        body="!",
        created_at=AT,
    )
    parcels.hand_over([row], urgent=True, at=AT)
    assert [mail["subject"] for mail in mails(asleep.owner)] == ["2 messages, the latest: Now"]


def test_beyond_a_persons_rate_messages_are_held_back_and_folded(world: World, settings: Any) -> None:
    settings.MESSAGES_PER_PERSON = 2
    for minute, key in enumerate("abcd"):
        row = Notification.objects.create(
            group=world.group, user=world.owner, kind="alert", key=key, subject=key, body=key, created_at=AT
        )
        parcels.hand_over([row], urgent=False, at=AT + minute * MINUTE)
    assert [mail["subject"] for mail in mails(world.owner)] == ["a", "b"]
    assert {row.held_because for row in Parcel.objects.waiting()} == {"rate"}
    parcels.send_due(world.group, at=AT + HOUR)
    assert mails(world.owner)[-1]["subject"] == "2 messages, the latest: d"


def test_beyond_a_channels_rate_people_wait_their_turn(world: World, settings: Any) -> None:
    settings.MESSAGES_PER_CHANNEL = 1
    tell(world, "one")
    message(world, world.tenant_admin, "two")
    assert mails(world.tenant_admin) == []
    parcels.send_due(world.group, at=AT + MINUTE)
    assert len(mails(world.tenant_admin)) == 1


def test_what_went_lately_is_read_once_for_all_readers(world: World) -> None:
    for number in range(6):
        user = factories.member(world.group, f"reader-{number}", Role.AUDITOR)
        Preferences.objects.create(user=user, quiet_from=time(1), quiet_until=(AT + HOUR).time())
        message(world, user)
    with CaptureQueriesContext(connection) as queries:
        assert parcels.send_due(world.group, at=AT + HOUR) == 6
    read = [q["sql"] for q in queries if q["sql"].startswith("SELECT") and '"sent_at" >' in q["sql"]]
    assert len(read) == 1


def test_what_was_brought_is_forgotten_in_time_and_what_waits_is_not(world: World, settings: Any) -> None:
    settings.MESSAGES_PER_PERSON = 1
    tell(world, "one")
    tell(world, "two")
    assert retention.prune(at=AT + settings.KEEP + HOUR)["parcels"] == 1
    assert Parcel.objects.get().notification.subject == "About two"


def test_who_wants_no_mail_gets_none(world: World) -> None:
    Preferences.objects.create(user=world.owner, channels=["in_app"])
    tell(world, "one")
    assert Notification.objects.count() == 1
    assert not Parcel.objects.exists()


def test_a_message_that_arrives_twice_is_brought_once(world: World) -> None:
    tell(world, "one", "one")
    assert len(mails(world.owner)) == 1


def test_very_many_messages_are_told_in_part_and_counted(asleep: World) -> None:
    tell(asleep, *(f"n{number}" for number in range(25)))
    parcels.send_due(asleep.group, at=AT + HOUR)
    (mail,) = mails(asleep.owner)
    assert "5 earlier messages are in your inbox" in mail["text"]
    assert mail["text"].count("The text of") == 20


def test_the_frame_of_a_mail_is_in_the_readers_language(world: World) -> None:
    Preferences.objects.create(user=world.tenant_admin, language="zh")
    message(world, world.tenant_admin, tenant="tenant-a")
    assert "租户 tenant-a 的管理员" in mails(world.tenant_admin)[0]["text"]


def test_html_of_others_is_not_sent_on(world: World) -> None:
    message(world, world.owner, html="<script>alert(1)</script>")
    assert "<script>" not in mails(world.owner)[0]["html"]


def test_who_wants_chat_is_told_there_and_of_several_messages_in_short(world: World) -> None:
    Preferences.objects.create(
        user=world.owner,
        channels=["in_app", "chat"],
        chat="json://chat.example.org",
        quiet_from=time(1),
        quiet_until=(AT + HOUR).time(),
    )
    tell(world, "one", "two")
    parcels.send_due(world.group, at=AT + HOUR)
    row = OutboxMessage.objects.get(destination=Destination.CHAT)
    assert row.payload["title"] == "2 messages, the latest: About two"
    assert row.payload["text"].startswith("- About one\n- About two\n")
    assert row.payload["text"].endswith("/g/acme/notifications/")
    assert mails(world.owner) == []


def test_one_message_is_told_whole_in_a_chat_with_its_own_link(world: World) -> None:
    Preferences.objects.create(user=world.owner, channels=["chat", "email"], chat="json://chat.example.org")
    message(world, world.owner, link="https://elsewhere.example/page")
    row = OutboxMessage.objects.get(destination=Destination.CHAT)
    assert row.payload["text"] == "Read this.\nhttps://elsewhere.example/page"
    assert len(mails(world.owner)) == 1


def test_a_message_that_was_late_itself_keeps_to_the_hours_of_when_it_comes(world: World) -> None:
    Preferences.objects.create(user=world.owner, quiet_from=time(22), quiet_until=time(7))
    recipient = {"user": "owner", "subject": "Hello", "text": "Read this.", "key": "one"}
    payload = {"kind": "alert", "recipients": [recipient]}
    outbox.post(Destination.NOTIFY, payload, group_id=world.group.pk, idempotency_key="one", at=AT)
    delivery.deliver_due(at=AT.replace(hour=23))
    assert mails(world.owner) == []
    assert Parcel.objects.get().held_because == "quiet"
