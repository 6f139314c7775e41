"""D-1 and D-2 as an operator plays them at the command line, within a window of the tenant."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tests.journeys.product import Product, until

PLUGIN = "powerx-crm-plugin"
HOLD = "config/version/scenarios/d2_hold.yaml"
# The exit codes that docs promise to scripts.
FINE, USAGE, DIFFERENT, DECISION, REFUSED = 0, 2, 3, 4, 5


def executions(product: Product) -> dict[str, Any]:
    """What the sandbox counted, asked through a product that runs."""
    with product.sandbox() as sandbox:
        counts: dict[str, Any] = sandbox.get("/sandbox/counts").json()
    return counts


def test_d1_by_the_sync_command_with_only_the_database_at_hand(installed: Product) -> None:
    a_dry_run_shows_the_plan_and_does_none_of_it(installed)
    installed.agree_window("tenant-b", begins=timedelta(hours=-1))

    done = installed.json("version_policy_sync", "--group", "powerx")

    run = done["groups"]["powerx"]
    assert (run["status"], run["changed"], done["changed"]) == ("completed", True, True)
    [task] = run["plan"]["tasks"]
    assert (task["tenant"], task["status"]) == ("tenant-b", "succeeded")
    assert [(step["plugin"], step["from"], step["to"]) for step in task["steps"]] == [
        (PLUGIN, "2.3.0", "2.4.0")
    ]
    assert task["due_at"]
    assert run["figures"]["evaluate"]["opened"] + run["figures"]["evaluate"]["kept"] == 1
    assert run["figures"]["notify"]["digests"] >= 1
    assert run["figures"]["report"]["report"] == 1
    assert all("seconds" in run["figures"][stage] for stage in ("collect", "seal", "evaluate", "verify"))

    again = installed.json("version_policy_sync", "--group", "powerx")

    assert again["changed"] is False
    assert again["configuration"]["changed"] is False
    assert again["groups"]["powerx"]["plan"] is None
    assert again["groups"]["powerx"]["figures"]["notify"]["digests"] == 0
    said = installed.manage("version_policy_sync", "--group", "powerx")
    assert "Nothing has changed since the last run." in said


def a_dry_run_shows_the_plan_and_does_none_of_it(installed: Product) -> None:
    """So all of it is still to be done afterwards."""
    shown = installed.json("policy", "enforce", "--dry-run")
    assert [task["tenant"] for task in shown["plan"]["tasks"]] == ["tenant-b"]
    assert shown["plan"]["status"] == "drafted"
    assert shown["figures"]["notify"]["digests"] == 0


def test_d2_stands_at_a_decision_until_a_person_takes_it(installed: Product) -> None:
    installed.agree_window("tenant-b", begins=timedelta(hours=-1))
    assert installed.json("policy", "diff", HOLD, codes=[DIFFERENT])["changed"] is True
    assert installed.json("policy", "apply", HOLD)["changed"] is True
    assert installed.json("policy", "apply", HOLD)["changed"] is False

    run = installed.json("policy", "enforce", codes=[DECISION])

    assert run["status"] == "needs_decision"
    assert run["plan"] is None
    [conflict] = run["conflicts"]
    assert conflict["tenants"] == ["tenant-b"]

    waiting = installed.json("policy", "decide", codes=[DECISION])
    assert [found["id"] for found in waiting["conflicts"]] == [conflict["id"]]
    [hold] = [rule for rule in conflict["explanation"]["rules"] if rule["policy"] == "tenant-b-freeze"]
    named = ["--set-aside", f"{hold['policy']}/{hold['key']}", "--reason", "The books are closed."]
    installed.json("policy", "decide", conflict["id"], *named, "--as", "powerx-auditor", codes=[USAGE])
    assert installed.json("policy", "enforce")["status"] == "completed"
    assert installed.json("policy", "watch", str(run["number"]), codes=[DECISION])["plan"] is None

    decided = installed.json("policy", "decide", conflict["id"], *named, "--as", "powerx-owner")

    assert (decided["decided_by"], decided["reason"]) == ("powerx-owner", "The books are closed.")
    assert decided["resumed_runs"] == [run["number"]]
    installed.json("policy", "decide", conflict["id"], *named, "--as", "powerx-owner", codes=[REFUSED])
    finished = installed.json("policy", "watch", str(run["number"]))
    assert finished["status"] == "completed"
    assert [task["status"] for task in finished["plan"]["tasks"]] == ["succeeded"]


def test_both_beside_the_running_product(product: Product) -> None:
    commands_leave_it_one_order(product)
    product.fall_behind()
    what_is_decided_at_the_command_line_is_carried_on_by_the_worker(product)


def commands_leave_it_one_order(product: Product) -> None:
    """D-1: the worker, which looks after the same tasks, hands none over again."""
    done = product.json("version_policy_sync", "--group", "powerx")

    assert [task["status"] for task in done["groups"]["powerx"]["plan"]["tasks"]] == ["succeeded"]
    counts = executions(product)
    assert (counts["orders"], counts["tasks"], counts["executions"]) == (1, 1, 1)


def what_is_decided_at_the_command_line_is_carried_on_by_the_worker(product: Product) -> None:
    """D-2."""
    before = executions(product)["executions"]
    product.manage("policy", "apply", HOLD)
    run = product.json("policy", "enforce", codes=[DECISION])
    [conflict] = run["conflicts"]
    [hold] = [rule for rule in conflict["explanation"]["rules"] if rule["policy"] == "tenant-b-freeze"]
    named = ["--set-aside", f"{hold['policy']}/{hold['key']}", "--reason", "The books are closed."]

    product.json("policy", "decide", conflict["id"], *named, "--as", "powerx-owner")

    def carried_on() -> bool:
        return bool(executions(product)["executions"] > before)

    until(carried_on, "the worker carries the run on", 120)
    seen = json.loads(product.manage("policy", "watch", str(run["number"]), "--json"))
    assert seen["status"] == "completed"
