"""D-1 and D-2 as an internal service plays them, with rings, maintenance windows and digests."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx

from tests.journeys.product import Product, until

SCOPES = ("policy.enforce", "policy.edit", "report.view", "report.build", "conflict.decide", "manifest.push")
PLUGIN = "powerx-crm-plugin"


def enforce(client: httpx.Client, key: str) -> dict[str, Any]:
    """A run from its start to where it stands for good."""
    return settled(client, started(client, key))


def started(client: httpx.Client, key: str) -> str:
    """Where a run that was asked for tells how it stands."""
    answer = client.post("/internal/version/policy/enforce", json={}, headers={"Idempotency-Key": key})
    assert answer.status_code in {200, 202}, answer.text
    return str(answer.json()["status_url"])


def task_in(client: httpx.Client, status_url: str, *statuses: str) -> dict[str, Any] | None:
    """The one task of the run's plan, once it is in one of those statuses."""
    [task] = client.get(status_url).json()["plan"]["tasks"]
    return dict(task) if task["status"] in statuses else None


REMINDERS = """
from governance.models import Notification
print(Notification.objects.filter(kind="reminder", tenant__key="tenant-b").count())
"""


def settled(client: httpx.Client, status_url: str) -> dict[str, Any]:
    """The run once it waits for nothing but a person."""

    def look() -> dict[str, Any] | None:
        run: dict[str, Any] = client.get(status_url).json()
        return run if run["status"] not in {"running", "acting"} else None

    return until(look, "the run has ended", 90)


def test_d1_and_then_d2(product: Product) -> None:
    client = product.client("powerx", *SCOPES)
    the_tenant_behind_is_upgraded_told_and_reported_once_however_often_asked(product, client)
    product.fall_behind()
    a_hold_makes_a_conflict_that_only_a_decision_ends(product, client)


def the_tenant_behind_is_upgraded_told_and_reported_once_however_often_asked(
    product: Product, client: httpx.Client
) -> None:
    """D-1."""
    product.agree_window("tenant-b", begins=timedelta(hours=12))
    status_url = started(client, "d1")

    # A run waits for no window: it ends, and its plan goes on when the window opens.
    run = settled(client, status_url)
    assert run["status"] == "completed", run
    [task] = run["plan"]["tasks"]
    assert (task["tenant"], task["status"]) == ("tenant-b", "queued")
    assert "window" in task["waiting_because"]
    with product.sandbox() as sandbox:
        assert sandbox.get("/sandbox/counts").json()["orders"] == 0

    product.agree_window("tenant-b", begins=timedelta(hours=-1))

    # Its orchestrator says that it is done, and the tenant's next manifest that it is so.
    until(lambda: task_in(client, status_url, "verifying", "succeeded"), "it is done within the window", 90)
    product.manage("snapshot", "--group", "powerx")
    task = until(lambda: task_in(client, status_url, "succeeded"), "the manifest shows it", 90)
    assert [(step["plugin"], step["from"], step["to"]) for step in task["steps"]] == [
        (PLUGIN, "2.3.0", "2.4.0")
    ]
    assert task["due_at"]
    # By the run, or by the look between runs: whichever came first.
    assert product.manage("shell", "--verbosity", "0", "-c", REMINDERS).strip() == "1"
    assert run["figures"]["report"]["report"] == 1
    # The same key again starts nothing new.
    assert enforce(client, "d1")["id"] == run["id"]
    with product.sandbox() as sandbox:
        counts = sandbox.get("/sandbox/counts").json()
    assert (counts["orders"], counts["executions"]) == (1, 1)


def a_hold_makes_a_conflict_that_only_a_decision_ends(product: Product, client: httpx.Client) -> None:
    """D-2, within the window that was agreed."""
    product.manage("policy", "apply", "config/version/scenarios/d2_hold.yaml")

    run = enforce(client, "d2")

    assert run["status"] == "needs_decision", run
    assert run["plan"] is None
    [conflict] = run["conflicts"]
    assert conflict["tenants"] == ["tenant-b"]
    assert {rule["policy"] for rule in conflict["explanation"]["rules"]} == {"core-align", "tenant-b-freeze"}
    assert conflict["ways_out"]

    again = enforce(client, "d2-again")
    assert again["status"] == "completed"
    assert client.get(f"/internal/version/policy/enforce/{run['id']}").json()["status"] == "needs_decision"

    [hold] = [rule for rule in conflict["explanation"]["rules"] if rule["policy"] == "tenant-b-freeze"]
    decided = client.post(
        "/internal/version/policy/decide",
        json={
            "conflict": conflict["id"],
            "set_aside": [{"policy": hold["policy"], "key": hold["key"]}],
            "reason": "The books are closed.",
            "decided_by": "powerx-owner",
        },
    )
    assert decided.status_code == 200, decided.text

    def moved_on() -> dict[str, Any] | None:
        seen: dict[str, Any] = client.get(f"/internal/version/policy/enforce/{run['id']}").json()
        return seen if seen["status"] == "completed" else None

    finished = until(moved_on, "the run moves on", 60)
    assert [task["status"] for task in finished["plan"]["tasks"]] == ["succeeded"]
