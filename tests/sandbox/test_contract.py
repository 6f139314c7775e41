"""The OpenAPI document says what the server does."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from sandbox.contract import LONGEST_KEY
from sandbox.endpoints import PLAN, ROUTES
from sandbox.server import LARGEST_BODY
from tests.sandbox.document import DOCUMENT, check, check_answer, named
from tests.sandbox.process import RunningSandbox, order, step
from tests.sandbox.receiver import Receiver

METHODS = {"get", "post", "patch"}
PLACE = DOCUMENT["paths"][PLAN]["post"]
SHOW = DOCUMENT["paths"][f"{PLAN}/{{id}}"]["get"]
CANCEL = DOCUMENT["paths"][f"{PLAN}/{{id}}/cancel"]["post"]
CALLBACK = PLACE["callbacks"]["status"]["{$request.body#/callback_url}"]["post"]


def test_the_document_lists_exactly_the_server_s_paths_and_methods() -> None:
    described = {
        (path, method.upper()) for path, item in DOCUMENT["paths"].items() for method in item.keys() & METHODS
    }
    assert described == {(route.path, method) for route in ROUTES for method in route.endpoints}


def test_the_document_leaves_open_what_the_server_leaves_open() -> None:
    for route in ROUTES:
        for method in route.endpoints:
            operation = DOCUMENT["paths"][route.path][method.lower()]
            assert (operation.get("security") == []) == route.public


def test_answers_and_callbacks_keep_to_their_schemas(sandbox: RunningSandbox, receiver: Receiver) -> None:
    document = order(callback_url=receiver.url)
    check(document, named("OrderRequest"))
    accepted = sandbox.order(document).json()
    check(accepted, named("Accepted"))
    check(sandbox.finished(accepted["id"]), named("Order"))
    for callback in receiver.wait_for(2):
        check(callback.verified(), named("StatusCallback"))
    check(sandbox.manifests("acme"), named("ManifestPage"))
    check(sandbox.counts(), named("Counts"))
    settings = DOCUMENT["components"]["responses"]["Settings"]["content"]["application/json"]["schema"]
    check(sandbox.client.get("/sandbox/settings").json(), settings)
    refused = sandbox.order({})
    check(
        refused.json(),
        DOCUMENT["components"]["responses"]["Malformed"]["content"]["application/problem+json"]["schema"],
    )
    check(sandbox.client.get(f"{PLAN}/nothing").json(), named("Problem"))


@pytest.mark.parametrize(
    "change",
    [
        {"group": ""},
        {"steps": []},
        {"steps": [step("crm", None, None)]},
        {"steps": [{"plugin": "crm"}]},
        {"tenant": 7},
    ],
)
def test_schema_and_server_refuse_the_same_orders(pristine: RunningSandbox, change: dict[str, Any]) -> None:
    document = order(**change)
    with pytest.raises(jsonschema.ValidationError):
        check(document, named("OrderRequest"))
    assert pristine.order(document).status_code == 400


def test_refusals_are_those_that_the_document_has(sandbox: RunningSandbox) -> None:
    sandbox.set(delay_seconds=3600)
    document = order()
    placed = sandbox.ordered(document, "k")
    refused = [
        (PLACE, 400, sandbox.order({}, "other")),
        (PLACE, 400, sandbox.order(document, "k" * 201)),
        (PLACE, 404, sandbox.order(order("nobody"), "other")),
        (PLACE, 409, sandbox.order(order(), "k")),
        (PLACE, 401, sandbox.client.post(PLAN, headers={"Authorization": "Bearer wrong"})),
        (PLACE, 413, sandbox.client.post(PLAN, content=b" " * (LARGEST_BODY + 1))),
        (SHOW, 404, sandbox.client.get(f"{PLAN}/nothing")),
        (CANCEL, 404, sandbox.client.post(f"{PLAN}/nothing/cancel")),
    ]
    for operation, status, answer in refused:
        assert answer.status_code == status
        check_answer(operation, status, answer.headers["content-type"], answer.json())
    for _ in range(2):
        cancelled = sandbox.client.post(f"{PLAN}/{placed}/cancel")
        check_answer(CANCEL, cancelled.status_code, cancelled.headers["content-type"], cancelled.json())
        assert cancelled.json()["status"] == "cancelled"


def test_a_cancel_that_comes_too_late_is_in_the_document(sandbox: RunningSandbox) -> None:
    placed = sandbox.ordered(order())
    sandbox.finished(placed)
    answer = sandbox.client.post(f"{PLAN}/{placed}/cancel")
    assert answer.status_code == 409
    check_answer(CANCEL, 409, answer.headers["content-type"], answer.json())


def test_callbacks_carry_the_headers_that_the_document_has(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.ordered(order(callback_url=receiver.url))
    for callback in receiver.wait_for(2):
        for parameter in CALLBACK["parameters"]:
            check(callback.headers[parameter["name"]], parameter["schema"])


def test_the_limits_that_the_document_names_are_the_server_s() -> None:
    [key] = PLACE["parameters"]
    assert key["schema"]["maxLength"] == LONGEST_KEY
    assert LARGEST_BODY == 1024 * 1024
    assert "at most 1 MiB" in DOCUMENT["info"]["description"]
