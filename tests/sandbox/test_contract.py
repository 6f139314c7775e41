"""The OpenAPI document says what the server does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from sandbox.endpoints import PLAN, ROUTES
from tests.sandbox.process import RunningSandbox, order, step
from tests.sandbox.receiver import Receiver

DOCUMENT: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[2] / "sandbox" / "openapi.yaml").read_text(encoding="utf-8")
)
METHODS = {"get", "post", "patch"}


def check(instance: Any, schema: dict[str, Any]) -> None:
    """Against a schema of the document; OpenAPI 3.1 schemas are JSON Schemas."""
    rooted = {**schema, "components": DOCUMENT["components"]}
    jsonschema.validate(
        instance, rooted, cls=jsonschema.Draft202012Validator, format_checker=jsonschema.FormatChecker()
    )


def named(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


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
