"""Receivers that are left alone for a while, on the page of deliveries."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Circuit, Entry, OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus
from config.access import SYSTEM
from governance import webhooks
from governance.models import WebhookSubscription
from tenants import chats
from tenants.models import TeamChat
from tests.factories import AT, World
from tests.governance.test_delivery_pages import LIST, message, text


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def test_a_receiver_that_is_left_alone_is_shown_with_what_to_do_and_tried_again(
    world: World, owner: Client
) -> None:
    webhook = WebhookSubscription.objects.create(group=world.group, name="pager", url="https://x", secret="s")
    now = timezone.now()
    circuit = Circuit.objects.create(
        group_id=world.group.pk,
        destination=Destination.WEBHOOK,
        address=str(webhook.pk),
        failures=5,
        breaks=1,
        since=now,
        rests_until=now + timedelta(minutes=9),
        last_error="ConnectError: refused",
        cause=Cause.AWAY,
    )
    waits = message(
        world,
        "w",
        OutboxStatus.PENDING,
        Destination.WEBHOOK,
        address=webhook.pk,
        cause=Cause.HELD,
        next_attempt_at=now + timedelta(minutes=9),
    )
    page = text(owner)
    for said in (
        "Webhook pager",
        "is left alone until",
        "is it running",
        "See to the receiver",
        "ConnectError",
    ):
        assert said in page
    owner.post(f"{LIST}circuits/{circuit.pk}/retry/")
    waits.refresh_from_db()
    assert now <= waits.next_attempt_at < now + timedelta(minutes=1)
    assert "is left alone until" not in text(owner)
    [entry] = Entry.objects.filter(action="delivery.retried")
    assert (entry.subject_label, entry.data["released"]) == ("Webhook pager", 1)


def test_a_receiver_that_has_ended_is_not_shown_as_left_alone(world: World, owner: Client) -> None:
    chat = TeamChat.objects.create(group=world.group, name="ops", address="x")
    webhook = WebhookSubscription.objects.create(group=world.group, name="pager", url="https://x", secret="s")
    until = timezone.now() + timedelta(minutes=9)
    for destination, address in (("webhook", f"{webhook.pk}"), ("chat", f"team-{chat.pk}")):
        Circuit.objects.create(
            group_id=world.group.pk,
            destination=destination,
            address=address,
            breaks=1,
            since=AT,
            rests_until=until,
        )
    assert text(owner).count("is left alone until") == 2
    chats.end(chat, actor=SYSTEM, at=AT)
    assert text(owner).count("is left alone until") == 1
    webhooks.unsubscribe(world.group, name="pager", actor=SYSTEM, at=AT)
    assert "is left alone until" not in text(owner)


def test_a_chat_that_is_left_alone_is_shown_by_its_name(world: World, owner: Client) -> None:
    chat = TeamChat.objects.create(group=world.group, name="ops", address="x")
    shared: dict[str, Any] = {"group_id": world.group.pk, "destination": Destination.CHAT, "since": AT}
    for address in (f"team-{chat.pk}", f"person-{world.viewer.pk}", "team-0"):
        Circuit.objects.create(**shared, address=address, breaks=1, rests_until=AT)
    page = text(owner)
    for said in ("Chat ops", "Chat viewer", "Chat team-0"):
        assert said in page
    circuit = Circuit.objects.get(address=f"team-{chat.pk}")
    answer = owner.post(f"{LIST}circuits/{circuit.pk}/retry/", follow=True)
    assert "Chat ops is tried again now" in answer.content.decode()


def test_a_dead_letter_that_is_retried_is_not_held_up_by_a_rest(world: World, owner: Client) -> None:
    dead = message(world, "m", address="ann@example.org")
    for path in (f"{dead.pk}/retry/", "retry/"):
        OutboxMessage.objects.update(status=OutboxStatus.DEAD)
        until = timezone.now() + timedelta(minutes=9)
        Circuit.objects.update_or_create(
            group_id=world.group.pk,
            destination=Destination.EMAIL,
            defaults={"since": AT, "breaks": 1, "rests_until": until},
        )
        owner.post(f"{LIST}{path}")
        assert not Circuit.objects.holding(timezone.now()).exists()


def test_another_groups_receivers_are_not_there(world: World, owner: Client) -> None:
    circuit = Circuit.objects.create(
        group_id=world.group.pk + 1, destination="email", breaks=1, since=AT, rests_until=AT
    )
    assert owner.post(f"{LIST}circuits/{circuit.pk}/retry/").status_code == 404
    assert "is tried again now" not in text(owner)
