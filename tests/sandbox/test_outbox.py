"""The callback outbox by itself, with its clock in the test's hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.callbacks import MOST_ATTEMPTS, CallbackOutbox, enqueue
from sandbox.contract import order_request
from sandbox.database import Database
from sandbox.faults import SettingsStore
from sandbox.orders import OrderBook
from sandbox.state import FleetState
from tests.sandbox.process import order

LATER = 1e12  # after any pause


@pytest.fixture
def database(state_path: Path) -> Database:
    return FleetState(state_path).database


def waiting(database: Database, state_path: Path, orders: int = 1) -> CallbackOutbox:
    """An outbox with two callbacks for each of some orders."""
    fleet = FleetState(state_path)
    book = OrderBook(fleet, SettingsStore(fleet.database))
    for number in range(orders):
        placed = book.place(order_request(order()), key=str(number))
        with database.writing() as connection:
            for status in ("running", "succeeded"):
                enqueue(connection, "http://127.0.0.1:9/", {"order": placed, "status": status})
    return CallbackOutbox(database)


def test_an_order_s_second_callback_waits_for_the_first(database: Database, state_path: Path) -> None:
    outbox = waiting(database, state_path)
    first = outbox.claim(LATER)
    assert first is not None
    assert outbox.claim(LATER) is None
    outbox.delivered(first)
    second = outbox.claim(LATER)
    assert second is not None
    assert '"succeeded"' in second.body


def test_another_order_s_callback_does_not_wait(database: Database, state_path: Path) -> None:
    outbox = waiting(database, state_path, orders=2)
    claimed = [outbox.claim(LATER), outbox.claim(LATER), outbox.claim(LATER)]
    assert [callback is None for callback in claimed] == [False, False, True]


def test_pauses_grow_until_it_is_given_up_and_the_next_one_goes(database: Database, state_path: Path) -> None:
    outbox = waiting(database, state_path)
    now, pauses = LATER, []
    for _ in range(MOST_ATTEMPTS):
        callback = outbox.claim(now)
        assert callback is not None
        outbox.failed(callback, now)
        row = database.row("SELECT next_at FROM callbacks WHERE sequence = ?", (callback.sequence,))
        assert row is not None
        pauses.append(row["next_at"] - now)
        assert len(pauses) == MOST_ATTEMPTS or outbox.claim(now) is None
        now = row["next_at"]
    assert pauses[:5] == [0.5, 1, 2, 4, 8]
    after = outbox.claim(now)
    assert after is not None
    assert '"succeeded"' in after.body


def test_what_a_killed_process_was_sending_is_sent_again(database: Database, state_path: Path) -> None:
    outbox = waiting(database, state_path)
    sending = outbox.claim(LATER)
    assert sending is not None
    outbox.resume()
    again = outbox.claim(LATER)
    assert again is not None
    assert (again.message_id, again.attempts) == (sending.message_id, 2)
