"""The promises of the contract in the order in which they are tried, in words for an integrator."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from governance.conformance import checks
from governance.conformance.trial import Fails, Trial


@dataclass(frozen=True, slots=True)
class Promise:
    """What an orchestrator does, what to do where it doesn't, and the check that tells."""

    name: str
    sentence: str
    advice: str
    check: Callable[[Trial], None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a promise was kept; `seen` is what the orchestrator did instead, empty if it was kept."""

    promise: Promise
    seen: str = ""

    @property
    def kept(self) -> bool:
        return not self.seen


def judge(trial: Trial) -> Iterator[Verdict]:
    """A verdict on each promise; the later ones look at what was ordered for the earlier ones."""
    for promise in PROMISES:
        try:
            promise.check(trial)
        except Fails as failure:
            yield Verdict(promise, str(failure))
        else:
            yield Verdict(promise)


PROMISES = (
    Promise(
        "token",
        "A request without the right bearer token is answered 401, with the reason.",
        "Compare the header Authorization with the token on every path, and answer a problem document.",
        checks.token,
    ),
    Promise(
        "malformed",
        "A body that is no order is refused with 400, with the reason.",
        "Check every field before an order is stored; name the bad ones in detail and errors.",
        checks.malformed,
    ),
    Promise(
        "key_needed",
        "An order without an Idempotency-Key is refused with 400, with the reason.",
        "Insist on the header: without it a repeated request can't be told from a new one.",
        checks.key_needed,
    ),
    Promise(
        "unknown_tenant",
        "An order for a tenant that isn't there is refused with 404 or 422, with the reason.",
        "Look the tenant up before the order is accepted.",
        checks.unknown_tenant,
    ),
    Promise(
        "unknown_order",
        "An order that isn't there is 404, asked for or cancelled.",
        "Answer a problem document with 404 for ids that were never given out.",
        checks.unknown_order,
    ),
    Promise(
        "accepts",
        "A well-formed order is accepted with 202 and an id.",
        'Answer {"id": text, "status": "accepted"} once the order is stored, before it is carried out.',
        checks.accepts,
    ),
    Promise(
        "status",
        "An order can be asked about until it has succeeded.",
        "Keep orders after their end, and show each with id, task, tenant, status, detail and finished_at.",
        checks.status,
    ),
    Promise(
        "same_key",
        "The same key with the same body again is the same order, also after its end.",
        "Store the key with the order under a unique constraint, and answer a known one with its order's id.",
        checks.same_key,
    ),
    Promise(
        "same_key_at_once",
        "The same key several times at once is one order.",
        "Let the database's unique constraint decide who is first; a look before the insert is too early.",
        checks.same_key_at_once,
    ),
    Promise(
        "key_conflict",
        "The same key with another body is refused with 409 or 422, with the reason.",
        "Store what was asked with the key, and compare.",
        checks.key_conflict,
    ),
    Promise(
        "called_back",
        "The end of an order is called back.",
        "POST each change of status to the order's callback_url. Can the orchestrator reach the receiver?",
        checks.called_back,
    ),
    Promise(
        "signed",
        "Callbacks carry webhook-id, webhook-timestamp and a signature that holds, and no token.",
        "Sign “id.timestamp.body” as Standard Webhooks has it, with this secret; see to the clock.",
        checks.signed,
    ),
    Promise(
        "well_formed",
        "Callbacks name the order, its task and its status.",
        "Send the order's id as order, and task as it came with the order.",
        checks.well_formed,
    ),
    Promise(
        "states_in_order",
        "The states of an order come in their order, and its end stays its end.",
        "Send one order's callbacks one after the other, and change an order only from the state before.",
        checks.states_in_order,
    ),
    Promise(
        "tried_again",
        "A callback that is answered 503 comes again under the same webhook-id.",
        "Try again with growing pauses until it is answered with 2xx; keep the id, sign each attempt anew.",
        checks.tried_again,
    ),
    Promise(
        "differing",
        "An order from a version that isn't installed fails, with the reason.",
        "Compare each step's from with what the tenant runs before the first step is carried out.",
        checks.differing,
    ),
    Promise(
        "cancel",
        "An order under way can be cancelled, also twice, or is too far on and says so with 409.",
        "Answer 200 with the order once it is sure that nothing of it will be done, else 409.",
        checks.cancel,
    ),
    Promise(
        "cancel_ended",
        "An order that has ended can't be cancelled any more: 409, with the reason.",
        "Refuse it, and leave the order as it ended.",
        checks.cancel_ended,
    ),
)
