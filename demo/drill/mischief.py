"""What is killed, stopped and sent away while a drill's upgrades are under way."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import httpx
from django.conf import settings

from config import postgres
from demo import processes
from demo.drill.terms import Terms

BREATH = 1.0  # seconds between two of them at least
_FIRST, _LAST = 0.02, 0.85  # of the upgrades: between these it happens


class Mischief:
    """A shuffled list of misdeeds, each at its own point of the work."""

    def __init__(self, terms: Terms, supervisor: int) -> None:
        self._random = random.Random(terms.seed)
        self._supervisor = supervisor
        self._away_seconds = terms.away_seconds
        deeds = [*[self._kill] * terms.kills, *[self._restart] * terms.restarts, self._send_away]
        self._random.shuffle(deeds)
        points = sorted(self._random.uniform(_FIRST, _LAST) for _ in deeds)
        self._waiting: list[tuple[float, Callable[[], str]]] = list(zip(points, deeds, strict=True))
        self._next_at = 0.0
        self.done: Counter[str] = Counter()

    @property
    def over(self) -> bool:
        """Whether all of it has happened."""
        return not self._waiting

    def take_turn(self, progress: float) -> str:
        """Do the next misdeed if its point of the work has come; what was done, else nothing."""
        if self.over or progress < self._waiting[0][0] or time.monotonic() < self._next_at:
            return ""
        what = self._waiting[0][1]()
        if what:
            self._waiting.pop(0)
            self.done[what] += 1
            self._next_at = time.monotonic() + BREATH
        return what

    def _kill(self) -> str:
        """Any process of the worker: what does the jobs, what hands them out, or what minds those."""
        worker = processes.service(self._supervisor, "worker")
        if worker is None:
            return ""  # it is down already: the supervisor starts it again in a moment
        victim = self._random.choice(sorted(processes.under(worker)))
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            return ""
        return "workers_killed"

    def _restart(self) -> str:
        """Stop the database under everybody; the supervisor starts it again."""
        return "database_restarts" if postgres.stop(settings.DATA_DIR) else ""

    def _send_away(self) -> str:
        httpx.post(
            f"{settings.ORCHESTRATOR_URL}/sandbox/away",
            json={"seconds": self._away_seconds},
            headers={"Authorization": f"Bearer {settings.ORCHESTRATOR_TOKEN}"},
            timeout=30,
        ).raise_for_status()
        return "orchestrator_absences"
