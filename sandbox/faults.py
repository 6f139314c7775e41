"""What the sandbox does wrong, and how late, when told so.

Every fault is a setting here and a draw by the seed; the code that answers, carries out or calls back asks
once and needs to know of nothing else. What was done wrong is counted by its name.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum, StrEnum
from typing import Any

from sandbox.database import Database
from sandbox.problems import FieldError, malformed

LONGEST_SECONDS = 3600.0
LATE_SECONDS = 1.0  # that a reordered callback comes after the order's end


@dataclass(frozen=True, slots=True)
class Settings:
    """How the sandbox behaves until told otherwise; kept in the state file. Rates are shares from 0 to 1."""

    delay_seconds: float = 0.5
    latency_seconds: float = 0.0
    latency_rate: float = 1.0
    error_rate: float = 0.0
    stall_rate: float = 0.0
    stall_seconds: float = 15.0
    failure_rate: float = 0.0
    partial_rate: float = 0.0
    false_success_rate: float = 0.0
    callback: bool = True
    lost_callback_rate: float = 0.0
    duplicated_callback_rate: float = 0.0
    reordered_callback_rate: float = 0.0
    forged_callback_rate: float = 0.0
    seed: int = 0


class Fault(StrEnum):
    """What went wrong on purpose, as the counts name it."""

    ABSENCES = "absences"  # requests that got no answer while it was away
    SLOW_ANSWERS = "slow_answers"
    ERRORS = "errors"
    STALLED_ANSWERS = "stalled_answers"
    FAILURES = "failures"
    PARTIAL_UPGRADES = "partial_upgrades"
    FALSE_SUCCESSES = "false_successes"
    LOST_CALLBACKS = "lost_callbacks"
    DUPLICATED_CALLBACKS = "duplicated_callbacks"
    REORDERED_CALLBACKS = "reordered_callbacks"
    FORGED_CALLBACKS = "forged_callbacks"


class Outcome(Enum):
    """What becomes of an order."""

    CARRIED_OUT = "carried out"
    FAILED = "failed"
    PARTIAL = "partial"
    FALSE_SUCCESS = "false success"


def outcome(settings: Settings, sequence: int) -> Outcome:
    """The same for the same seed and the n-th order, whichever worker asks and after any restart."""
    if _draw(settings.seed, "failure", sequence) < settings.failure_rate:
        return Outcome.FAILED
    if _draw(settings.seed, "partial", sequence) < settings.partial_rate:
        return Outcome.PARTIAL
    if _draw(settings.seed, "false success", sequence) < settings.false_success_rate:
        return Outcome.FALSE_SUCCESS
    return Outcome.CARRIED_OUT


def is_late(settings: Settings, request: int) -> bool:
    """Whether the answer to the n-th request of the contract comes late."""
    if not settings.latency_seconds:
        return False
    return _draw(settings.seed, "latency", request) < settings.latency_rate


def is_refused(settings: Settings, request: int) -> bool:
    """Whether the n-th request of the contract is answered 503, with nothing done."""
    return _draw(settings.seed, "error", request) < settings.error_rate


def is_stalled(settings: Settings, request: int) -> bool:
    """Whether the n-th request of the contract, if it places an order, gets no answer after that."""
    return _draw(settings.seed, "stall", request) < settings.stall_rate


def is_reordered(settings: Settings, order: int) -> bool:
    """Whether the word that the n-th order runs comes after the word of its end."""
    return _draw(settings.seed, "reordered", order) < settings.reordered_callback_rate


def callback_faults(settings: Settings, callback: int) -> frozenset[Fault]:
    """What is wrong with the delivery of the n-th callback."""
    rates = {
        Fault.LOST_CALLBACKS: settings.lost_callback_rate,
        Fault.DUPLICATED_CALLBACKS: settings.duplicated_callback_rate,
        Fault.FORGED_CALLBACKS: settings.forged_callback_rate,
    }
    return frozenset(fault for fault, rate in rates.items() if _draw(settings.seed, fault, callback) < rate)


def _draw(seed: int, fault: str, number: int) -> float:
    """A draw of its own for each fault, so that setting one rate doesn't move another's victims."""
    return random.Random(f"{seed}:{fault}:{number}").random()


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some replaced. Raises a 400 Problem that names each bad one."""
    errors = [
        FieldError(name, reason) for name, value in changes.items() if (reason := _objection(name, value))
    ]
    if errors:
        raise malformed(errors)
    return replace(settings, **changes)


def seconds_objection(value: Any) -> str | None:
    """What is wrong with a length of time; None if nothing is."""
    if _is_number(value) and 0 <= value <= LONGEST_SECONDS:
        return None
    return f"must be a number from 0 to {LONGEST_SECONDS:.0f}"


def _objection(name: str, value: Any) -> str | None:
    if name not in {field.name for field in fields(Settings)}:
        return "is not a setting"
    if name.endswith("_seconds"):
        return seconds_objection(value)
    if name.endswith("_rate"):
        return None if _is_number(value) and 0 <= value <= 1 else "must be a number from 0 to 1"
    if name == "callback":
        return None if isinstance(value, bool) else "must be true or false"
    return None if isinstance(value, int) and not isinstance(value, bool) else "must be a whole number"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class SettingsStore:
    """The settings in the state file, so that a restart keeps them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> Settings:
        row = self._database.row("SELECT document FROM settings")
        return Settings() if row is None else Settings(**json.loads(row["document"]))

    def change(self, changes: Mapping[str, Any]) -> Settings:
        with self._database.writing() as connection:
            settings = changed(self.load(), changes)
            connection.execute(
                "INSERT OR REPLACE INTO settings VALUES (1, ?)", (json.dumps(asdict(settings)),)
            )
        return settings

    def note(self, fault: Fault) -> None:
        """Count a fault that was just made."""
        with self._database.writing():
            self._database.next_count(f"{FAULT_PREFIX}{fault}")

    def next_request(self) -> int:
        """The number of a request of the contract, by which its faults are drawn."""
        with self._database.writing():
            return self._database.next_count("requests")


FAULT_PREFIX = "fault:"


class Absence:
    """A time in which the sandbox is as if it weren't running; a restart ends it."""

    def __init__(self) -> None:
        self._until = 0.0
        self._lock = threading.Lock()

    def begin(self, seconds: float) -> None:
        """Be away for so long from now; 0 comes back at once."""
        with self._lock:
            self._until = time.monotonic() + seconds

    def seconds_left(self) -> float:
        with self._lock:
            return max(0.0, self._until - time.monotonic())
