"""The worker, as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from config import postgres
from config.embedded import superuser
from config.env import BASE_DIR
from config.worker import KernelLock
from tests.config.conftest import wait_until

Manage = Callable[..., subprocess.CompletedProcess[str]]
Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture(scope="module", autouse=True)
def _tables(manage: Manage) -> None:
    answer = manage("migrate", "django_q", "-v0", "--skip-checks")
    assert answer.returncode == 0, answer.stderr


@pytest.fixture
def start(environment: dict[str, str]) -> Iterator[Start]:
    """Starts workers, and kills those that a test leaves."""
    started = []

    def run() -> subprocess.Popen[bytes]:
        command = [sys.executable, "manage.py", "worker"]
        started.append(subprocess.Popen(command, cwd=BASE_DIR, env=environment, start_new_session=True))
        return started[-1]

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


@pytest.fixture
def lines(data_dir: Path) -> Callable[[], list[str]]:
    """What the jobs wrote."""
    path = data_dir / "lines"
    path.write_text("")
    return lambda: path.read_text().splitlines()


def _enqueue(data_dir: Path, manage: Manage, name: str, **payload: object) -> None:
    program = f"from config import queue; queue.enqueue('tests.config.jobs.{name}', **{payload!r})"
    answer = manage("shell", "-v0", "-c", program)
    assert answer.returncode == 0, answer.stderr


def _children(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in children.read_text().split()] if children.exists() else []


def _all_gone(pids: list[int]) -> bool:
    """Whether the processes ended; one that only waits to be fetched by its parent has."""
    states = [Path(f"/proc/{pid}/stat") for pid in pids]
    return all(not state.exists() or ") Z " in state.read_text() for state in states)


def test_it_does_jobs_and_keeps_time_until_it_is_told_to_stop(
    data_dir: Path, manage: Manage, start: Start, lines: Callable[[], list[str]]
) -> None:
    worker = start()
    _enqueue(data_dir, manage, "note", text="hello", group=1)
    wait_until(lambda: "hello 1 None" in lines() and lines().count("scheduled") >= 2)
    (sentinel,) = _children(worker.pid)
    family = [sentinel, *_children(sentinel)]
    assert len(family) >= 5  # two that work, one that fetches, one that notes results
    worker.terminate()
    assert worker.wait(20) == 0
    assert _all_gone(family)


def test_a_killed_idle_process_holds_up_nobody(
    data_dir: Path, manage: Manage, start: Start, lines: Callable[[], list[str]]
) -> None:
    workers = [start()]
    wait_until(lambda: "scheduled" in lines())
    (sentinel,) = _children(workers[0].pid)
    for process in _children(sentinel)[:2]:
        os.kill(process, signal.SIGKILL)
    seen = lines().count("scheduled")

    def goes_on() -> bool:
        if workers[-1].poll() is not None:  # on a busy machine it may think itself stuck
            workers.append(start())
        return lines().count("scheduled") > seen + 2

    wait_until(goes_on, seconds=60)


def test_a_killed_worker_leaves_no_process_and_the_next_one_does_its_job(
    data_dir: Path, manage: Manage, start: Start, lines: Callable[[], list[str]]
) -> None:
    _enqueue(data_dir, manage, "slow", seconds=3)
    worker = start()
    wait_until(lambda: any(line.startswith("working") for line in lines()))
    (sentinel,) = _children(worker.pid)
    family = [sentinel, *_children(sentinel)]
    worker.kill()
    worker.wait()
    wait_until(lambda: _all_gone(family))
    assert "worked" not in lines()
    start()
    # At once, not only when the queue's retry would be due, ten minutes later.
    wait_until(lambda: "worked" in lines())
    assert len([line for line in lines() if line.startswith("working")]) == 2


def test_it_gives_up_when_the_database_goes_away(
    data_dir: Path, start: Start, lines: Callable[[], list[str]]
) -> None:
    worker = start()
    wait_until(lambda: "scheduled" in lines())
    server = postgres.status(data_dir)
    assert server is not None
    (sentinel,) = _children(worker.pid)
    family = [sentinel, *_children(sentinel)]
    postgres.stop(data_dir)
    assert worker.wait(20) == 1
    wait_until(lambda: _all_gone(family))


def _is_held(lock: KernelLock) -> bool:
    if lock.acquire(block=False):
        lock.release()
        return False
    return True


def test_a_dead_holders_lock_is_free() -> None:
    lock = KernelLock()
    holder = os.fork()
    if holder == 0:
        lock.acquire()
        signal.pause()
        os._exit(0)
    wait_until(lambda: _is_held(lock))
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    assert lock.acquire(block=False)
    lock.release()


def test_the_lock_of_the_living_is_shared_by_workers(data_dir: Path, start: Start) -> None:
    server = postgres.ensure_running(data_dir)
    start(), start()
    address = f"host={superuser.HOST} port={server.port} user={superuser.OWNER} dbname={superuser.OWNER}"
    with psycopg.connect(address, password=server.password, autocommit=True) as connection:

        def leases() -> int:
            query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

        wait_until(lambda: leases() == 2)
