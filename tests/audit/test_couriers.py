"""Several carry messages at once, each on a connection of its own, where a receiver is slow."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from django.db import connections
from pytest_django import DjangoDbBlocker

from audit import leases, outbox
from audit.models import OutboxMessage
from audit.models.outbox import Destination
from tests.factories import AT


@pytest.fixture
def db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Stands in for the usual one, which would roll back: other connections must see what is done here."""
    with django_db_blocker.unblock():
        yield
        OutboxMessage.objects.all().delete()
        connections.close_all()


class SlowOnFirst:
    """A destination that doesn't take the first message before it has all the others."""

    def __init__(self, others: int) -> None:
        self.sent: list[str] = []
        self._others = others
        self._others_sent = Event()

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        if message.idempotency_key == "slow":
            assert self._others_sent.wait(60), "nobody else carries the others"
        self.sent.append(message.idempotency_key)
        if len(self.sent) == self._others:
            self._others_sent.set()
        return {}

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None:
        """Nothing follows from it."""

    def give_up(self, message: OutboxMessage, reason: str, at: Any) -> None:
        raise AssertionError(reason)


def test_a_receiver_that_is_slow_holds_up_nobody_else(db: None) -> None:
    for key in ("slow", "second", "third"):
        outbox.post(Destination.NOTIFY, {}, group_id=1, idempotency_key=key, at=AT)
    receiver = SlowOnFirst(others=2)

    assert outbox.deliver_due({Destination.NOTIFY: receiver}, at=AT).delivered == 3
    assert receiver.sent[-1] == "slow"


class Takes:
    """A destination that takes everything."""

    def __init__(self) -> None:
        self.sent: list[str] = []

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        self.sent.append(message.idempotency_key)
        return {}

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None:
        """Nothing follows from it."""

    def give_up(self, message: OutboxMessage, reason: str, at: Any) -> None:
        raise AssertionError(reason)


def test_a_courier_that_hangs_beyond_its_lease_keeps_its_message_and_no_other(db: None) -> None:
    for key in ("hung", "next"):
        outbox.post(Destination.NOTIFY, {}, group_id=1, idempotency_key=key, at=AT)
    hung = OutboxMessage.objects.get(idempotency_key="hung")
    OutboxMessage.objects.filter(pk=hung.pk).update(lease_until=AT, next_attempt_at=AT - timedelta(hours=1))
    taken, over = Event(), Event()

    def hang() -> None:
        leases.take_all([hung.pk])
        taken.set()
        over.wait(60)
        connections.close_all()

    courier = Thread(target=hang)
    courier.start()
    assert taken.wait(60)
    receiver = Takes()
    try:
        outbox.deliver_due({Destination.NOTIFY: receiver}, at=AT + timedelta(minutes=2))
    finally:
        over.set()
        courier.join()
    assert receiver.sent == ["next"]
