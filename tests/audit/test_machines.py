"""A worker's machine with a wrong clock, or a slow disk under the database, is noticed and named."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from audit import machines
from audit.causes import CLOCK_TOLERANCE
from audit.models import Machine
from tests.factories import AT

MINUTE = timedelta(minutes=1)


def seen(clock_ahead: timedelta = timedelta(), commit_time: timedelta = timedelta()) -> list[str]:
    machine = Machine(name="worker-1", clock_ahead=clock_ahead, commit_time=commit_time, seen_at=AT)
    return [trouble.title for trouble in machines.judge(machine)]


def test_a_wrong_clock_is_named_with_its_side_and_by_how_much() -> None:
    assert seen(clock_ahead=7 * MINUTE) == ["The clock of worker-1 is 7 minutes ahead of the database’s."]
    assert seen(clock_ahead=-7 * MINUTE) == ["The clock of worker-1 is 7 minutes behind the database’s."]


def test_slow_commits_are_named_with_how_long_they_take() -> None:
    [title] = seen(commit_time=timedelta(seconds=1.5))
    assert title == "The database takes 1,500 ms for each change that worker-1 makes."


@given(
    st.timedeltas(min_value=-CLOCK_TOLERANCE, max_value=CLOCK_TOLERANCE),
    st.timedeltas(min_value=timedelta(), max_value=machines.SLOW_COMMIT),
)
def test_a_machine_within_bounds_is_no_trouble(ahead: timedelta, commit: timedelta) -> None:
    assert seen(ahead, commit) == []


@pytest.mark.django_db
def test_a_worker_whose_clock_is_off_by_minutes_finds_that_out_by_itself() -> None:
    with time_machine.travel(timedelta(minutes=9), tick=True):
        machines.look(at=AT)
    machine = Machine.objects.get()
    assert abs(machine.clock_ahead - 9 * MINUTE) < MINUTE


@pytest.mark.django_db
def test_a_slow_disk_is_found_by_the_commit() -> None:
    machines.look(at=AT)

    def slow(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("UPDATE") and "commit_time" not in sql:
            time.sleep(0.3)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(slow):
        machines.look(at=AT)
    [trouble] = machines.troubles(at=AT)
    assert "The database takes 3" in trouble.title


@pytest.mark.django_db
def test_a_machine_without_a_worker_is_forgotten() -> None:
    Machine.objects.create(name="gone", clock_ahead=9 * MINUTE, commit_time=timedelta(), seen_at=AT)
    assert len(machines.troubles(at=AT)) == 1
    assert machines.troubles(at=AT + machines.FORGOTTEN_AFTER) == []
