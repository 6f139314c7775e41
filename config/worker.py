"""The worker: django-q2's cluster, and around it what that gets wrong."""

import contextlib
import fcntl
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from types import TracebackType
from typing import Any

import structlog
from django.conf import settings
from django.db import OperationalError, connections
from django.utils import timezone
from django_q import cluster as django_q_cluster
from django_q.models import Task
from django_q.queues import Queue

from config import queue, schedules
from config.processes import bind_forks

# The number of the advisory lock that every living worker shares; any that nobody else uses.
LEASE = 7_205_759_404
FAILURES_KEPT = timedelta(days=30)
# How long, in seconds, the process that guards the others may give no sign of life: it does twice a second.
GUARD_PATIENCE = 20.0

log = structlog.get_logger(__name__)


class KernelLock:
    """A lock between processes that the kernel frees when its holder dies.

    An idle worker holds the queue's reading lock while it waits. With the standard library's semaphore, one
    that is killed there (by the kernel for want of memory, say) keeps it for ever, and all others starve.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the lock)

    def acquire(self, block: bool = True, timeout: float | None = None) -> bool:
        """Wait for the lock; without `block`, take it only if it is free."""
        if block and timeout is not None:
            raise NotImplementedError("The kernel's file locks know no timeout.")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | (0 if block else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        """Give the lock back."""
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class SturdyQueue(Queue):  # type: ignore[misc]
    """django-q2's queue between its processes, which a killed process can't lock up."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._rlock = KernelLock()


class WatchedSentinel(django_q_cluster.Sentinel):  # type: ignore[misc]
    """django-q2's guard of its processes, which shows in each round that it goes on.

    It can hang as they can (a process that is killed while it holds its own timer's lock keeps it), and with
    it hangs what ends jobs that take too long.
    """

    pulse = multiprocessing.RawValue("d", 0.0)  # by the clock that all processes of a machine share

    def status(self) -> str:
        """What django-q2 asks for in each round, and before the first."""
        self.beat()
        return str(super().status())

    @classmethod
    def beat(cls) -> None:
        """Give a sign of life."""
        cls.pulse.value = time.monotonic()

    @classmethod
    def hangs(cls) -> bool:
        """Whether there was no sign of life for too long."""
        return time.monotonic() - float(cls.pulse.value) > GUARD_PATIENCE


def work() -> bool:
    """Do background work until told to stop by SIGTERM or SIGINT.

    False if the worker gave up: its processes died or got stuck, or the database went away. Whoever started
    it starts it again.
    """
    bind_forks()
    django_q_cluster.Queue = SturdyQueue
    django_q_cluster.Sentinel = WatchedSentinel
    WatchedSentinel.beat()
    declared = schedules.declared()
    schedules.sync_schedules(declared, at=timezone.now())
    Task.objects.filter(stopped__lt=timezone.now() - FAILURES_KEPT).delete()
    import_module(settings.ROOT_URLCONF)  # once for all its processes: what they send names addresses
    with _lease() as holds:
        connections.close_all()  # a connection that two processes share is soon broken
        cluster = django_q_cluster.Cluster()
        cluster.start()
        log.info("worker_started")
        with contextlib.suppress(OperationalError):
            _watch(cluster, declared, holds)
        told_to_stop = bool(cluster.has_stopped)
        if not told_to_stop:
            cluster.sentinel.kill()  # its own processes die with it
    log.info("worker_stopped", told_to_stop=told_to_stop)
    return told_to_stop


def _watch(cluster: Any, declared: list[queue.Schedule], lease: Any) -> None:
    """Ask for what is due, each second, until the cluster ends or must be ended."""
    while cluster.sentinel.is_alive():
        now = timezone.now()
        lease.execute("SELECT 1")  # fails if the database went away, and our lease with it
        schedules.tick(declared, at=now)
        if WatchedSentinel.hangs() or schedules.stuck(declared, at=now):
            schedules.forget(declared, at=now)
            log.error("worker_stuck")
            return
        time.sleep(1)


@contextlib.contextmanager
def _lease() -> Iterator[Any]:
    """Hold the lock that says: a worker lives. If none did, what those had in hand goes back to the queue."""
    connection = connections["default"].copy()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LEASE])
        if alone := cursor.fetchone()[0]:
            released = queue.release()
            schedules.reset()
            log.info("jobs_released", count=released)
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [LEASE])
        if alone:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [LEASE])
        yield cursor
    connection.close()
