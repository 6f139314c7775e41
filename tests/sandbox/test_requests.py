"""What the sandbox refuses at the door, and how it says so."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.sandbox.process import PLAN, RunningSandbox, order, step


def test_every_endpoint_but_health_asks_for_the_token(pristine: RunningSandbox) -> None:
    for method, path in [
        ("POST", PLAN),
        ("GET", f"{PLAN}/1"),
        ("POST", f"{PLAN}/1/cancel"),
        ("GET", "/manifests"),
        ("PATCH", "/sandbox/settings"),
        ("GET", "/sandbox/counts"),
    ]:
        for headers in ({"Authorization": "Bearer wrong"}, {"Authorization": ""}):
            refused = pristine.client.request(method, path, headers=headers)
            assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
            assert refused.headers["content-type"] == "application/problem+json"
    assert httpx.get(pristine.client.base_url.join("/healthz"), trust_env=False).json() == {"status": "ok"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"group": ""}, "group"),
        ({"tenant": 7}, "tenant"),
        ({"plan": "1"}, "plan"),
        ({"task": None}, "task"),
        ({"steps": []}, "steps"),
        ({"steps": ["crm"]}, "steps[0]"),
        ({"steps": [step("crm", None, None)]}, "steps[0]"),
        ({"steps": [{"plugin": "crm", "to": "1"}]}, "steps[0].from"),
        ({"steps": [{"plugin": "", "from": None, "to": "1"}]}, "steps[0].plugin"),
        ({"steps": [{"plugin": "crm", "from": None, "to": 2.4}]}, "steps[0].to"),
        ({"steps": [step("crm", "1", "2"), step("crm", "2", "3")]}, "steps[1].plugin"),
        ({"due_at": "tomorrow"}, "due_at"),
        ({"due_at": "2026-02-01T00:00:00"}, "due_at"),
        ({"callback_url": "ftp://example.org/"}, "callback_url"),
        ({"callback_url": "http://[::1"}, "callback_url"),
    ],
)
def test_a_malformed_order_is_refused_with_field_and_reason(
    pristine: RunningSandbox, change: dict[str, Any], field: str
) -> None:
    refused = pristine.order(order(**change))
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == [field]
    assert all(error["reason"] for error in refused.json()["errors"])
    assert pristine.counts()["orders"] == 0


def test_every_bad_field_is_named_at_once(pristine: RunningSandbox) -> None:
    refused = pristine.order({"group": "acme"})
    assert {error["field"] for error in refused.json()["errors"]} == {"plan", "task", "tenant", "steps"}


def test_an_order_without_a_key_is_refused(pristine: RunningSandbox) -> None:
    refused = pristine.client.post(PLAN, json=order())
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(pristine: RunningSandbox, body: bytes) -> None:
    refused = pristine.client.post(PLAN, content=body, headers={"Idempotency-Key": "k"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "body")


def test_an_order_for_an_unknown_tenant_is_not_found_and_leaves_its_key_free(sandbox: RunningSandbox) -> None:
    assert sandbox.order(order("tenant-z"), key="k").status_code == 404
    assert sandbox.order(order(group="other"), key="k").status_code == 404
    assert sandbox.order(order(), key="k").status_code == 202


def test_a_body_that_is_too_large_is_refused(pristine: RunningSandbox) -> None:
    refused = pristine.client.post(PLAN, content=b"{" + b" " * 1024 * 1024)
    assert refused.status_code == 413


def test_a_body_of_unknown_length_is_refused(pristine: RunningSandbox) -> None:
    refused = pristine.client.post(PLAN, content=iter([b"{}"]))
    assert refused.status_code == 411


def test_paths_and_methods_that_are_not_there_are_problems_too(pristine: RunningSandbox) -> None:
    missing = pristine.client.get("/nothing")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
    wrong = pristine.client.delete("/sandbox/settings")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, PATCH")
    unknown = pristine.client.request("BREW", "/sandbox/settings")
    assert unknown.headers["content-type"] == "application/problem+json"


def test_a_refusal_leaves_the_connection_usable(sandbox: RunningSandbox) -> None:
    """A body that isn't read would be taken for the next request's head."""
    for _ in range(3):
        assert sandbox.client.post("/nothing", json=order()).status_code == 404
    assert sandbox.order(order()).status_code == 202
