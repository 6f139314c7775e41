"""Settings, and the faults that they inject."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from sandbox.faults import Outcome, Settings, outcome
from tests.sandbox.process import RunningSandbox, order

RATES = Settings(failure_rate=0.3, false_success_rate=0.2)


def test_the_same_seed_draws_the_same_outcomes() -> None:
    assert [outcome(RATES, n) for n in range(100)] == [outcome(RATES, n) for n in range(100)]
    other = Settings(failure_rate=0.3, false_success_rate=0.2, seed=1)
    assert [outcome(RATES, n) for n in range(100)] != [outcome(other, n) for n in range(100)]


def test_outcomes_come_at_about_their_rates() -> None:
    drawn = [outcome(RATES, n) for n in range(10_000)]
    assert drawn.count(Outcome.FAILED) == pytest.approx(3000, rel=0.1)
    assert drawn.count(Outcome.FALSE_SUCCESS) == pytest.approx(1400, rel=0.1)


def test_nothing_goes_wrong_at_rate_zero_and_everything_at_one() -> None:
    assert {outcome(Settings(), n) for n in range(1000)} == {Outcome.CARRIED_OUT}
    assert {outcome(Settings(failure_rate=1), n) for n in range(1000)} == {Outcome.FAILED}


def test_an_injected_failure_changes_nothing(sandbox: RunningSandbox) -> None:
    sandbox.set(failure_rate=1)
    shown = sandbox.finished(sandbox.ordered(order()))
    assert shown["status"] == "failed"
    assert sandbox.manifest("acme", "tenant-b")["plugins"]["powerx-crm-plugin"] == "2.3.0"
    assert sandbox.counts()["executions"] == 0


def test_a_false_success_says_succeeded_and_changes_nothing(sandbox: RunningSandbox) -> None:
    sandbox.set(false_success_rate=1)
    shown = sandbox.finished(sandbox.ordered(order()))
    assert (shown["status"], shown["detail"]) == ("succeeded", "1 step carried out")
    assert sandbox.manifest("acme", "tenant-b")["plugins"]["powerx-crm-plugin"] == "2.3.0"
    assert sandbox.counts()["executions"] == 0


def test_the_delay_lies_between_running_and_the_end(sandbox: RunningSandbox) -> None:
    sandbox.set(delay_seconds=0.3)
    placed = sandbox.ordered(order())
    assert sandbox.show(placed)["finished_at"] is None
    assert sandbox.finished(placed)["status"] == "succeeded"


def test_settings_survive_a_restart(sandbox: RunningSandbox) -> None:
    sandbox.set(failure_rate=0.25, seed=7, callback=False)
    assert sandbox.stop() == 0
    sandbox.start()
    expected = Settings(delay_seconds=0, failure_rate=0.25, callback=False, seed=7)
    assert sandbox.client.get("/sandbox/settings").json() == asdict(expected)


@pytest.mark.parametrize(
    "change",
    [
        {"delay_seconds": -1},
        {"delay_seconds": True},
        {"failure_rate": 1.5},
        {"false_success_rate": "0.5"},
        {"forged_callback_rate": -0.1},
        {"stall_seconds": 3601},
        {"callback": 1},
        {"seed": 1.5},
        {"mood": "good"},
    ],
)
def test_a_bad_setting_is_refused_by_name_and_changes_nothing(
    pristine: RunningSandbox, change: dict[str, Any]
) -> None:
    before = pristine.client.get("/sandbox/settings").json()
    refused = pristine.client.patch("/sandbox/settings", json={"seed": 3, **change})
    assert refused.status_code == 400
    assert [error["field"] for error in refused.json()["errors"]] == list(change)
    assert pristine.client.get("/sandbox/settings").json() == before
