"""What reaches people: the contract's own end, and e-mail."""

import re
import socket
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from audit import outbox
from audit.actions import Action
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from config.access import SYSTEM
from governance import delivery, notifications
from governance.models import (
    Notification,
    Plugin,
)
from governance.notifications import NotificationRefused
from tenants import chats, groups, reach
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import DUE, behind, deliver, message, run


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "powerx-crm-plugin", ["2.3.0", "2.4.0"])


@pytest.fixture
def drift(world: World, crm: Plugin) -> World:
    return behind(world, crm)


def test_a_delivered_digest_is_in_the_inbox_and_on_its_way_by_mail(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    deliver(first)
    inbox = Notification.objects.within(drift.access(drift.tenant_admin))
    assert [(row.tenant, row.due_at) for row in inbox] == [(drift.tenant_a, DUE)]
    mails = OutboxMessage.objects.filter(destination=Destination.EMAIL)
    assert sorted(mails.values_list("address", flat=True)) == [
        "owner@example.org",
        "tenant-admin@example.org",
    ]


def test_a_digest_that_arrives_twice_is_kept_and_mailed_once(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    deliver(first)
    deliver(first)
    assert Notification.objects.count() == 2
    assert OutboxMessage.objects.filter(destination=Destination.EMAIL).count() == 2


def test_people_of_elsewhere_are_refused_by_name(world: World) -> None:
    answer = message(world, world.outsider)
    assert answer["accepted"] == []
    assert answer["refused"][0]["user"] == "outsider"
    assert "nobody of that name belongs to Acme" in answer["refused"][0]["reason"]
    assert not Notification.objects.exists()


@pytest.mark.parametrize("fields", [{"tenant": "tenant-b"}, {"lines": [{"tenant": "tenant-b"}]}])
def test_what_speaks_of_a_tenant_out_of_reach_is_refused(world: World, fields: dict[str, Any]) -> None:
    answer = message(world, world.tenant_admin, **fields)
    assert "tenant-b is out of the reader's reach" in answer["refused"][0]["reason"]
    assert message(world, world.owner, **fields)["refused"] == []


@pytest.mark.parametrize("fields", [{"link": "javascript:alert(1)"}, {"due_at": "2026-03-09"}])
def test_a_link_or_time_that_makes_no_sense_is_refused(world: World, fields: dict[str, Any]) -> None:
    assert len(message(world, world.owner, **fields)["refused"]) == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"due_at": "2026-13-40T00:00:00Z"}, "lines[1].due_at: is not a time with its offset"),
        ({"due_at": 5}, "lines[1].due_at: is not a time with its offset"),
        ({"finding": "x"}, "lines[1].finding: is not the number of a finding"),
        ({"finding": 2**63}, "lines[1].finding: is not the number of a finding"),
        ("x", "lines: is not a list of objects"),
    ],
)
def test_a_line_that_the_inbox_could_not_show_is_refused_with_its_place(
    world: World, line: Any, told: str
) -> None:
    good = {"plugin": "crm", "due_at": "2026-03-09T00:00:00Z", "finding": 7}
    assert message(world, world.owner, lines=[good])["refused"] == []
    assert message(world, world.owner, lines=[good, line])["refused"][0]["reason"] == told


def test_a_payload_that_is_not_the_contracts_is_refused_whole(world: World) -> None:
    for payload in (
        {"kind": "gossip"},
        {"kind": "alert", "recipients": []},
        {"kind": "alert", "recipients": [{}]},
    ):
        with pytest.raises(NotificationRefused):
            notifications.receive(world.group.pk, payload, idempotency_key="k", at=AT)


def test_mail_goes_to_the_address_that_is_known(world: World) -> None:
    message(world, world.owner, email="someone@elsewhere.example")
    assert OutboxMessage.objects.get(destination=Destination.EMAIL).address == "owner@example.org"


def test_acknowledging_is_in_the_ledger_once_and_means_read(world: World) -> None:
    message(world, world.tenant_admin, tenant="tenant-a")
    row = Notification.objects.get()
    access = world.access(world.tenant_admin)
    assert notifications.unread_count(access) == 1
    for _ in range(2):
        notifications.acknowledge(row, actor=access.actor, at=AT)
    assert notifications.unread_count(access) == 0
    entry = Entry.objects.get(action=Action.REMINDER_ACKNOWLEDGED)
    assert (entry.actor_name, entry.tenant_id) == ("tenant-admin", world.tenant_a.pk)


class Mailbox:
    """What a mail server got."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 taken"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A real mail server that the product sends to."""
    taken = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(taken, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield taken
    server.stop()


def test_a_digest_reaches_its_reader_by_real_mail(drift: World, mailbox: Mailbox) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    done = delivery.deliver_due(at=AT)
    assert (done.delivered, done.postponed) == (4, 0)  # two digests, and the mail that each becomes
    by_reader = {readers[0]: mail for readers, mail in mailbox.mails}
    mail = by_reader["tenant-admin@example.org"]
    assert mail["Subject"] == "tenant-a: 1 finding"
    plain, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())  # type: ignore[union-attr]
    assert "powerx-crm-plugin 2.3.0 -> 2.4.0" in plain
    assert "/g/acme/notifications/" in plain
    assert re.search(r"<td>2\.3\.0</td><td>2\.4\.0</td>", html)
    assert "tenant-b" not in plain + html


def test_a_mail_server_that_is_away_is_asked_again_later(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    message(world, world.owner)
    assert delivery.deliver_due(at=AT) == outbox.Delivery(postponed=1)
    assert "refused" in OutboxMessage.objects.get().last_error


def test_a_person_of_two_roles_reaches_every_tenant(world: World) -> None:
    groups.add_member(world.group, world.tenant_admin, Role.AUDITOR, actor=SYSTEM, at=AT)
    assert reach.access_of_person(world.tenant_admin, "acme") is not None
    assert message(world, world.tenant_admin, tenant="tenant-b")["refused"] == []


@pytest.mark.parametrize("attempts", [1, 2])
def test_a_mail_whose_sending_was_cut_off_is_left_to_a_person(world: World, attempts: int) -> None:
    message(world, world.owner)
    held = AT + outbox.LEASE  # by nobody who lives
    OutboxMessage.objects.filter(destination="email").update(lease_until=held, attempts=attempts)

    delivery.deliver_due(at=AT)

    mail = OutboxMessage.objects.get(destination="email")
    assert (mail.status, mail.last_error) == (OutboxStatus.DEAD, delivery.CUT_OFF)


def test_a_chat_message_whose_sending_was_cut_off_is_left_to_a_person(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[OutboxMessage] = []
    monkeypatch.setattr(chats, "send", sent.append)
    payload = {"title": "Hello", "text": "Read this."}
    outbox.post(Destination.CHAT, payload, group_id=world.group.pk, idempotency_key="chat", at=AT)
    OutboxMessage.objects.filter(destination=Destination.CHAT).update(attempts=1)

    delivery.deliver_due(at=AT)

    row = OutboxMessage.objects.get(destination=Destination.CHAT)
    assert (row.status, row.last_error, sent) == (OutboxStatus.DEAD, delivery.CUT_OFF, [])
