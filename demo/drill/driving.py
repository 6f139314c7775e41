"""Runs of the drill's group, one after the other, until all that can succeed did."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connections, transaction
from django.utils import timezone

from audit.models import OutboxMessage
from audit.models.outbox import Cause, OutboxStatus
from config import postgres, queue
from config.access import SYSTEM
from demo.drill import group as drilled
from demo.drill.mischief import Mischief
from demo.drill.terms import FAULTS, Terms
from governance import pipeline
from governance.models import Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Group, Tenant

EVERY = 0.3  # seconds between two looks
PATIENCE = timedelta(seconds=8)  # for what is to be tried again, which after some failures waits for minutes
MOST_RUNS = 25
_AWAY = (DatabaseError, InterfaceError, postgres.PostgresError)


@dataclass(slots=True)
class Course:
    """How a drill went. `possible` tenants can be upgraded at all."""

    possible: int = 0
    upgraded: int = 0
    runs: int = 0
    seconds: float = 0
    in_time: bool = False
    mischief: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Driver:
    """Carries one drill through."""

    def __init__(self, terms: Terms, supervisor: int, tell: Callable[[str], None]) -> None:
        self._terms = terms
        self._mischief = Mischief(terms, supervisor)
        self._tell = tell
        keys = Tenant.objects.filter(group__slug=drilled.SLUG).values_list("key", flat=True)
        self.course = Course(possible=sum(not drilled.is_stranger(key) for key in keys))

    def drive(self) -> Course:
        """Let it go wrong, and on, until everything has come to its end or the time is over."""
        begun = time.monotonic()
        _orchestrator("PATCH", "/sandbox/settings", {**FAULTS, "seed": self._terms.seed})
        while time.monotonic() - begun < self._terms.give_up:
            try:
                if self._look():
                    self.course.in_time = True
                    break
            except _AWAY:  # we stopped it ourselves
                connections.close_all()
            time.sleep(EVERY)
        _orchestrator("PATCH", "/sandbox/settings", dict.fromkeys(FAULTS, 0))
        self.course.seconds = round(time.monotonic() - begun, 1)
        self.course.mischief = dict(self._mischief.done)
        return self.course

    def _look(self) -> bool:
        """See how far it is, and do what is due; whether it is over."""
        course = self.course
        course.upgraded = _upgraded()
        if did := self._mischief.take_turn(course.upgraded / max(1, course.possible)):
            self._tell(f"{course.upgraded} of {course.possible} upgraded, run {course.runs}: {did}")
        under_way = Run.objects.filter(status__in=[Run.Status.RUNNING, Run.Status.ACTING]).exists()
        if under_way or UpgradeTask.objects.unfinished().exists():
            return False
        if (course.upgraded == course.possible and self._mischief.over) or course.runs == MOST_RUNS:
            _hurry()
            return _is_quiet()
        self._start_run()
        return False

    def _start_run(self) -> None:
        """As a person's “Run now” does, which also tries what failed before."""
        group = Group.objects.get(slug=drilled.SLUG)
        with transaction.atomic():
            run = pipeline.start_run(group, trigger=Trigger.HAND, actor=SYSTEM, at=timezone.now())
            queue.enqueue("governance.jobs.advance_run", run_id=str(run.pk))
        self.course.runs += 1


def _upgraded() -> int:
    done = UpgradeTask.objects.filter(status=UpgradeTask.Status.SUCCEEDED)
    return done.order_by().values("tenant").distinct().count()


def _hurry() -> None:
    """Have the rest that waits for long tried again soon, once all else has come to its end.

    Not what waits for a receiver that is left alone: it would be put back.
    """
    soon = timezone.now() + PATIENCE
    waiting = OutboxMessage.objects.filter(status=OutboxStatus.PENDING, next_attempt_at__gt=soon)
    waiting.exclude(cause=Cause.HELD).update(next_attempt_at=soon)


def _is_quiet() -> bool:
    """Whether nothing is on its way any more, neither from here nor from the orchestrator."""
    if OutboxMessage.objects.filter(status=OutboxStatus.PENDING).exists():
        return False
    callbacks = _orchestrator("GET", "/sandbox/counts")["callbacks"]
    return not {"waiting", "sending"} & callbacks.keys()


def _orchestrator(method: str, path: str, document: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One of the sandbox's own controls, which no fault touches."""
    answer = httpx.request(
        method,
        f"{settings.ORCHESTRATOR_URL}{path}",
        json=document,
        headers={"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"},
        timeout=30,
    )
    told: dict[str, Any] = answer.raise_for_status().json()
    return told
