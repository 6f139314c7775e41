"""The endpoints: each takes a request and answers, or raises a Problem."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from sandbox.contract import idempotency_key, json_object, manifest_query, order_request
from sandbox.counts import counts
from sandbox.faults import seconds_objection
from sandbox.orders import Order
from sandbox.problems import FieldError, malformed
from sandbox.state import TenantState

if TYPE_CHECKING:
    from sandbox.server import Sandbox


@dataclass(frozen=True, slots=True)
class Request:
    query: Mapping[str, str]
    body: bytes
    idempotency_key: str | None = None
    order_id: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    document: Mapping[str, Any]
    status: HTTPStatus = HTTPStatus.OK


Endpoint = Callable[["Sandbox", Request], Answer]


def place_order(sandbox: Sandbox, request: Request) -> Answer:
    key = idempotency_key(request.idempotency_key)
    order_id = sandbox.orders.place(order_request(json_object(request.body)), key)
    sandbox.workers.pool.wake()
    # always "accepted", whatever has become of it: a repeated request gets the first one's answer
    return Answer({"id": order_id, "status": "accepted"}, HTTPStatus.ACCEPTED)


def show_order(sandbox: Sandbox, request: Request) -> Answer:
    return Answer(_order(sandbox.orders.get(request.order_id)))


def cancel_order(sandbox: Sandbox, request: Request) -> Answer:
    order = sandbox.orders.cancel(request.order_id)
    sandbox.workers.pool.wake()  # the tenant's next order may begin
    return Answer(_order(order))


def list_manifests(sandbox: Sandbox, request: Request) -> Answer:
    query = manifest_query(request.query)
    page = sandbox.fleet.manifests(query.group, query.since, query.limit)
    return Answer({"cursor": page.cursor, "manifests": [_manifest(state) for state in page.manifests]})


def show_settings(sandbox: Sandbox, _: Request) -> Answer:
    return Answer(asdict(sandbox.settings.load()))


def change_settings(sandbox: Sandbox, request: Request) -> Answer:
    return Answer(asdict(sandbox.settings.change(json_object(request.body))))


def go_away(sandbox: Sandbox, request: Request) -> Answer:
    """Be as if not running, for so many seconds; only the sandbox's own paths answer meanwhile."""
    document = json_object(request.body)
    objection = seconds_objection(document.get("seconds"))
    if objection or document.keys() != {"seconds"}:
        raise malformed([FieldError("seconds", objection or "must be the only field")])
    sandbox.absence.begin(document["seconds"])
    return Answer({"seconds": document["seconds"]})


def show_counts(sandbox: Sandbox, _: Request) -> Answer:
    return Answer(counts(sandbox.fleet.database))


def show_health(_: Sandbox, __: Request) -> Answer:
    return Answer({"status": "ok"})


def _order(order: Order) -> dict[str, Any]:
    fields = ("id", "task", "tenant", "status", "detail", "finished_at")
    return {field: getattr(order, field) for field in fields}


def _manifest(state: TenantState) -> dict[str, Any]:
    return {
        "tenant": state.tenant,
        "host_version": state.host_version,
        "plugins": state.plugins,
        "observed_at": state.observed_at.isoformat(),
        "complete": True,
    }


@dataclass(frozen=True, slots=True)
class Route:
    """A path, with its `{id}` if it has one, and what answers each method there."""

    path: str
    endpoints: Mapping[str, Endpoint]
    public: bool = False
    faulty: bool = False  # whether the settings may make it go wrong

    def match(self, path: str) -> re.Match[str] | None:
        return re.fullmatch(self.path.replace("{id}", "(?P<order_id>[^/]+)"), path)


PLAN = "/internal/version/upgrade/plan"
ROUTES = (
    Route(PLAN, {"POST": place_order}, faulty=True),
    Route(f"{PLAN}/{{id}}", {"GET": show_order}, faulty=True),
    Route(f"{PLAN}/{{id}}/cancel", {"POST": cancel_order}, faulty=True),
    Route("/manifests", {"GET": list_manifests}, faulty=True),
    Route("/sandbox/settings", {"GET": show_settings, "PATCH": change_settings}),
    Route("/sandbox/away", {"POST": go_away}),
    Route("/sandbox/counts", {"GET": show_counts}),
    Route("/healthz", {"GET": show_health}, public=True),
)
