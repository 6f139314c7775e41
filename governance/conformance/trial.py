"""The orchestrator on trial: how it is asked, and what is ordered of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx

from governance.conformance.receiver import Delivery, Receiver
from governance.orchestrator import PATH, STATUSES
from governance.wire import TIMEOUT

PROBLEM = "application/problem+json"
ENDS = frozenset({"succeeded", "failed", "cancelled"})
_SHOWN = 300  # characters of an unexpected answer


class Fails(Exception):
    """The orchestrator does otherwise than the contract says; the text is what it did."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A tenant to try it on, and a plugin that it has at this version. Nothing of it is changed."""

    group: str
    tenant: str
    plugin: str
    version: str


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was accepted."""

    id: str
    task: str
    key: str
    document: dict[str, Any]


class Trial:
    """One orchestrator, asked over HTTP with the token and a receiver for its callbacks."""

    def __init__(
        self,
        url: str,
        *,
        token: str,
        secrets: Sequence[str],
        subject: Subject,
        receiver: Receiver,
        patience: float,
    ) -> None:
        self.secrets = secrets
        self.subject = subject
        self.receiver = receiver
        self.patience = patience
        self._url = f"{url.rstrip('/')}{PATH}"
        self._client = httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=TIMEOUT)
        self._first: Order | Fails | None = None
        self._endless: set[str] = set()
        self._silent = False  # once a callback didn't come in time, none is waited for
        self.seen: list[str] = []  # the first order's states as they were polled

    def ask(self, method: str, path: str = "", **options: Any) -> httpx.Response:
        """One request below the contract's path. Raises Fails if there is no answer."""
        try:
            return self._client.request(method, f"{self._url}{path}", **options)
        except httpx.HTTPError as error:
            raise Fails(f"{method} {self._url}{path} has no answer: {error}") from error

    def document(self, **changes: Any) -> dict[str, Any]:
        """An order that only insists on what the tenant has, unless told otherwise."""
        version = self.subject.version
        return {
            "group": self.subject.group,
            "plan": str(uuid4()),
            "task": str(uuid4()),
            "tenant": self.subject.tenant,
            "steps": [{"plugin": self.subject.plugin, "from": version, "to": version}],
            "due_at": None,
            "callback_url": self.receiver.url,
            **changes,
        }

    def post(self, document: Any, key: str) -> httpx.Response:
        """Place an order, however it is answered."""
        return self.ask("POST", json=document, headers={"Idempotency-Key": key})

    def place(self, document: dict[str, Any]) -> Order:
        """Place an order that must be accepted."""
        key = f"check-{uuid4()}"
        answer = self.post(document, key)
        return Order(accepted_id(answer), document["task"], key, document)

    def first(self) -> Order:
        """The order that most checks look at; placed once."""
        if self._first is None:
            try:
                self._first = self.place(self.document())
            except Fails as failure:
                self._first = failure
        if isinstance(self._first, Fails):
            raise Fails(f"There is no order to look at: {self._first}")
        return self._first

    def show(self, order: Order) -> dict[str, Any]:
        """The order as it stands, which must have the form that the contract gives it."""
        shown = json_of(expect(self.ask("GET", f"/{order.id}"), 200))
        wrong = [name for name in ("id", "task", "tenant", "status") if not isinstance(shown.get(name), str)]
        if wrong or shown["status"] not in STATUSES:
            raise Fails(f"The status must have texts for id, task, tenant and status, but is {shown}.")
        if (shown["id"], shown["task"]) != (order.id, order.task):
            raise Fails(f"Asked for order {order.id} of task {order.task}, it shows {shown}.")
        if (shown.get("finished_at") is not None) != (shown["status"] in ENDS):
            raise Fails(f"finished_at must be given when the order has ended, and null before: {shown}.")
        return shown

    def until_ended(self, order: Order) -> dict[str, Any]:
        """Poll until the order has ended; one that once didn't in time isn't waited for again."""
        patience = 0.0 if order.id in self._endless else self.patience
        deadline, pause = time.monotonic() + patience, 0.05
        while True:
            shown = self.show(order)
            self._note(order, shown["status"])
            if shown["status"] in ENDS:
                return shown
            if time.monotonic() > deadline:
                self._endless.add(order.id)
                raise Fails(f"After {self.patience:.0f} s the order is still {shown['status']}.")
            time.sleep(pause)
            pause = min(pause * 1.5, 1.0)

    def told(self, order: Order, end: str) -> list[Delivery]:
        """The order's callbacks, up to the one that tells its end if it comes in time."""

        def enough(heard: list[Delivery]) -> bool:
            return any(delivery.said("status") == end and not delivery.refused for delivery in heard)

        seconds = 0.0 if self._silent else self.patience
        heard = self.receiver.wait_for(order.task, enough, seconds=seconds)
        self._silent = not enough(heard)
        return heard

    def close(self) -> None:
        self._client.close()

    def _note(self, order: Order, status: str) -> None:
        if order is self._first and self.seen[-1:] != [status]:
            self.seen.append(status)


def expect(answer: httpx.Response, *statuses: int) -> httpx.Response:
    """The answer, which must have one of these statuses. Raises Fails."""
    if answer.status_code in statuses:
        return answer
    request = answer.request
    wanted = " or ".join(str(status) for status in statuses)
    raise Fails(
        f"{request.method} {request.url.path} answered {answer.status_code}, not {wanted}: "
        f"{answer.text[:_SHOWN]}"
    )


def expect_problem(answer: httpx.Response, *statuses: int) -> str:
    """The reason that a refusal gives. Raises Fails if there is none, or no refusal."""
    document = json_of(expect(answer, *statuses))
    kind = answer.headers.get("content-type", "").split(";")[0].strip()
    if kind != PROBLEM:
        raise Fails(f"The refusal is {kind or 'of no content type'}, not {PROBLEM}.")
    detail = document.get("detail")
    if not isinstance(detail, str) or not detail.strip():
        raise Fails(f"The refusal says no reason in detail: {document}.")
    return detail


def accepted_id(answer: httpx.Response) -> str:
    """The id of an order that was accepted. Raises Fails."""
    document = json_of(expect(answer, 202))
    if not isinstance(document.get("id"), str) or not document["id"] or document.get("status") != "accepted":
        raise Fails(f'The answer must be {{"id": text, "status": "accepted"}}, but is {document}.')
    return str(document["id"])


def json_of(answer: httpx.Response) -> dict[str, Any]:
    """The JSON object that came. Raises Fails."""
    try:
        document = answer.json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise Fails(f"The answer must be a JSON object, but is {answer.text[:_SHOWN]}")
    return document
