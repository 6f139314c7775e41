"""Status callbacks: signed, in order, tried again, given up."""

from __future__ import annotations

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.sandbox.process import RunningSandbox, eventually, order, step
from tests.sandbox.receiver import Receiver


def test_a_succeeding_order_says_running_then_succeeded(sandbox: RunningSandbox, receiver: Receiver) -> None:
    document = order(callback_url=receiver.url)
    placed = sandbox.ordered(document)
    running, succeeded = (each.verified() for each in receiver.wait_for(2))
    assert (running["status"], succeeded["status"]) == ("running", "succeeded")
    for callback in (running, succeeded):
        assert callback.pop("at")
        assert {**callback, "status": "", "detail": ""} == {
            "order": placed,
            "task": document["task"],
            "tenant": "tenant-b",
            "group": "acme",
            "status": "",
            "detail": "",
        }


def test_a_failing_order_says_why(sandbox: RunningSandbox, receiver: Receiver) -> None:
    steps = [step("powerx-crm-plugin", "1.0", "2.4.0")]
    sandbox.ordered(order(callback_url=receiver.url, steps=steps))
    failed = receiver.wait_for(2)[1].verified()
    assert failed["status"] == "failed"
    assert failed["detail"] == "powerx-crm-plugin is 2.3.0, the order expected 1.0"


def test_a_callback_carries_a_signature_and_no_authorization(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.ordered(order(callback_url=receiver.url))
    running, succeeded = receiver.wait_for(2)
    assert "authorization" not in running.headers
    assert running.message_id != succeeded.message_id
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_b3RoZXI=").verify(running.body, dict(running.headers))
    with pytest.raises(WebhookVerificationError):
        Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(succeeded.body, dict(running.headers))


def test_a_refused_callback_is_tried_again_before_the_next_one(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    receiver.refuse_next = 1
    sandbox.ordered(order(callback_url=receiver.url))
    first, again, last = receiver.wait_for(3)
    assert first.message_id == again.message_id
    assert [each.verified()["status"] for each in (first, again, last)] == ["running", "running", "succeeded"]
    eventually(sandbox.counts, until=lambda counts: counts["callbacks"] == {"delivered": 2})


def test_nobody_at_the_address_does_not_keep_an_order_from_its_end(sandbox: RunningSandbox) -> None:
    placed = sandbox.ordered(order(callback_url="http://127.0.0.1:9/nobody"))
    assert sandbox.finished(placed)["status"] == "succeeded"
    assert "delivered" not in sandbox.counts()["callbacks"]


def test_callbacks_can_be_switched_off(sandbox: RunningSandbox, receiver: Receiver) -> None:
    sandbox.set(callback=False)
    sandbox.finished(sandbox.ordered(order(callback_url=receiver.url)))
    assert sandbox.counts()["callbacks"] == {}
    assert receiver.received == []


def test_an_order_without_an_address_is_only_polled(sandbox: RunningSandbox) -> None:
    sandbox.finished(sandbox.ordered(order(callback_url=None)))
    assert sandbox.counts()["callbacks"] == {}
