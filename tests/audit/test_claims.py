"""Messages of a destination that knows repetitions: taken, sent and noted together, each by its own fate."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit import claims, outbox
from audit.models import OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from audit.outbox import Delivery
from audit.senders import Answered, Undeliverable
from tests.factories import AT

pytestmark = pytest.mark.django_db


class Many:
    """A destination that takes many, does as it is told for each key, and remembers."""

    def __init__(self, failures: dict[str, Exception] | None = None, odd: str = "") -> None:
        self.failures = failures or {}
        self.odd = odd
        self.sent: list[str] = []
        self.settled: list[list[str]] = []
        self.given_up: list[str] = []

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        self.sent.append(message.idempotency_key)
        if failure := self.failures.get(message.idempotency_key):
            raise failure
        return {"id": message.idempotency_key}

    def calls(self, messages: Sequence[OutboxMessage]) -> Iterator[Callable[[], dict[str, Any]]]:
        return (partial(self.send, message) for message in messages)

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: Any) -> None:
        raise AssertionError("settled one by one")

    def settle_all(self, answered: Answered, at: Any) -> None:
        keys = [message.idempotency_key for message, _ in answered]
        if self.odd in keys:
            raise LookupError("no such task")
        self.settled.append(keys)

    def give_up(self, message: OutboxMessage, reason: str, at: Any) -> None:
        self.given_up.append(message.idempotency_key)


def post(*keys: str, group_id: int = 1) -> None:
    """Each a moment after the one before: which of the same moment comes first, nobody says."""
    for key in keys:
        at = AT - timedelta(minutes=1) + timedelta(milliseconds=OutboxMessage.objects.count())
        outbox.post(Destination.ORCHESTRATOR, {}, group_id=group_id, idempotency_key=key, at=at)


def deliver(sender: Many, *, after: timedelta = timedelta(0), limit: int = 100) -> Delivery:
    return outbox.deliver_due({Destination.ORCHESTRATOR: sender}, at=AT + after, limit=limit)


def test_what_is_taken_together_is_noted_together_with_each_ones_answer() -> None:
    post("a", "b", "c")
    sender = Many()
    assert deliver(sender) == Delivery(delivered=3)
    assert sender.settled == [["a", "b", "c"]]
    rows = OutboxMessage.objects.order_by("created_at", "idempotency_key")
    assert [row.response for row in rows] == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert {(row.status, row.attempts, row.lease_until) for row in rows} == {
        (OutboxStatus.DELIVERED, 1, None)
    }


def test_one_that_fails_keeps_none_of_the_others() -> None:
    post("a", "b", "c", "d")
    sender = Many({"b": ConnectionError("away"), "c": Undeliverable("never")})
    assert deliver(sender) == Delivery(delivered=2, postponed=1, given_up=1)
    assert (sender.settled, sender.given_up) == ([["a", "d"]], ["c"])
    assert deliver(Many(), after=timedelta(seconds=5)) == Delivery(delivered=1)


def test_an_answer_that_cannot_be_noted_keeps_none_of_the_others() -> None:
    post("a", "odd", "c")
    sender = Many(odd="odd")
    assert deliver(sender) == Delivery(delivered=2, postponed=1)
    assert sender.settled == [["a"], ["c"]]
    assert OutboxMessage.objects.get(idempotency_key="odd").last_error == "", "it left"


def test_groups_are_not_mixed() -> None:
    post("a", "b")
    post("c", group_id=2)
    sender = Many()
    assert deliver(sender) == Delivery(delivered=3)
    assert sender.settled == [["a", "b"], ["c"]]


class Slow(Many):
    """One of which each message takes longer than a courier may carry what it took together."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int, str]] = []

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        self.seen.append((message.idempotency_key, message.attempts, message.last_error))
        return super().send(message)


def test_a_slow_receiver_gets_one_at_least_and_the_rest_is_as_if_never_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(outbox, "AT_A_STRETCH", -1.0)
    post("a", "b", "c")
    OutboxMessage.objects.exclude(idempotency_key="a").update(last_error="was away", attempts=3)
    sender = Slow()
    assert deliver(sender, limit=3) == Delivery(delivered=3)
    assert sender.seen == [("a", 1, ""), ("b", 4, "was away"), ("c", 4, "was away")]
    assert sender.settled == [["a"], ["b"], ["c"]]


def test_a_slow_receiver_gets_as_many_as_a_round_may_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "AT_A_STRETCH", -1.0)
    limit = 2 * claims.TOGETHER
    post(*(f"{number:02}" for number in range(limit + 3)))
    assert deliver(Slow(), limit=limit).delivered == limit
    untouched = OutboxMessage.objects.filter(status=OutboxStatus.PENDING, attempts=0, lease_until=None)
    assert untouched.count() == 3


def test_who_had_no_time_for_all_lets_the_others_take_only_what_there_is_time_for() -> None:
    turns = claims.Turns(3 * claims.TOGETHER)
    mine = turns.take()
    turns.settle(mine, used=mine)
    turns.slow_down("orchestrator", mine - 2, sent=2)
    assert (turns.together("orchestrator"), turns.together("audit")) == (2, claims.TOGETHER)
    left = []
    while mine := turns.take():
        left.append(mine)
        turns.settle(mine, used=mine)
    assert sum(left) == 3 * claims.TOGETHER - 2


def test_who_finds_no_turn_waits_for_those_that_another_one_may_not_need() -> None:
    turns = claims.Turns(claims.TOGETHER)
    mine = turns.take()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(turns.take)
        turns.settle(mine, used=1)
        assert other.result(timeout=10) == claims.TOGETHER - 1
    turns.settle(claims.TOGETHER - 1, used=claims.TOGETHER - 1)
    assert turns.take() == 0


def test_a_slow_destination_leaves_the_others_their_many() -> None:
    post("a", "b", "c")
    for key in ("x", "y", "z"):
        later = AT + timedelta(seconds=1)
        outbox.post(Destination.AUDIT, {}, group_id=1, idempotency_key=key, at=later)
    slow = {"orchestrator": 2, "audit": claims.TOGETHER}
    asked: dict[str, Any] = {
        "until": AT + outbox.LEASE,
        "destinations": list(slow),
        "many": slow,
        "most": claims.TOGETHER,
    }
    soon = AT + timedelta(seconds=2)
    taken = [[one.idempotency_key for one in claims.claim(soon, soon, **asked)] for _ in range(4)]
    assert taken == [["a", "b"], ["c"], ["x", "y", "z"], []]


def test_one_that_goes_alone_is_taken_without_a_hold_on_those_behind_it() -> None:
    for key in "abc":
        outbox.post(Destination.EMAIL, {}, group_id=1, idempotency_key=key, at=AT)
    with CaptureQueriesContext(connection) as asked:
        found = claims.claim(AT, AT, until=AT + outbox.LEASE, destinations=["email"], many={}, most=25)
    assert [message.idempotency_key for message in found] == ["a"]
    assert ["LIMIT 1 FOR UPDATE" in one["sql"] for one in asked if "FOR UPDATE" in one["sql"]] == [True]


def test_a_round_takes_no_more_than_its_limit() -> None:
    post(*(f"{number:02}" for number in range(claims.TOGETHER + 5)))
    assert deliver(Many(), limit=claims.TOGETHER + 2).delivered == claims.TOGETHER + 2
    assert OutboxMessage.objects.filter(status=OutboxStatus.PENDING, attempts=0).count() == 3


def statements(count: int) -> int:
    post(*(f"{count}-{number}" for number in range(count)))
    with CaptureQueriesContext(connection) as asked:
        assert deliver(Many()).delivered == count
    return len(asked)


def test_twenty_take_as_many_statements_as_two() -> None:
    assert statements(20) == statements(2)
