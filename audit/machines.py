"""Workers look at their own machines: whose clock is wrong, and from where the database is slow."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection

from audit.causes import CLOCK_TOLERANCE
from audit.models.machine import Machine

SLOW_COMMIT = timedelta(milliseconds=250)  # a healthy disk takes a few
FORGOTTEN_AFTER = timedelta(minutes=15)  # a machine from which no worker looks any more


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with a machine, and what a person does about it."""

    title: str
    advice: str


def look(*, at: datetime) -> None:
    """Note how this machine's clock stands to the database's, and how long a commit takes."""
    name = socket.gethostname()
    seen = {"clock_ahead": _clock_ahead(), "seen_at": at}
    unknown = {"commit_time": timedelta()}
    Machine.objects.update_or_create(name=name, defaults=seen, create_defaults={**seen, **unknown})
    machine = Machine.objects.filter(name=name)
    begun = time.perf_counter()
    machine.update(seen_at=at)
    machine.update(commit_time=timedelta(seconds=time.perf_counter() - begun))


def troubles(*, at: datetime) -> list[Trouble]:
    """What is wrong now, by what was seen of late."""
    recent = Machine.objects.filter(seen_at__gt=at - FORGOTTEN_AFTER).order_by("name")
    return [trouble for machine in recent for trouble in judge(machine)]


def judge(machine: Machine) -> Iterable[Trouble]:
    """What is wrong with a machine, as it was seen."""
    ahead = machine.clock_ahead
    if abs(ahead) > CLOCK_TOLERANCE:
        minutes = round(abs(ahead) / timedelta(minutes=1))
        side = "ahead of" if ahead > timedelta() else "behind"
        yield Trouble(
            f"The clock of {machine} is {minutes} minutes {side} the database’s.",
            "Receivers refuse what is signed at another time, and callbacks are refused here: set both "
            "clocks by the same time server, then retry what was given up.",
        )
    if machine.commit_time > SLOW_COMMIT:
        taken = f"{machine.commit_time / timedelta(milliseconds=1):,.0f} ms"
        yield Trouble(
            f"The database takes {taken} for each change that {machine} makes.",
            "Its disk is slow or nearly full, or the way there is: deliveries and upgrades wait for it. See "
            "to the disk; what waits goes on by itself, and what was given up can be retried then.",
        )


def _clock_ahead() -> timedelta:
    before = datetime.now(UTC)
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    return before + (datetime.now(UTC) - before) / 2 - theirs
