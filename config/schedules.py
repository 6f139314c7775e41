"""Jobs that run again and again: declared in code, timed by rows in the database.

The rows are django-q2's, but its scheduler isn't used: it looks twice a minute only, and one row that it
can't read stops all of them. Here every worker looks each second, and a conditional update lets one win.
"""

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from django_q.models import Schedule as Row

from config import queue
from config.queue import Schedule

# The number of the advisory lock under which declarations are written; any that nobody else uses.
SYNC_LOCK = 7_205_759_403
PATIENCE = timedelta(seconds=settings.JOB_TIMEOUT + 120)  # with workers that are all at work
IDLE_PATIENCE = timedelta(seconds=20)  # with workers of which none is


def declared() -> list[Schedule]:
    """The product's schedules, and the heartbeat by which a worker notices that it is stuck."""
    product: list[Schedule] = import_string(settings.SCHEDULES)
    return [*product, Schedule("heartbeat", "config.schedules.heartbeat", timedelta(seconds=15))]


@queue.job
def heartbeat() -> None:
    """Show that jobs are being done. That it ran at all is what counts; see stuck()."""


@transaction.atomic
def sync_schedules(schedules: Iterable[Schedule], *, at: datetime) -> None:
    """Make the rows agree with the declarations. One that stays keeps its time, a new one starts anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [SYNC_LOCK])
    wanted = {schedule.name: schedule for schedule in schedules}
    Row.objects.exclude(name__in=wanted).delete()
    for name, schedule in wanted.items():
        queue.find(schedule.job)
        first = {"func": schedule.job, "next_run": at + schedule.first_after}
        row, _ = Row.objects.get_or_create(name=name, defaults=first)
        # An interval that was made shorter must not wait for the end of the longer one.
        next_run = min(row.next_run or at, at + schedule.every)
        Row.objects.filter(pk=row.pk).update(func=schedule.job, next_run=next_run)


def tick(schedules: Iterable[Schedule], *, at: datetime) -> list[str]:
    """Ask for every job that is due; the names of those schedules.

    One that was asked for and hasn't begun isn't asked for again, so that a busy worker finds no heap of the
    same job; it becomes due at once when it begins.
    """
    due = set(Row.objects.filter(next_run__lte=at, task=None).values_list("name", flat=True))
    return [schedule.name for schedule in schedules if schedule.name in due and _ask(schedule, at)]


@transaction.atomic
def _ask(schedule: Schedule, at: datetime) -> bool:
    token = secrets.token_hex(8)
    won = Row.objects.filter(name=schedule.name, next_run__lte=at, task=None).update(
        next_run=at + schedule.every, task=token
    )
    if won:
        queue.enqueue("config.schedules.run", schedule=schedule.name, job=schedule.job, token=token)
    return bool(won)


@queue.job
def run(schedule: str, job: str, token: str) -> None:
    """Do a schedule's job. It may be asked for again from now on."""
    Row.objects.filter(name=schedule, task=token).update(task=None)
    queue.run(job, {})


def stuck(schedules: Iterable[Schedule], *, at: datetime) -> bool:
    """Whether workers are there that take no job: one waits though nobody is at work, or waits too long."""
    waiting = _waiting_since(schedules)
    if any(at - since > PATIENCE for since in waiting.values()):
        return True
    return any(at - since > IDLE_PATIENCE for since in waiting.values()) and not queue.anybody_at_work()


def forget(schedules: Iterable[Schedule], *, at: datetime) -> None:
    """Let the schedules whose jobs got lost be asked for again."""
    lost = [name for name, since in _waiting_since(schedules).items() if at - since > IDLE_PATIENCE]
    Row.objects.filter(name__in=lost).update(task=None)


def reset() -> None:
    """Let every schedule be asked for again; for when no worker lives that might have a job in hand."""
    Row.objects.update(task=None)


def _waiting_since(schedules: Iterable[Schedule]) -> dict[str, datetime]:
    """By name, when those jobs were asked for that haven't begun."""
    every = {schedule.name: schedule.every for schedule in schedules}
    rows = Row.objects.filter(task__isnull=False, name__in=every).values_list("name", "next_run")
    return {name: next_run - every[name] for name, next_run in rows if next_run is not None}
