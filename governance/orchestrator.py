"""The outbound contract of upgrade plans: handing over, asking, and trusting what comes back."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import httpx
from django.conf import settings
from django.utils.dateparse import parse_datetime

from audit import causes
from audit.models.outbox import Cause
from audit.senders import Undeliverable
from governance import signatures, wire
from governance.signatures import SignatureRefused

PATH = "/internal/version/upgrade/plan"
STATUSES = frozenset({"accepted", "running", "succeeded", "failed", "cancelled"})
# Refusals that another attempt may turn: the receiver is busy, or not quite there yet.
_WORTH_ANOTHER_TRY = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)


class CallbackRefused(Exception):
    """A callback that isn't signed by the orchestrator, is too old, or doesn't say what it should."""


class TooLate(Exception):
    """An order that can't be cancelled any more; the text is the orchestrator's reason."""


@dataclass(frozen=True, slots=True)
class OrderStatus:
    """What the orchestrator says of one order. `status` is one of STATUSES."""

    order_id: str
    task_id: str
    status: str
    detail: str
    at: datetime | None


def hand_over(payload: dict[str, Any], *, idempotency_key: str) -> dict[str, Any]:
    """POST one upgrade plan; the answer holds the order's id. Raises Undeliverable where it is refused."""
    return post_json(
        f"{settings.ORCHESTRATOR_URL}{PATH}",
        payload,
        token=settings.ORCHESTRATOR_TOKEN,
        idempotency_key=idempotency_key,
    )


def post_json(url: str, payload: Any, *, token: str, idempotency_key: str) -> dict[str, Any]:
    """POST JSON to a configured service.

    Raises Undeliverable for a refusal that stays one, httpx.HTTPError for anything worth another try.
    """
    headers = {"Idempotency-Key": idempotency_key}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    response = wire.client().post(url, json=payload, headers=headers)
    _refuse_for_good(response)
    answer = response.json() if response.content else {}
    return answer if isinstance(answer, dict) else {"answer": answer}


def ask(order_id: str) -> OrderStatus:
    """GET an order's status.

    Raises httpx.HTTPError if the orchestrator can't be asked, CallbackRefused if its answer isn't a status.
    """
    response = wire.client().get(
        f"{settings.ORCHESTRATOR_URL}{PATH}/{order_id}",
        headers={"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"},
    )
    response.raise_for_status()
    return _status_of(response, order_id)


def cancel(order_id: str) -> OrderStatus:
    """POST the end of an order that hasn't finished; again is no error.

    Raises TooLate, Undeliverable for another refusal that stays one, httpx.HTTPError for anything worth
    another try, CallbackRefused if the answer isn't a status.
    """
    url = f"{settings.ORCHESTRATOR_URL}{PATH}/{order_id}/cancel"
    response = wire.client().post(url, headers={"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"})
    if response.status_code == HTTPStatus.CONFLICT:
        raise TooLate(_detail(response))
    _refuse_for_good(response)
    return _status_of(response, order_id)


def verified_callback(body: bytes, headers: dict[str, str], *, at: datetime) -> OrderStatus:
    """What a signed callback says (Standard Webhooks: id, timestamp within five minutes, signature).

    While the secret is being rotated, any of those in the settings may have signed. Raises CallbackRefused.
    """
    try:
        signatures.verify(body, headers, secrets=settings.CALLBACK_SECRETS, at=at)
        document = json.loads(body)
    except (SignatureRefused, ValueError) as refusal:
        raise CallbackRefused(str(refusal)) from refusal
    return status_from(document)


def status_from(document: Any) -> OrderStatus:
    """An order's status from its JSON. Raises CallbackRefused naming the field that is wrong."""
    if not isinstance(document, dict):
        raise CallbackRefused("The body must be a JSON object.")
    for name in ("order", "task", "status"):
        if not isinstance(document.get(name), str) or not document[name]:
            raise CallbackRefused(f"The field {name} must be a text.")
    if document["status"] not in STATUSES:
        raise CallbackRefused(f"The field status must be one of {', '.join(sorted(STATUSES))}.")
    at = document.get("at")
    return OrderStatus(
        order_id=document["order"],
        task_id=document["task"],
        status=document["status"],
        detail=str(document.get("detail") or ""),
        at=parse_datetime(at) if isinstance(at, str) else None,
    )


def _refuse_for_good(response: httpx.Response) -> None:
    """Raises Undeliverable for a refusal that stays one, httpx.HTTPStatusError for another failure.

    A clock that is wrong will be set: what is refused for it is tried again.
    """
    now = datetime.now(UTC)
    cause = causes.of_answer(response, now=now)
    final = response.is_client_error and response.status_code not in _WORTH_ANOTHER_TRY
    if final and cause is not Cause.CLOCK:
        said = f"{response.url} answered {response.status_code}: {response.text[:500]}"
        raise Undeliverable(said, cause=cause)
    response.raise_for_status()


def _status_of(response: httpx.Response, order_id: str) -> OrderStatus:
    try:
        document = response.json()
    except ValueError as error:
        raise CallbackRefused("The answer must be JSON.") from error
    if not isinstance(document, dict):
        raise CallbackRefused("The answer must be a JSON object.")
    return status_from({**document, "order": document.get("id", order_id), "at": document.get("finished_at")})


def _detail(response: httpx.Response) -> str:
    """What a problem document says, or else the beginning of whatever came."""
    try:
        document = response.json()
    except ValueError:
        document = None
    said = document.get("detail") if isinstance(document, dict) else None
    return said if isinstance(said, str) and said else response.text[:500]
