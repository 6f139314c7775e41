"""Background work: the only door to django-q2.

A job is a function that may run twice: it loads rows by id, calls one function of the domain, and finds by
itself that there is nothing left to do. The queue gives each job out at least once; rows that must be worked
on are found again by a schedule, so that a lost wake-up only costs time.
"""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.models import OrmQ
from django_q.tasks import async_task  # noqa: TID251 (this module is the door)

Job = TypeVar("Job", bound=Callable[..., None])

# The number of the advisory lock that all share who do a job; any that nobody else uses.
AT_WORK = 7_205_759_405
_ANYBODY_AT_WORK = """
SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND classid = %s AND objid = %s AND objsubid = 1
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""

JOBS: dict[str, Callable[..., None]] = {}

log = structlog.get_logger(__name__)


class UnknownJob(LookupError):
    """No function of this dotted name is registered as a job."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job without a payload that runs at these intervals."""

    name: str
    job: str
    every: timedelta
    first_after: timedelta = timedelta(0)  # how long a new one waits; else it is due at once


def job(function: Job) -> Job:
    """Register a function as a job under its dotted name."""
    JOBS[f"{function.__module__}.{function.__qualname__}"] = function
    return function


def find(name: str) -> Callable[..., None]:
    """The registered function; importing its module registers it. Raises UnknownJob."""
    try:
        import_string(name)
        return JOBS[name]
    except (ImportError, KeyError) as error:
        raise UnknownJob(f"{name} is not a job; decorate it with config.queue.job.") from error


def enqueue(name: str, /, **payload: Any) -> None:
    """Ask for a job. Workers see it when the current transaction commits.

    The payload holds plain values (ids, not rows). Raises UnknownJob, and TypeError for a payload that isn't
    plain.
    """
    find(name)
    json.dumps(payload)
    # One positional argument: keywords such as `group` or `timeout` would be taken for the queue's own.
    async_task("config.queue.run", name, payload)


def run(name: str, payload: dict[str, Any]) -> None:
    """Do a job; this is what a worker calls."""
    function = find(name)
    begun = time.monotonic()
    with _seen_at_work(), structlog.contextvars.bound_contextvars(job=name):
        try:
            function(**payload)
        except Exception:
            log.exception("job_failed", payload=payload)
            raise
        log.debug("job_done", payload=payload, seconds=round(time.monotonic() - begun, 3))


def anybody_at_work() -> bool:
    """Whether any worker is doing a job just now; one that died doesn't count."""
    with connection.cursor() as cursor:
        cursor.execute(_ANYBODY_AT_WORK, [AT_WORK >> 32, AT_WORK & 0xFFFFFFFF])
        return bool(cursor.fetchone()[0])


@contextlib.contextmanager
def _seen_at_work() -> Iterator[None]:
    """Share the lock of those at work, which the database takes away from one that is killed."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock_shared(%s)", [AT_WORK])
    try:
        yield
    finally:
        # Where the job broke the connection, or its transaction, the lock goes with that.
        with contextlib.suppress(DatabaseError, InterfaceError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [AT_WORK])


def run_pending() -> int:
    """Do everything that waits in the queue here and now, as a worker would; the number of jobs done.

    For commands and tests that don't rely on a worker. A job that fails stays in the queue for a worker.
    """
    done = 0
    while row := _claim():
        run(*row.task["args"])
        row.delete()
        done += 1
    return done


def waiting() -> int:
    """How many jobs wait for a worker or are in the hands of one."""
    return int(OrmQ.objects.count())


def release() -> int:
    """Give back the jobs that workers had in hand; only for when it's certain that none of those lives."""
    now = timezone.now()
    return int(OrmQ.objects.filter(lock__gt=now).update(lock=now))


def _claim() -> OrmQ | None:
    """Take the oldest job that nobody has; nobody else gets it for as long as a retry waits."""
    now = timezone.now()
    until = now + timedelta(seconds=settings.Q_CLUSTER["retry"])
    for row in OrmQ.objects.filter(lock__lte=now).order_by("pk"):
        if OrmQ.objects.filter(pk=row.pk, lock=row.lock).update(lock=until):
            return row
    return None
