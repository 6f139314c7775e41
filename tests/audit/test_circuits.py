"""Receivers that fail again and again are left alone for a while, and what waits for them loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from audit import circuits, outbox
from audit.models import Circuit, OutboxMessage
from audit.models.outbox import Cause, Destination
from audit.outbox import Delivery
from audit.senders import Undeliverable
from tests.factories import AT

SOON = timedelta(seconds=1)


class Receiver:
    """Fails as long as it is `away`."""

    def __init__(self) -> None:
        self.away: Exception | None = ConnectionError("away")
        self.asked: list[str] = []

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        self.asked.append(message.idempotency_key)
        if self.away is not None:
            raise self.away
        return {}

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None: ...

    def give_up(self, message: OutboxMessage, reason: str, at: Any) -> None: ...


@pytest.fixture
def receiver(db: None) -> Receiver:
    return Receiver()


def post(
    count: int,
    *,
    to: Destination = Destination.WEBHOOK,
    address: str = "1",
    group: int = 1,
    payload: dict[str, Any] | None = None,
) -> None:
    for number in range(count):
        key = f"{to}-{group}-{address}-{number}-{OutboxMessage.objects.count()}"
        outbox.post(to, payload or {}, group_id=group, idempotency_key=key, address=address, at=AT)


def deliver(receiver: Receiver, after: timedelta = timedelta(0)) -> Delivery:
    return outbox.deliver_due(dict.fromkeys(Destination, receiver), at=AT + after)


@given(st.integers(1, 1000))
def test_a_rest_grows_and_has_an_end(breaks: int) -> None:
    assert circuits.FIRST_REST <= circuits.rest(breaks) <= circuits.rest(breaks + 1) <= circuits.LONGEST_REST
    assert circuits.rest(1) == circuits.FIRST_REST
    assert circuits.rest(1000) == circuits.LONGEST_REST


def test_after_some_failures_in_a_row_it_is_left_alone_and_nothing_loses_an_attempt(
    receiver: Receiver,
) -> None:
    post(20)
    assert deliver(receiver).postponed == 20
    assert len(receiver.asked) == circuits.AFTER
    held = OutboxMessage.objects.filter(cause=Cause.HELD)
    assert set(held.values_list("attempts", "last_error", "next_attempt_at")) == {
        (0, "", AT + circuits.FIRST_REST)
    }
    assert held.count() == 15
    assert OutboxMessage.objects.filter(attempts=1, cause=Cause.AWAY).count() == circuits.AFTER


def test_what_had_failed_before_is_still_known_to_have(receiver: Receiver) -> None:
    post(circuits.AFTER)
    deliver(receiver)
    deliver(receiver, after=timedelta(seconds=30))
    told = OutboxMessage.objects.values_list("attempts", "last_error", "cause")
    assert set(told) == {(1, "ConnectionError: away", Cause.HELD)}


def test_a_receiver_that_is_still_away_is_left_alone_for_longer_and_one_that_is_back_is_sent_all(
    receiver: Receiver,
) -> None:
    post(30)
    deliver(receiver)
    deliver(receiver, after=circuits.FIRST_REST)
    assert len(receiver.asked) == circuits.AFTER + 1, "one failure is enough to see that it is"
    circuit = Circuit.objects.get()
    again = circuits.FIRST_REST + circuits.rest(2)
    assert (circuit.breaks, circuit.rests_until) == (2, AT + again)
    receiver.away = None
    for late in (again, again + circuits.SOON, again + 2 * circuits.SOON):
        deliver(receiver, after=late)
    assert not OutboxMessage.objects.undelivered().exists()
    assert not Circuit.objects.exists()


def test_others_are_delivered_meanwhile(receiver: Receiver) -> None:
    post(9)
    deliver(receiver)
    receiver.away = None
    post(2, address="2")
    post(2, group=2)
    post(2, to=Destination.CHAT)
    post(2, to=Destination.ORCHESTRATOR)
    assert deliver(receiver).delivered == 8


def test_a_success_between_failures_begins_the_count_anew(receiver: Receiver) -> None:
    post(circuits.AFTER - 1)
    deliver(receiver)
    receiver.away = None
    post(1)
    deliver(receiver)
    receiver.away = ConnectionError("away")
    post(circuits.AFTER - 1)
    deliver(receiver)
    assert not Circuit.objects.broken().exists()


@pytest.mark.parametrize("failure", [Undeliverable("It has ended."), ValueError("odd")])
def test_what_is_a_messages_own_fault_says_nothing_of_the_mail_server(
    receiver: Receiver, failure: Exception
) -> None:
    receiver.away = failure
    post(9, to=Destination.EMAIL)
    deliver(receiver)
    assert len(receiver.asked) == 9
    assert not Circuit.objects.exists()


def test_an_answer_that_we_cannot_note_says_nothing_of_the_receiver(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settle(*told: Any) -> None:
        raise LookupError("no such task")

    monkeypatch.setattr(receiver, "settle", settle)
    receiver.away = None
    post(9)
    assert deliver(receiver).postponed == 9
    assert len(receiver.asked) == 9
    assert not Circuit.objects.exists()


def test_a_failure_that_cannot_be_counted_is_one_nevertheless(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def note_failure(*told: Any, **more: Any) -> None:
        raise OperationalError("deadlock detected")

    monkeypatch.setattr(circuits, "note_failure", note_failure)
    post(1)
    with pytest.raises(OperationalError):
        deliver(receiver)
    row = OutboxMessage.objects.get()
    assert (row.last_error, row.lease_until) == ("ConnectionError: away", None)
    assert row.next_attempt_at > AT


def test_all_mail_goes_by_one_server(receiver: Receiver) -> None:
    for number in range(9):
        post(1, to=Destination.EMAIL, address=f"{number}@example.org")
    deliver(receiver)
    assert len(receiver.asked) == circuits.AFTER
    assert Circuit.objects.get().address == ""


def test_upgrades_wait_each_for_their_own_turn(receiver: Receiver) -> None:
    post(9, to=Destination.ORCHESTRATOR)
    deliver(receiver)
    assert len(receiver.asked) == 9
    assert not Circuit.objects.exists()


def test_a_person_has_it_tried_again_at_once(receiver: Receiver) -> None:
    post(9)
    deliver(receiver)
    assert circuits.release(Circuit.objects.all(), at=AT + SOON) == 9 - circuits.AFTER
    receiver.away = None
    assert deliver(receiver, after=SOON).delivered >= 9 - circuits.AFTER
    assert not Circuit.objects.exists()


def test_a_success_and_a_person_take_hold_of_circuits_before_the_messages_that_wait(
    receiver: Receiver,
) -> None:
    post(9)
    deliver(receiver)

    def order(work: Callable[[], object]) -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            work()
        changes = [one["sql"] for one in asked if one["sql"].startswith(("UPDATE", "DELETE"))]
        return [next(word for word in ("circuit", "outboxmessage") if word in sql) for sql in changes]

    assert order(lambda: circuits.release(Circuit.objects.all(), at=AT)) == ["circuit", "outboxmessage"]
    one = OutboxMessage.objects.latest("created_at")
    assert order(lambda: circuits.note_success(one, at=AT)) == ["circuit", "outboxmessage"]


def test_once_a_mail_gets_through_the_others_go_soon(receiver: Receiver) -> None:
    for number in range(9):
        post(1, to=Destination.EMAIL, address=f"{number}@example.org")
    deliver(receiver)
    OutboxMessage.objects.filter(cause=Cause.HELD).update(next_attempt_at=AT + circuits.LONGEST_REST)
    receiver.away = None
    Circuit.objects.update(rests_until=AT)
    post(1, to=Destination.EMAIL, address="new@example.org")
    deliver(receiver, after=SOON)
    latest = AT + SOON + circuits.SOON
    assert not OutboxMessage.objects.undelivered().filter(next_attempt_at__gt=latest).exists()


def test_a_mail_of_one_group_that_gets_through_lets_the_mail_of_all_others_go(receiver: Receiver) -> None:
    for group in (1, 2):
        post(9, to=Destination.EMAIL, address="ann@example.org", group=group)
    post(9)
    deliver(receiver)
    assert Circuit.objects.broken().count() == 3
    receiver.away = None
    Circuit.objects.filter(group_id=1).update(rests_until=AT)
    post(1, to=Destination.EMAIL, address="new@example.org")
    deliver(receiver, after=SOON)
    deliver(receiver, after=2 * circuits.SOON)
    mail = OutboxMessage.objects.filter(destination=Destination.EMAIL)
    assert not mail.undelivered().exists()


def test_a_team_and_a_person_of_one_name_are_two_receivers(receiver: Receiver) -> None:
    team, person = {"team": 7}, {"person": 7}
    post(9, to=Destination.CHAT, address="ops", payload=team)
    deliver(receiver)
    receiver.away = None
    post(3, to=Destination.CHAT, address="ops", payload=person)
    assert deliver(receiver).delivered == 3
    assert Circuit.objects.holding(AT).get().address == "team-7"
    held = OutboxMessage.objects.filter(cause=Cause.HELD)
    assert set(held.values_list("payload__team", "next_attempt_at")) == {(7, AT + circuits.FIRST_REST)}
    assert circuits.release(Circuit.objects.all(), at=AT + SOON) == 9 - circuits.AFTER
    assert deliver(receiver, after=2 * circuits.SOON).delivered == 9


@pytest.mark.parametrize("address", ["", "ops", "team-a", "on-7", "team-"])
def test_a_chats_address_that_stands_for_no_record_says_so(address: str) -> None:
    assert circuits.record_of("chat", address) is None
    assert circuits.record_of("webhook", address) is None
