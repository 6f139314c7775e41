"""What an orchestrator is asked: each function returns, or raises Fails with what it did instead."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from governance import signatures
from governance.conformance.receiver import Delivery
from governance.conformance.trial import ENDS, Fails, Order, Trial, accepted_id, expect, expect_problem
from governance.orchestrator import CallbackRefused, status_from

AT_ONCE = 4  # requests with the same key
SETTLE_SECONDS = 2.0  # in which a callback that comes too late shows itself
_ORDER = {"accepted": 0, "running": 1, "succeeded": 2, "failed": 2, "cancelled": 2}


def token(trial: Trial) -> None:
    """Without the token, or with a wrong one, nothing is answered but 401."""
    for headers in ({"Authorization": ""}, {"Authorization": f"Bearer {uuid4()}"}):
        expect_problem(trial.ask("GET", f"/{uuid4()}", headers=headers), 401)


def malformed(trial: Trial) -> None:
    """Bodies that are no order are refused."""
    for document in ({}, trial.document(steps=[]), trial.document(tenant=""), [trial.document()]):
        expect_problem(trial.post(document, f"check-{uuid4()}"), 400, 422)
    headers = {"Idempotency-Key": f"check-{uuid4()}", "Content-Type": "application/json"}
    expect_problem(trial.ask("POST", content=b"no JSON", headers=headers), 400, 422)


def key_needed(trial: Trial) -> None:
    """An order without a key is refused: a repeated one could not be told."""
    expect_problem(trial.ask("POST", json=trial.document()), 400, 422)


def unknown_tenant(trial: Trial) -> None:
    """A tenant that is not there is refused."""
    document = trial.document(tenant=f"no-such-tenant-{uuid4()}")
    expect_problem(trial.post(document, f"check-{uuid4()}"), 404, 422)


def unknown_order(trial: Trial) -> None:
    """An order that is not there is neither shown nor cancelled."""
    expect_problem(trial.ask("GET", f"/{uuid4()}"), 404)
    expect_problem(trial.ask("POST", f"/{uuid4()}/cancel"), 404)


def accepts(trial: Trial) -> None:
    """A well-formed order is accepted with an id."""
    trial.first()


def same_key(trial: Trial) -> None:
    """The same request again, even after its end, is the same order."""
    order = trial.place(trial.document(callback_url=None))
    trial.until_ended(order)
    again = accepted_id(trial.post(order.document, order.key))
    if again != order.id:
        raise Fails(f"The key of order {order.id} came again with the same body, and made order {again}.")


def same_key_at_once(trial: Trial) -> None:
    """The same request several times at once is one order."""
    document, key = trial.document(callback_url=None), f"check-{uuid4()}"
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: trial.post(document, key), range(AT_ONCE)))
    ids = {accepted_id(answer) for answer in answers}
    if len(ids) > 1:
        raise Fails(f"{AT_ONCE} requests with one key at once made the orders {', '.join(sorted(ids))}.")


def key_conflict(trial: Trial) -> None:
    """The same key with another body is refused."""
    order = trial.first()
    expect_problem(trial.post({**order.document, "task": str(uuid4())}, order.key), 409, 422)


def status(trial: Trial) -> None:
    """The order can be polled until it has succeeded."""
    shown = trial.until_ended(trial.first())
    if shown["status"] != "succeeded":
        raise Fails(
            f"The order ended as {shown['status']}: {shown.get('detail')}. It asked only that the tenant has "
            "what it has; is the version the one that is installed there?"
        )


def called_back(trial: Trial) -> None:
    """The end is called back."""
    order = trial.first()
    end = str(trial.until_ended(order)["status"])
    said = [delivery.said("status") for delivery in trial.told(order, end)]
    if end not in said:
        heard = ", ".join(str(status) for status in said) or "nothing"
        raise Fails(f"The order is {end}, and after {trial.patience:.0f} s the receiver has heard {heard}.")


def signed(trial: Trial) -> None:
    """What is called back is signed, at its time, and gives no token away."""
    for delivery in _heard(trial):
        try:
            signatures.verify(delivery.body, delivery.headers, secrets=trial.secrets, at=delivery.at)
        except signatures.SignatureRefused as refusal:
            raise Fails(str(refusal)) from refusal
        if "authorization" in delivery.headers:
            raise Fails("A callback came with an Authorization header: it hands a secret to its receiver.")


def well_formed(trial: Trial) -> None:
    """What is called back names the order, the task and a status."""
    order = trial.first()
    for delivery in _heard(trial):
        try:
            word = status_from({name: delivery.said(name) for name in ("order", "task", "status", "detail")})
        except CallbackRefused as refusal:
            raise Fails(str(refusal)) from refusal
        if word.order_id != order.id:
            raise Fails(f"A callback about task {order.task} names order {word.order_id}, not {order.id}.")


def states_in_order(trial: Trial) -> None:
    """No state is followed by an earlier one, or an end by another end."""
    _heard(trial)
    time.sleep(SETTLE_SECONDS)
    told = [str(delivery.said("status")) for delivery in _heard(trial) if not delivery.refused]
    for source, states in (("Polled", trial.seen), ("Called back", told)):
        ranks = [_ORDER.get(status, -1) for status in states]
        ends = {status for status in states if status in ENDS}
        if ranks != sorted(ranks) or len(ends) > 1:
            raise Fails(f"{source}, the order was {', then '.join(states)}.")


def tried_again(trial: Trial) -> None:
    """A callback that is refused comes again under its id."""
    document = trial.document()
    trial.receiver.refuse_first_of(document["task"])
    order = trial.place(document)
    end = str(trial.until_ended(order)["status"])
    heard = trial.told(order, end)
    if not any(delivery.refused for delivery in heard):
        raise Fails(f"No callback came in {trial.patience:.0f} s that could have been refused.")
    if not _was_repeated(heard):
        raise Fails("The receiver answered 503 to a callback, and it didn't come again under its webhook-id.")
    by_id = {delivery.message_id: delivery.said("status") for delivery in heard}
    if len(by_id) < len({delivery.said("status") for delivery in heard}):
        raise Fails("Callbacks of different states have the same webhook-id.")


def differing(trial: Trial) -> None:
    """An order from a version that is not installed fails with the reason."""
    version = trial.subject.version
    steps = [{"plugin": trial.subject.plugin, "from": f"{version}-not-this", "to": version}]
    document = trial.document(steps=steps, callback_url=None)
    answer = trial.post(document, key := f"check-{uuid4()}")
    if answer.is_client_error:  # as good: it looked before it accepted
        expect_problem(answer, 409, 422)
        return
    order_id = accepted_id(answer)
    shown = trial.until_ended(Order(order_id, document["task"], key, document))
    if shown["status"] != "failed" or not shown.get("detail"):
        raise Fails(f"An order from a version that isn't installed ended as {shown['status']}: {shown}.")


def cancel(trial: Trial) -> None:
    """An order can be cancelled, twice, or is too far on."""
    order = trial.place(trial.document(callback_url=None))
    answer = trial.ask("POST", f"/{order.id}/cancel")
    if answer.status_code == 409:  # it was faster
        expect_problem(answer, 409)
        shown = trial.until_ended(order)
        if shown["status"] == "cancelled":
            raise Fails("It refused to cancel the order with 409, and then cancelled it.")
        return
    expect(answer, 200)
    expect(trial.ask("POST", f"/{order.id}/cancel"), 200)
    shown = trial.show(order)
    if shown["status"] != "cancelled":
        raise Fails(f"After a cancel that was answered 200 the order is {shown['status']}.")


def cancel_ended(trial: Trial) -> None:
    """An order that has ended is not cancelled any more."""
    order = trial.first()
    before = trial.until_ended(order)["status"]
    expect_problem(trial.ask("POST", f"/{order.id}/cancel"), 409)
    after = trial.show(order)["status"]
    if after != before:
        raise Fails(f"The order was {before}, and after a cancel that came too late it is {after}.")


def _heard(trial: Trial) -> list[Delivery]:
    """The first order's callbacks. Raises Fails if none came: then there is nothing to be judged."""
    order = trial.first()
    heard = trial.told(order, str(trial.until_ended(order)["status"]))
    if not heard:
        raise Fails("No callback came that could be looked at.")
    return heard


def _was_repeated(heard: list[Delivery]) -> bool:
    refused = {delivery.message_id for delivery in heard if delivery.refused}
    return any(delivery.message_id in refused and not delivery.refused for delivery in heard)
