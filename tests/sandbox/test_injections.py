"""What goes wrong on the wire when the sandbox is told so, and that it counts each by its name."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import httpx
import pytest
from standardwebhooks import WebhookVerificationError

from sandbox.faults import (
    Fault,
    Outcome,
    Settings,
    callback_faults,
    is_late,
    is_refused,
    is_reordered,
    is_stalled,
    outcome,
)
from tests.sandbox.process import PLAN, RunningSandbox, eventually, order, step
from tests.sandbox.receiver import Received, Receiver

RATES = Settings(
    error_rate=0.2,
    stall_rate=0.2,
    partial_rate=0.2,
    lost_callback_rate=0.2,
    duplicated_callback_rate=0.2,
    reordered_callback_rate=0.2,
    forged_callback_rate=0.2,
)
STEPS = [step("powerx-crm-plugin", "2.3.0", "2.4.0"), step("reports", "1.0", "1.1")]


def faults(sandbox: RunningSandbox) -> dict[str, int]:
    """Those that were counted."""
    return {name: count for name, count in sandbox.counts()["faults"].items() if count}


def drawn(settings: Settings) -> list[object]:
    draws = (is_refused, is_stalled, is_reordered, callback_faults, outcome)
    return [draw(settings, number) for number in range(300) for draw in draws]


def statuses(received: list[Received]) -> list[str]:
    return [each.verified()["status"] for each in received]


def test_all_faults_are_drawn_by_the_seed() -> None:
    other = Settings(**{**{name: getattr(RATES, name) for name in Settings.__slots__}, "seed": 1})
    assert drawn(RATES) == drawn(RATES)
    assert drawn(RATES) != drawn(other)


def test_faults_come_at_about_their_rates_and_independently() -> None:
    counted: Counter[object] = Counter()
    for number in range(10_000):
        counted.update(callback_faults(RATES, number))
        counted.update({"refused": is_refused(RATES, number), "stalled": is_stalled(RATES, number)})
        counted.update({"late": is_reordered(RATES, number), outcome(RATES, number): 1})
        counted["refused and stalled"] += is_refused(RATES, number) and is_stalled(RATES, number)
    callbacks = (Fault.LOST_CALLBACKS, Fault.DUPLICATED_CALLBACKS, Fault.FORGED_CALLBACKS)
    for fault in ("refused", "stalled", "late", Outcome.PARTIAL, *callbacks):
        assert counted[fault] == pytest.approx(2000, rel=0.1), fault
    assert counted["refused and stalled"] == pytest.approx(400, rel=0.2)


def test_an_error_does_nothing_and_the_same_key_may_try_again(sandbox: RunningSandbox) -> None:
    sandbox.set(error_rate=1)
    assert sandbox.order(order(), "k").status_code == 503
    assert sandbox.client.get(f"{PLAN}/nothing").status_code == 503
    sandbox.set(error_rate=0)
    sandbox.ordered(order(), "k")
    assert (sandbox.counts()["orders"], faults(sandbox)) == (1, {"errors": 2})


def test_a_stalled_answer_leaves_an_order_that_the_same_key_finds(sandbox: RunningSandbox) -> None:
    sandbox.set(stall_rate=1, stall_seconds=0.2)
    document = order()
    with pytest.raises(httpx.RemoteProtocolError):
        sandbox.order(document, "k")
    sandbox.set(stall_rate=0)
    placed = sandbox.ordered(document, "k")
    assert sandbox.finished(placed)["status"] == "succeeded"
    counts = sandbox.counts()
    assert (counts["orders"], counts["duplicates"], counts["executions"]) == (1, 1, 1)
    assert faults(sandbox) == {"stalled_answers": 1}


def test_latency_only_makes_answers_slow(sandbox: RunningSandbox) -> None:
    sandbox.set(latency_seconds=0.3)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.client.get(f"{PLAN}/nothing", timeout=0.1)
    assert sandbox.client.get(f"{PLAN}/nothing").status_code == 404
    assert faults(sandbox) == {"slow_answers": 2}


def test_a_share_of_the_answers_may_be_late() -> None:
    settings = Settings(latency_seconds=1, latency_rate=0.2, seed=5)
    late = sum(is_late(settings, number) for number in range(1000))
    assert 150 < late < 250
    assert not is_late(replace(settings, latency_seconds=0), 1)


def test_a_partial_upgrade_stops_half_way_and_says_so(sandbox: RunningSandbox) -> None:
    sandbox.set(partial_rate=1)
    shown = sandbox.finished(sandbox.ordered(order(steps=STEPS)))
    assert (shown["status"], shown["detail"]) == ("failed", "Stopped after 1 of 2 steps")
    plugins = sandbox.manifest("acme", "tenant-b")["plugins"]
    assert plugins == {"powerx-crm-plugin": "2.4.0", "reports": "1.0"}
    assert faults(sandbox) == {"partial_upgrades": 1}


def test_while_away_nobody_is_answered_and_nothing_is_done(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.set(delay_seconds=0.3)
    placed = sandbox.ordered(order(callback_url=receiver.url))
    receiver.wait_for(1)
    assert sandbox.client.post("/sandbox/away", json={"seconds": 3600}).status_code == 200
    for _ in range(2):
        with pytest.raises(httpx.RemoteProtocolError):
            sandbox.show(placed)
    assert sandbox.counts()["statuses"] == {"running": 1}

    sandbox.client.post("/sandbox/away", json={"seconds": 0})

    assert sandbox.finished(placed)["status"] == "succeeded"
    assert statuses(receiver.wait_for(2)) == ["running", "succeeded"]
    assert faults(sandbox) == {"absences": 2}


@pytest.mark.parametrize("body", [{}, {"seconds": -1}, {"seconds": "long"}, {"seconds": 1, "why": "tired"}])
def test_it_goes_away_only_for_a_time_that_is_one(pristine: RunningSandbox, body: dict[str, object]) -> None:
    refused = pristine.client.post("/sandbox/away", json=body)
    assert [error["field"] for error in refused.json()["errors"]] == ["seconds"]
    assert pristine.client.get(f"{PLAN}/nothing").status_code == 404


def test_lost_callbacks_never_arrive(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.set(lost_callback_rate=1)
    sandbox.finished(sandbox.ordered(order(callback_url=receiver.url)))
    eventually(sandbox.counts, until=lambda counts: counts["callbacks"] == {"delivered": 2})
    assert receiver.received == []
    assert faults(sandbox) == {"lost_callbacks": 2}


def test_duplicated_callbacks_have_the_same_id(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.set(duplicated_callback_rate=1)
    sandbox.ordered(order(callback_url=receiver.url))
    received = receiver.wait_for(4)
    assert statuses(received) == ["running", "running", "succeeded", "succeeded"]
    assert [count for _, count in Counter(each.message_id for each in received).items()] == [2, 2]
    assert faults(sandbox) == {"duplicated_callbacks": 2}


def test_a_reordered_callback_comes_after_the_end(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.set(reordered_callback_rate=1)
    sandbox.ordered(order(callback_url=receiver.url))
    assert statuses(receiver.wait_for(2)) == ["succeeded", "running"]
    assert faults(sandbox) == {"reordered_callbacks": 1}


def test_a_forged_callback_says_the_opposite_and_no_signature_holds(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.set(forged_callback_rate=1)
    sandbox.ordered(order(callback_url=receiver.url))
    _, running, forged, succeeded = receiver.wait_for(4)
    assert statuses([running, succeeded]) == ["running", "succeeded"]
    assert b'"status": "failed"' in forged.body
    assert forged.message_id != succeeded.message_id
    with pytest.raises(WebhookVerificationError):
        forged.verified()
    assert faults(sandbox) == {"forged_callbacks": 2}
