"""A drill notices each promise that was broken, and sees none broken where none was."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from demo.drill import promises
from demo.drill.records import Order, Records, Task
from demo.drill.terms import scaled

BEHIND, CURRENT = {"mail": "1.0.0"}, {"mail": "2.0.0"}
FIRST = Order("task-1", "tenant-0", 0, "2026-01-01T10:00:00", "2026-01-01T10:01:00")
SECOND = Order("task-1", "tenant-0", 1, "2026-01-01T10:02:00", "2026-01-01T10:03:00")
WHOLE = Records(
    tasks=[Task("task-1", "tenant-0", "succeeded", 2), Task("task-2", "tenant-49", "given_up", 1)],
    orders=[FIRST, SECOND],
    running={"tenant-0": CURRENT},
    believed={"tenant-0": CURRENT, "tenant-49": BEHIND},
    drifting=frozenset({"tenant-49"}),
    messages={},
    mails=Counter({"owner: plan": 1}),
)


def broken(**changes: Any) -> set[str]:
    """The first words of the promises that records with these changes break."""
    verdicts = promises.judge(replace(WHOLE, **changes))
    return {" ".join(verdict.promise.split()[:2]) for verdict in verdicts if verdict.broken}


def test_nothing_is_held_against_a_drill_in_which_all_went_well() -> None:
    assert broken() == set()


@pytest.mark.parametrize(
    ("changes", "promise"),
    [
        ({"tasks": [*WHOLE.tasks, Task("task-3", "tenant-49", "accepted", 1)]}, "every task"),
        ({"tasks": [Task("task-1", "tenant-0", "given_up", 2), WHOLE.tasks[1]]}, "a tenant's"),
        ({"tasks": [WHOLE.tasks[0], Task("task-2", "tenant-49", "succeeded", 1)]}, "a tenant's"),
        ({"orders": [replace(FIRST, executions=1), SECOND]}, "no upgrade"),
        (
            {"orders": [FIRST, SECOND, replace(SECOND, executions=0, accepted_at="2026-01-02")]},
            "each attempt",
        ),
        ({"orders": [FIRST, replace(SECOND, accepted_at="2026-01-01T10:00:30")]}, "no tenant"),
        ({"orders": [replace(FIRST, finished_at=""), SECOND]}, "no tenant"),
        ({"believed": {"tenant-0": BEHIND}}, "what is"),
        ({"drifting": frozenset({"tenant-0"})}, "what is"),
        ({"mails": Counter({"owner: plan": 2})}, "no mail"),
    ],
)
def test_a_broken_promise_is_noticed(changes: dict[str, Any], promise: str) -> None:
    assert broken(**changes) == {promise}


def test_too_many_tenants_left_behind_are_named() -> None:
    behind = {f"tenant-{number}": BEHIND for number in range(3)}
    given_up = [Task(f"task-{key}", key, "given_up", 1) for key in behind]
    changes = {"tasks": given_up, "orders": [], "running": behind, "believed": behind}
    assert broken(**changes, drifting=frozenset(behind)) == {"99% of"}


def test_a_verdict_names_a_few_and_counts_the_rest() -> None:
    told = promises.Verdict("no mail was sent twice", tuple("abcdefg")).as_json()
    assert told["seen"] == ["a", "b", "c", "d", "e", "and 2 more"]
    assert told["kept"] is False


def test_a_large_drill_is_as_bad_as_it_is_meant_to_be_and_a_small_one_is_quicker() -> None:
    large, small = scaled(2000, seed=1), scaled(40, seed=1)
    assert (large.kills, large.restarts, large.away_seconds) == (20, 2, 60)
    assert (small.kills, small.restarts) == (3, 1)
    assert small.away_seconds < 10
