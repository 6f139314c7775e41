"""An order: accepted once, carried out once, or not at all and with the reason."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from tests.sandbox.conftest import OBSERVED
from tests.sandbox.process import PLAN, RunningSandbox, eventually, order, step


def test_an_order_brings_the_tenant_to_its_target(sandbox: RunningSandbox) -> None:
    document = order("tenant-b")
    shown = sandbox.finished(sandbox.ordered(document))
    assert (shown["status"], shown["task"], shown["tenant"]) == ("succeeded", document["task"], "tenant-b")
    assert shown["detail"] == "1 step carried out"
    manifest = sandbox.manifest("acme", "tenant-b")
    assert manifest["plugins"] == {"powerx-crm-plugin": "2.4.0", "reports": "1.0"}
    assert datetime.fromisoformat(manifest["observed_at"]) > OBSERVED


def test_an_order_adds_removes_and_lifts_the_host_in_one_go(sandbox: RunningSandbox) -> None:
    steps = [step("powerx", "5.1.0", "5.2.0"), step("mail", None, "3.0"), step("reports", "1.0", None)]
    assert sandbox.finished(sandbox.ordered(order(steps=steps)))["status"] == "succeeded"
    manifest = sandbox.manifest("acme", "tenant-b")
    assert manifest["host_version"] == "5.2.0"
    assert manifest["plugins"] == {"powerx-crm-plugin": "2.3.0", "mail": "3.0"}


def test_an_order_from_another_version_fails_and_names_every_difference(sandbox: RunningSandbox) -> None:
    steps = [
        step("powerx-crm-plugin", "2.2.0", "2.4.0"),
        step("mail", "1.0", "2.0"),
        step("reports", None, "1.0"),
        step("powerx", "5.1.0", None),
    ]
    shown = sandbox.finished(sandbox.ordered(order(steps=steps)))
    assert shown["status"] == "failed"
    assert shown["detail"] == (
        "powerx-crm-plugin is 2.3.0, the order expected 2.2.0; "
        "mail is not installed, the order expected 1.0; "
        "reports is 1.0, the order expected none; powerx is the host and can't be removed"
    )


def test_a_step_that_differs_keeps_the_others_from_being_applied(sandbox: RunningSandbox) -> None:
    steps = [step("powerx-crm-plugin", "2.3.0", "2.4.0"), step("reports", "0.9", "1.1")]
    sandbox.finished(sandbox.ordered(order(steps=steps)))
    manifest = sandbox.manifest("acme", "tenant-b")
    assert manifest["plugins"] == {"powerx-crm-plugin": "2.3.0", "reports": "1.0"}
    assert manifest["observed_at"] == OBSERVED.isoformat()


def test_a_repeated_request_gets_the_first_answer_and_creates_nothing(sandbox: RunningSandbox) -> None:
    document = order()
    first = sandbox.order(document, key="once")
    sandbox.finished(first.json()["id"])
    again = sandbox.order(dict(reversed(document.items())), key="once")
    assert (again.status_code, again.json()) == (202, first.json())
    counts = sandbox.counts()
    assert (counts["orders"], counts["duplicates"], counts["executions"]) == (1, 1, 1)


def test_a_key_with_another_request_is_refused(sandbox: RunningSandbox) -> None:
    sandbox.ordered(order(), key="once")
    refused = sandbox.order(order("tenant-a"), key="once")
    assert refused.status_code == 409
    assert refused.headers["content-type"] == "application/problem+json"
    counts = sandbox.counts()
    assert (counts["orders"], counts["duplicates"], counts["key_conflicts"]) == (1, 0, 1)


def test_orders_of_one_tenant_run_one_after_the_other(sandbox: RunningSandbox) -> None:
    """Each sets out from what the one before leaves, so any other order of events would fail them."""
    versions = ["2.3.0", "2.4.0", "2.5.0", "2.6.0", "2.7.0"]
    orders = [
        sandbox.ordered(order(steps=[step("powerx-crm-plugin", source, target)]))
        for source, target in pairwise(versions)
    ]
    assert {sandbox.finished(each)["status"] for each in orders} == {"succeeded"}
    assert sandbox.manifest("acme", "tenant-b")["plugins"]["powerx-crm-plugin"] == "2.7.0"


def test_a_running_order_is_cancelled_and_changes_nothing(sandbox: RunningSandbox) -> None:
    sandbox.set(delay_seconds=60)
    first, behind = sandbox.ordered(order()), sandbox.ordered(order())
    eventually(lambda: sandbox.show(first)["status"], until=lambda status: status == "running")
    assert sandbox.show(behind)["status"] == "accepted"
    answer = sandbox.client.post(f"{PLAN}/{first}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    eventually(lambda: sandbox.show(behind)["status"], until=lambda status: status == "running")
    assert sandbox.client.post(f"{PLAN}/{behind}/cancel").status_code == 200
    assert sandbox.client.post(f"{PLAN}/{behind}/cancel").status_code == 200
    assert sandbox.manifest("acme", "tenant-b")["plugins"]["powerx-crm-plugin"] == "2.3.0"
    assert sandbox.counts()["statuses"] == {"cancelled": 2}


def test_a_finished_order_can_not_be_cancelled(sandbox: RunningSandbox) -> None:
    finished = sandbox.ordered(order())
    sandbox.finished(finished)
    refused = sandbox.client.post(f"{PLAN}/{finished}/cancel")
    assert (refused.status_code, refused.json()["detail"]) == (409, "The order has succeeded already")


def test_an_order_that_is_not_there_is_not_found(pristine: RunningSandbox) -> None:
    assert pristine.client.get(f"{PLAN}/nothing").status_code == 404
    assert pristine.client.post(f"{PLAN}/nothing/cancel").status_code == 404
