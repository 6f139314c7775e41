"""The only door to background work."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone
from django_q.models import OrmQ

from config import queue
from tests.config import jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLUMBLINE_TEST_LINES", str(tmp_path / "lines"))


def test_a_job_gets_its_payload_whole_even_names_that_the_queue_uses() -> None:
    queue.enqueue("tests.config.jobs.note", text="hello", group=3, timeout=1)
    assert jobs.lines() == []
    assert queue.run_pending() == 1
    assert jobs.lines() == ["hello 3 1"]
    assert queue.waiting() == 0


def test_what_is_rolled_back_was_never_asked_for() -> None:
    with transaction.atomic():
        queue.enqueue("tests.config.jobs.note", text="never")
        transaction.set_rollback(True)
    assert queue.waiting() == 0


@pytest.mark.parametrize(
    "name", ["tests.config.jobs.not_a_job", "tests.config.jobs.missing", "tests.nowhere.at_all", "plain"]
)
def test_a_name_that_is_no_job_is_refused_at_the_door(name: str) -> None:
    with pytest.raises(queue.UnknownJob, match=name):
        queue.enqueue(name)


def test_a_row_in_a_payload_is_refused() -> None:
    with pytest.raises(TypeError):
        queue.enqueue("tests.config.jobs.note", text=timezone.now())


def test_a_failed_job_stays_for_a_worker() -> None:
    queue.enqueue("tests.config.jobs.fail")
    with pytest.raises(RuntimeError, match="on purpose"):
        queue.run_pending()
    assert queue.waiting() == 1
    assert queue.run_pending() == 0  # not before its retry is due


def test_jobs_in_hand_can_be_given_back() -> None:
    queue.enqueue("tests.config.jobs.note", text="again")
    OrmQ.objects.update(lock=timezone.now() + timedelta(minutes=10))
    assert queue.run_pending() == 0
    assert queue.release() == 1
    assert queue.run_pending() == 1
