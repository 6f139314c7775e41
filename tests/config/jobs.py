"""Jobs for the tests of the queue and the worker: each leaves a line in a file."""

import os
import time
from datetime import timedelta
from pathlib import Path

from config import queue
from config.queue import Schedule

SCHEDULES = [Schedule("often", "tests.config.jobs.scheduled", timedelta(seconds=1))]


def lines() -> list[str]:
    """What the jobs have written so far."""
    path = Path(os.environ["PLUMBLINE_TEST_LINES"])
    return path.read_text().splitlines() if path.exists() else []


def _write(text: str) -> None:
    with Path(os.environ["PLUMBLINE_TEST_LINES"]).open("a") as file:
        file.write(f"{text}\n")


@queue.job
def scheduled() -> None:
    """What the schedule asks for."""
    _write("scheduled")


@queue.job
def note(text: str, group: int | None = None, timeout: int | None = None) -> None:
    """Write the text; its other arguments bear names that the queue uses itself."""
    _write(f"{text} {group} {timeout}")


@queue.job
def slow(seconds: float) -> None:
    """Say who works, then take that long."""
    _write(f"working {os.getpid()}")
    time.sleep(seconds)
    _write("worked")


@queue.job
def fail() -> None:
    """Fail, as jobs do."""
    raise RuntimeError("on purpose")


def not_a_job() -> None:
    """Not registered."""


def welcome() -> list[str]:
    """What `manage.py run` tells beside the address."""
    return ["Sign in as somebody."]
