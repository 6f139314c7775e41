"""A supervised worker recovers by itself, within a minute, from whatever befalls its processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.env import BASE_DIR
from config.supervisor import Child, Service
from demo import processes
from tests.config.conftest import wait_until

Manage = Callable[..., subprocess.CompletedProcess[str]]
MINUTE = 60


@pytest.fixture
def child(data_dir: Path, environment: dict[str, str], manage: Manage) -> Iterator[Child]:
    """A worker, as a supervisor keeps it."""
    answer = manage("migrate", "django_q", "-v0", "--skip-checks")
    assert answer.returncode == 0, answer.stderr
    command = (sys.executable, str(BASE_DIR / "manage.py"), "worker")
    kept = Child(Service("worker", command, data_dir / "worker.log", environment))
    yield kept
    kept.end()


def test_a_killed_idle_process_a_killed_parent_and_a_stuck_cluster_are_got_over(
    data_dir: Path, manage: Manage, child: Child
) -> None:
    lines = data_dir / "lines"
    lines.write_text("")

    def jobs_are_done() -> None:
        """Jobs that are asked for from now on are done, with nobody but the supervisor seeing to it."""
        seen = lines.read_text().count("scheduled")

        def more() -> bool:
            child.tend()
            return lines.read_text().count("scheduled") > seen + 1

        wait_until(more, seconds=MINUTE)

    def head() -> int:
        assert child.process is not None
        return child.process.pid

    def cluster() -> list[int]:
        return [pid for pid in processes.under(head()) if pid != head()]

    jobs_are_done()
    os.kill(cluster()[-1], signal.SIGKILL)
    jobs_are_done()

    os.kill(head(), signal.SIGKILL)
    jobs_are_done()

    # Amid a job: that somebody seems to be at work mustn't count for those who are stuck.
    answer = manage(
        "shell", "-v0", "-c", "from config import queue; queue.enqueue('tests.config.jobs.slow', seconds=5)"
    )
    assert answer.returncode == 0, answer.stderr
    wait_until(lambda: "working" in lines.read_text())
    stopped = cluster()
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    jobs_are_done()
    assert not set(stopped) & set(cluster())
