"""Plumbline's own end answers as the orchestrator contract says."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM, Permission
from governance import orders
from governance.models import UpgradeOrder
from tests.factories import AT, World
from tests.governance.api.conftest import Issue, Service
from tests.governance.api.test_outbound import plan_body
from tests.sandbox.document import DOCUMENT, check, check_answer, named

pytestmark = pytest.mark.django_db
PLAN = "version/upgrade/plan"
POST = DOCUMENT["paths"]["/internal/version/upgrade/plan"]["post"]
SHOW = DOCUMENT["paths"]["/internal/version/upgrade/plan/{id}"]["get"]
CANCEL = DOCUMENT["paths"]["/internal/version/upgrade/plan/{id}/cancel"]["post"]
CALLBACK = POST["callbacks"]["status"]["{$request.body#/callback_url}"]["post"]


@pytest.fixture
def caller(service: Issue) -> Service:
    return service(Permission.UPGRADE_WRITE)


def answered(operation: dict[str, Any], answer: Any, status: int) -> dict[str, Any]:
    """The answer's document, which must be one that the contract has for this status."""
    assert answer.status_code == status, answer.content
    check_answer(operation, status, answer.headers["Content-Type"], answer.json())
    document: dict[str, Any] = answer.json()
    return document


def ordered(world: World, caller: Service) -> str:
    body = plan_body(world, callback_url=None)
    check(body, named("OrderRequest"))
    return str(answered(POST, caller.post(PLAN, body, key="k"), 202)["id"])


def test_an_order_is_placed_and_shown(world: World, caller: Service) -> None:
    order = ordered(world, caller)

    shown = answered(SHOW, caller.get(f"{PLAN}/{order}"), 200)

    assert (shown["id"], shown["status"]) == (order, "accepted")
    check(shown, named("Order"))


def test_what_it_refuses_is_in_the_contract(world: World, caller: Service, service: Issue) -> None:
    ordered(world, caller)

    malformed = answered(POST, caller.post(PLAN, {}, key="other"), 400)
    assert {"group", "plan", "task", "tenant", "steps"} <= {each["field"] for each in malformed["errors"]}
    answered(POST, caller.post(PLAN, plan_body(world), key="k" * 201), 400)
    answered(POST, caller.post(PLAN, plan_body(world, task=str(uuid.uuid4())), key="k"), 422)
    answered(POST, caller.post(PLAN, plan_body(world, tenant="nobody"), key="other"), 422)
    answered(POST, Service("wrong").post(PLAN, plan_body(world), key="other"), 401)
    for operation, path in ((SHOW, ""), (CANCEL, "/cancel")):
        method = caller.post if path else caller.get
        answered(operation, method(f"{PLAN}/{uuid.uuid4()}{path}"), 404)


def test_an_order_is_cancelled_and_stays_so(world: World, caller: Service) -> None:
    order = ordered(world, caller)

    for _ in range(2):
        cancelled = answered(CANCEL, caller.post(f"{PLAN}/{order}/cancel"), 200)
        assert (cancelled["status"], cancelled["detail"]) == ("cancelled", "cancelled by the caller")
        assert cancelled["finished_at"] is not None


def test_an_order_that_is_done_is_not_cancelled(world: World, caller: Service) -> None:
    order = ordered(world, caller)
    orders.report(UpgradeOrder.objects.get(), done=True, detail="by hand", actor=SYSTEM, at=AT)

    answered(CANCEL, caller.post(f"{PLAN}/{order}/cancel"), 409)

    assert answered(SHOW, caller.get(f"{PLAN}/{order}"), 200)["status"] == "succeeded"


def test_another_groups_order_is_not_there_to_be_cancelled(
    world: World, caller: Service, service: Issue
) -> None:
    from tests import factories

    order = ordered(world, caller)
    stranger = service(Permission.UPGRADE_WRITE, group=factories.group("other"))

    assert stranger.post(f"{PLAN}/{order}/cancel").status_code == 404
    assert UpgradeOrder.objects.get().status == UpgradeOrder.Status.ACCEPTED


def test_a_callback_that_is_refused_says_why_as_the_contract_has_it(world: World) -> None:
    path = "/internal/version/upgrade/status"
    answer = Client().post(path, json.dumps({"order": "o"}), content_type="application/json")

    document = answered(CALLBACK, answer, 401)

    assert document["detail"] == "The headers webhook-id, webhook-timestamp, webhook-signature must be given."
