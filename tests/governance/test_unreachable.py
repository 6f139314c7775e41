"""Whoever couldn't be reached is named with the cause and what to do, and tried again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Machine, OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus
from config.access import SYSTEM
from governance import delivery, events, webhooks
from tests.factories import AT, World
from tests.sandbox.receiver import Receiver

pytestmark = pytest.mark.django_db
LIST = "/g/acme/deliveries/"
NOWHERE = "http://127.0.0.1:9"
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def page(client: Client, query: str = "") -> str:
    return client.get(f"{LIST}{query}").content.decode()


def told_to(world: World, url: str) -> OutboxMessage:
    """An event that is on its way to a webhook."""
    webhooks.subscribe(world.group, name="chat", url=url, actor=SYSTEM, at=AT)
    events.alert(world.group, "conflict_found", {"conflicts": ["c-1"]}, key="k", at=AT)
    delivery.deliver_due(at=AT)
    return OutboxMessage.objects.get(destination=Destination.WEBHOOK)


def test_a_receiver_whose_clock_is_wrong_is_named_by_how_much_and_is_tried_again(
    world: World, receiver: Receiver, owner: Client
) -> None:
    receiver.refuse_next, receiver.refusal = 1, (401, "Message timestamp too new")
    receiver.clock_off = -timedelta(minutes=12)

    message = told_to(world, receiver.url)

    assert (message.status, message.cause) == (OutboxStatus.PENDING, Cause.CLOCK)
    assert "its clock is 12 minutes behind this machine’s" in message.last_error
    shown = page(owner)
    assert "A clock is wrong" in shown
    assert "set its clock and this machine’s by the same time server" in shown
    receiver.clock_off = timedelta()
    assert delivery.deliver_due(at=LATER).delivered == 1
    message.refresh_from_db()
    assert (message.cause, message.last_error) == ("", "")


def test_a_receiver_that_is_full_is_named(world: World, receiver: Receiver, owner: Client) -> None:
    receiver.refuse_next, receiver.refusal = 1, (507, "")
    assert told_to(world, receiver.url).cause == Cause.FULL
    assert "make room there" in page(owner, "?cause=full")
    assert "make room there" not in page(owner, "?cause=away")


def test_a_receiver_that_is_away_is_named(world: World, owner: Client) -> None:
    assert told_to(world, NOWHERE).cause == Cause.AWAY
    assert "is it running, and is its address right?" in page(owner)


def test_a_full_receiver_is_named_and_tried_again_once_it_has_room(
    world: World, receiver: Receiver, owner: Client
) -> None:
    receiver.refuse_next, receiver.refusal = 1, (413, "no room")

    message = told_to(world, receiver.url)

    assert (message.status, message.cause) == (OutboxStatus.PENDING, Cause.FULL)
    assert "make room there" in page(owner)
    assert delivery.deliver_due(at=LATER).delivered == 1


def test_a_machine_whose_clock_is_wrong_or_whose_database_is_slow_is_named_on_the_page(
    world: World, owner: Client
) -> None:
    Machine.objects.create(
        name="worker-7",
        clock_ahead=timedelta(minutes=8),
        commit_time=timedelta(seconds=2),
        seen_at=timezone.now(),
    )

    shown = page(owner)

    assert "The clock of worker-7 is 8 minutes ahead of the database’s." in shown
    assert "The database takes 2,000 ms for each change that worker-7 makes." in shown
    assert "set both clocks by the same time server, then retry" in shown
