"""Kills, stops and restarts: no order is lost, and none is carried out twice."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.process import RunningSandbox, eventually, launch, order, step
from tests.sandbox.receiver import Receiver

VERSIONS = ["2.3.0", "2.4.0", "2.5.0", "2.6.0"]
TENANTS = [f"tenant-{letter}" for letter in "abcdefgh"]


def upgrades(url: str) -> list[dict[str, Any]]:
    """For each tenant orders that each set out from the one before: a second execution would fail."""
    return [
        order(tenant, callback_url=url, steps=[step("powerx-crm-plugin", source, target)])
        for source, target in pairwise(VERSIONS)
        for tenant in TENANTS
    ]


def executed(sandbox: RunningSandbox, number: int) -> None:
    eventually(lambda: sandbox.counts()["executions"], until=lambda executions: executions >= number)


def test_orders_survive_kills_and_are_carried_out_exactly_once(
    sandbox: RunningSandbox, receiver: Receiver
) -> None:
    sandbox.set(delay_seconds=0.05)
    placed = {
        document["task"]: sandbox.ordered(document, document["task"]) for document in upgrades(receiver.url)
    }
    for executions in (3, 12):
        executed(sandbox, executions)
        sandbox.kill()
        sandbox.start()
    shown = [sandbox.finished(each) for each in placed.values()]
    assert {each["status"] for each in shown} == {"succeeded"}, shown
    counts = sandbox.counts()
    assert (counts["orders"], counts["tasks"], counts["executions"]) == (24, 24, 24)
    assert counts["tenants"] == [
        {"group": "acme", "tenant": tenant, "orders": 3, "executions": 3} for tenant in TENANTS
    ]
    assert {each["plugins"]["powerx-crm-plugin"] for each in sandbox.manifests("acme")["manifests"]} == {
        "2.6.0"
    }


def test_every_order_tells_its_end_in_spite_of_kills(sandbox: RunningSandbox, receiver: Receiver) -> None:
    """Perhaps twice, but then under the same message id."""
    sandbox.set(delay_seconds=0.02)
    placed = {sandbox.ordered(document) for document in upgrades(receiver.url)}
    executed(sandbox, 5)
    sandbox.kill()
    sandbox.start()
    eventually(sandbox.counts, until=lambda counts: counts["callbacks"] == {"delivered": 48})
    ends = {each.message_id: each.verified() for each in receiver.received}
    assert len(ends) == 48
    assert {each["order"] for each in ends.values() if each["status"] == "succeeded"} == placed


def test_a_request_repeated_after_a_kill_finds_the_first_order(sandbox: RunningSandbox) -> None:
    sandbox.set(delay_seconds=60)
    document = order()
    first = sandbox.ordered(document, key="once")
    sandbox.kill()
    sandbox.start()
    assert sandbox.ordered(document, key="once") == first
    assert sandbox.counts()["orders"] == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_in_the_middle_of_its_work(sandbox: RunningSandbox, number: int) -> None:
    sandbox.set(delay_seconds=60)
    placed = sandbox.ordered(order())
    eventually(lambda: sandbox.show(placed)["status"], until=lambda status: status == "running")
    assert sandbox.stop(number) == 0
    assert eventually(lambda: sandbox.log[-1]["message"], until=lambda message: message == "stopped")
    assert not [line for line in sandbox.log if line["level"] in {"warning", "error"}]


def test_an_order_that_a_stop_interrupted_goes_on(sandbox: RunningSandbox) -> None:
    sandbox.set(delay_seconds=60)
    placed = sandbox.ordered(order())
    eventually(lambda: sandbox.show(placed)["status"], until=lambda status: status == "running")
    sandbox.set(delay_seconds=0)  # for the orders that start from now on
    sandbox.stop()
    sandbox.start()
    assert sandbox.finished(placed)["status"] == "succeeded"


def test_a_second_sandbox_on_the_same_state_is_refused(sandbox: RunningSandbox, state_path: Path) -> None:
    second = launch(state_path)
    _, said = second.communicate(timeout=20)
    assert (second.returncode, "Another sandbox runs" in said) == (1, True)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PLUMBLINE_ORCHESTRATOR_TOKEN", ""),
        ("PLUMBLINE_CALLBACK_SECRET", ""),
        ("PLUMBLINE_CALLBACK_SECRET", "plain"),
        ("PLUMBLINE_CALLBACK_SECRET", "whsec_"),
    ],
)
def test_it_does_not_start_without_token_and_secret(tmp_path: Path, variable: str, value: str) -> None:
    refused = launch(tmp_path / "state.sqlite3", **{variable: value})
    _, said = refused.communicate(timeout=20)
    assert (refused.returncode, variable in said) == (2, True)
