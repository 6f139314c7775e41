"""The outbox: nothing lost, nothing twice at the same time, nothing tried for ever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from audit import circuits, leases, outbox
from audit.models import OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus
from audit.outbox import Delivery
from audit.senders import Undeliverable
from tests.factories import AT

pytestmark = pytest.mark.django_db


class Recorder:
    """A destination that does as it is told, and remembers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.sent: list[str] = []
        self.settled: list[dict[str, Any]] = []
        self.given_up: list[str] = []

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        self.sent.append(message.idempotency_key)
        if self.failures:
            raise self.failures.pop(0)
        return {"ok": True}

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None:
        self.settled.append(answer)

    def give_up(self, message: OutboxMessage, reason: str, at: Any) -> None:
        self.given_up.append(reason)


def post(key: str = "k") -> None:
    outbox.post(Destination.NOTIFY, {"hello": 1}, group_id=1, idempotency_key=key, at=AT)


def deliver(recorder: Recorder, *, after: timedelta = timedelta(0)) -> Delivery:
    return outbox.deliver_due({Destination.NOTIFY: recorder}, at=AT + after)


def test_a_message_is_delivered_once() -> None:
    recorder = Recorder()
    post()

    assert deliver(recorder).delivered == 1
    assert deliver(recorder, after=timedelta(hours=1)).delivered == 0
    assert (recorder.sent, recorder.settled) == (["k"], [{"ok": True}])


def test_the_same_key_is_one_message() -> None:
    post()
    post()

    assert OutboxMessage.objects.count() == 1


def test_a_failure_is_tried_again_later_and_not_at_once() -> None:
    recorder = Recorder(ConnectionError("away"))
    post()

    assert deliver(recorder).postponed == 1
    assert deliver(recorder) == Delivery()
    assert deliver(recorder, after=timedelta(seconds=5)).delivered == 1
    assert OutboxMessage.objects.get().attempts == 2


def test_a_refusal_is_not_tried_again() -> None:
    recorder = Recorder(Undeliverable("no such tenant"))
    post()

    assert deliver(recorder).given_up == 1
    assert recorder.given_up == ["no such tenant"]
    assert OutboxMessage.objects.get().status == OutboxStatus.DEAD


def test_what_fails_too_often_is_given_up_and_can_be_retried() -> None:
    recorder = Recorder(*(ConnectionError("away") for _ in range(outbox.MAX_ATTEMPTS)))
    post()
    for attempt in range(outbox.MAX_ATTEMPTS):
        deliver(recorder, after=attempt * outbox.LONGEST_WAIT)
    message = OutboxMessage.objects.get()
    assert message.status == OutboxStatus.DEAD

    outbox.retry(message, at=AT)

    assert deliver(recorder).delivered == 1


@contextmanager
def somebody_holds(message: OutboxMessage) -> Iterator[None]:
    """Another session has the message in hand, until it ends."""
    other, lock = connection.copy(), leases.key(message.pk)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [lock])
            yield
    finally:
        other.close()
        with connection.cursor() as cursor:  # the server ends a session only after it was left
            cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_unlock(%s)", [lock, lock])


def test_a_message_in_someones_hands_is_left_to_them() -> None:
    recorder = Recorder()
    post()
    OutboxMessage.objects.update(lease_until=AT + outbox.LEASE)

    with somebody_holds(OutboxMessage.objects.get()):
        assert deliver(recorder) == Delivery()
        assert deliver(recorder, after=outbox.LEASE + timedelta(seconds=1)) == Delivery()


def test_a_holder_that_hangs_past_its_lease_keeps_nobody_from_the_next_message() -> None:
    recorder = Recorder()
    post("hangs")
    OutboxMessage.objects.update(lease_until=AT - timedelta(seconds=1), next_attempt_at=AT - outbox.LEASE)
    held = OutboxMessage.objects.get()
    post("next")

    with somebody_holds(held):
        assert deliver(recorder).delivered == 1

    assert recorder.sent == ["next"]


def test_an_answer_that_cannot_be_noted_is_asked_for_again_in_its_time_and_keeps_nobody_waiting() -> None:
    class Forgetful(Recorder):
        def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None:
            if message.idempotency_key == "odd":
                raise LookupError("no such task")
            super().settle(message, answer, at)

    recorder = Forgetful()
    post("odd")
    post("next")

    assert deliver(recorder) == Delivery(delivered=1, postponed=1)
    assert deliver(recorder) == Delivery(), "not again at once"
    odd = OutboxMessage.objects.get(idempotency_key="odd")
    assert (odd.status, odd.lease_until, odd.response) == (OutboxStatus.PENDING, None, None)
    assert (odd.last_error, odd.cause) == ("", Cause.FAULT), "it left: whoever sends what can't be taken back"
    for attempt in range(1, outbox.MAX_ATTEMPTS):
        deliver(recorder, after=attempt * outbox.LONGEST_WAIT)
    odd.refresh_from_db()
    assert (odd.status, recorder.given_up) == (OutboxStatus.DEAD, ["LookupError: no such task"])


def test_one_that_can_neither_be_noted_nor_given_up_keeps_nobody_waiting() -> None:
    class Broken(Recorder):
        def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None:
            if message.idempotency_key == "odd":
                raise LookupError("no such task")

        def give_up(self, message: OutboxMessage, reason: str, at: Any) -> None:
            raise LookupError("no such task")

    post("odd")
    OutboxMessage.objects.update(attempts=outbox.MAX_ATTEMPTS - 1)
    post("next")

    assert deliver(Broken()) == Delivery(delivered=1, given_up=1)
    odd = OutboxMessage.objects.get(idempotency_key="odd")
    assert (odd.status, odd.last_error) == (OutboxStatus.DEAD, "LookupError: no such task")
    assert odd.lease_until is None


def test_an_attempt_that_was_cut_off_is_told_from_one_that_failed_also_after_a_failure() -> None:
    class Watching(Recorder):
        def send(self, message: OutboxMessage) -> dict[str, Any]:
            told.append(message.last_error)
            if message.attempts == 2:
                raise KeyboardInterrupt  # killed while it was sent
            return super().send(message)

    told: list[str] = []
    recorder = Watching(ConnectionError("away"))
    post()
    deliver(recorder)
    with pytest.raises(KeyboardInterrupt):
        deliver(recorder, after=timedelta(seconds=5))
    deliver(recorder, after=timedelta(minutes=5))
    assert told == ["", "ConnectionError: away", ""]


def test_a_message_that_its_holder_died_with_is_taken_up_at_once() -> None:
    post()
    OutboxMessage.objects.update(lease_until=AT + outbox.LEASE)

    with somebody_holds(OutboxMessage.objects.get()):
        pass

    assert deliver(Recorder()).delivered == 1


def test_what_follows_is_in_nobodys_hands_while_one_is_sent() -> None:
    class Slow(Recorder):
        def send(self, message: OutboxMessage) -> dict[str, Any]:
            held.append(OutboxMessage.objects.filter(lease_until__isnull=False).count())
            return super().send(message)

    held: list[int] = []
    post("first")
    post("second")

    assert deliver(Slow()).delivered == 2
    assert held == [1, 1]


def test_a_destination_without_a_sender_waits() -> None:
    post()

    assert outbox.deliver_due({}, at=AT) == Delivery()
    assert OutboxMessage.objects.get().status == OutboxStatus.PENDING


def test_what_waits_for_a_receiver_that_was_away_goes_soon_once_it_is_back() -> None:
    for key in ("first", "second"):
        post(key)
    OutboxMessage.objects.filter(idempotency_key="second").update(
        attempts=8, cause=Cause.AWAY, next_attempt_at=AT + timedelta(minutes=8)
    )

    assert deliver(Recorder()).delivered == 1

    waiting = OutboxMessage.objects.get(idempotency_key="second")
    assert AT < waiting.next_attempt_at <= AT + circuits.SOON


def test_what_was_refused_for_another_reason_keeps_its_wait() -> None:
    for key in ("first", "second"):
        post(key)
    due = AT + timedelta(minutes=8)
    OutboxMessage.objects.filter(idempotency_key="second").update(cause=Cause.FULL, next_attempt_at=due)

    deliver(Recorder())

    assert OutboxMessage.objects.get(idempotency_key="second").next_attempt_at == due
