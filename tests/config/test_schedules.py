"""Jobs that run again and again."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django_q.models import Schedule as Row

from config import queue, schedules
from config.queue import Schedule
from tests.config import jobs

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OFTEN = Schedule("often", "tests.config.jobs.scheduled", timedelta(seconds=10))
SELDOM = Schedule("seldom", "tests.config.jobs.scheduled", timedelta(days=1))


@pytest.fixture(autouse=True)
def _lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_TEST_LINES", str(tmp_path / "lines"))
    Row.objects.all().delete()


def _after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def test_a_new_schedule_is_due_at_once_and_then_at_its_intervals() -> None:
    schedules.sync_schedules([OFTEN, SELDOM], at=NOW)
    asked = []
    for seconds in range(0, 31, 5):
        asked.append(schedules.tick([OFTEN, SELDOM], at=_after(seconds)))
        queue.run_pending()
    assert asked == [["often", "seldom"], [], ["often"], [], ["often"], [], ["often"]]
    assert jobs.lines() == ["scheduled"] * 5


def test_a_job_that_has_not_begun_is_not_asked_for_again() -> None:
    schedules.sync_schedules([OFTEN], at=NOW)
    assert schedules.tick([OFTEN], at=NOW) == ["often"]
    assert schedules.tick([OFTEN], at=_after(60)) == []
    queue.run_pending()
    assert schedules.tick([OFTEN], at=_after(61)) == ["often"]


def test_only_one_worker_asks() -> None:
    schedules.sync_schedules([OFTEN], at=NOW)
    assert [schedules.tick([OFTEN], at=NOW), schedules.tick([OFTEN], at=NOW)] == [["often"], []]
    assert queue.waiting() == 1


def test_a_stop_is_not_made_up_for() -> None:
    schedules.sync_schedules([OFTEN], at=NOW)
    schedules.tick([OFTEN], at=NOW)
    queue.run_pending()
    assert schedules.tick([OFTEN], at=_after(10_000)) == ["often"]
    queue.run_pending()
    assert schedules.tick([OFTEN], at=_after(10_001)) == []


def test_declarations_replace_what_was_there_and_keep_the_time_of_what_stays() -> None:
    schedules.sync_schedules([OFTEN, SELDOM], at=NOW)
    schedules.tick([OFTEN, SELDOM], at=NOW)
    schedules.sync_schedules([SELDOM], at=_after(60))
    row = Row.objects.get()
    assert (row.name, row.next_run) == ("seldom", NOW + timedelta(days=1))


def test_a_shorter_interval_holds_at_once() -> None:
    schedules.sync_schedules([SELDOM], at=NOW)
    schedules.tick([SELDOM], at=NOW)
    schedules.sync_schedules([Schedule("seldom", SELDOM.job, timedelta(minutes=1))], at=_after(5))
    assert Row.objects.get().next_run == _after(65)


def test_a_schedule_for_what_is_no_job_is_refused() -> None:
    with pytest.raises(queue.UnknownJob):
        schedules.sync_schedules([Schedule("odd", "tests.config.jobs.not_a_job", timedelta(1))], at=NOW)


def test_a_job_that_waits_though_nobody_is_at_work_shows_that_the_workers_are_stuck() -> None:
    schedules.sync_schedules([OFTEN], at=NOW)
    schedules.tick([OFTEN], at=NOW)
    late = NOW + schedules.IDLE_PATIENCE
    assert not schedules.stuck([OFTEN], at=late)
    assert schedules.stuck([OFTEN], at=late + timedelta(seconds=1))
    schedules.forget([OFTEN], at=late + timedelta(seconds=1))
    assert not schedules.stuck([OFTEN], at=late + timedelta(seconds=1))
    assert schedules.tick([OFTEN], at=late) == ["often"]


def test_workers_that_are_all_at_work_are_given_the_time_of_their_jobs() -> None:
    schedules.sync_schedules([OFTEN], at=NOW)
    schedules.tick([OFTEN], at=NOW)
    late = NOW + schedules.PATIENCE
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [queue.AT_WORK])
        assert not schedules.stuck([OFTEN], at=late)
        assert schedules.stuck([OFTEN], at=late + timedelta(seconds=1))
        cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [queue.AT_WORK])


def test_a_job_in_the_hands_of_the_dead_can_be_asked_for_again() -> None:
    schedules.sync_schedules([OFTEN], at=NOW)
    schedules.tick([OFTEN], at=NOW)
    schedules.reset()
    assert schedules.tick([OFTEN], at=_after(10)) == ["often"]


def test_the_product_declares_schedules_for_jobs_that_exist() -> None:
    declared = schedules.declared()
    assert {schedule.name for schedule in declared} > {"heartbeat"}
    schedules.sync_schedules(declared, at=NOW)
    assert Row.objects.count() == len(declared)
