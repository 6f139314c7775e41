"""What the sandbox does wrong, and how late, when told so.

Every fault is a setting here and an outcome that `outcome` draws for an order; the code that carries an
order out asks once and needs to know of nothing else.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import Enum
from typing import Any

from sandbox.database import Database
from sandbox.problems import FieldError, malformed

LONGEST_DELAY_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How the sandbox behaves until told otherwise; kept in the state file."""

    delay_seconds: float = 0.5
    failure_rate: float = 0.0
    false_success_rate: float = 0.0
    callback: bool = True
    seed: int = 0


class Outcome(Enum):
    """What becomes of an order."""

    CARRIED_OUT = "carried out"
    FAILED = "failed"
    FALSE_SUCCESS = "false success"


def outcome(settings: Settings, sequence: int) -> Outcome:
    """The same for the same seed and the n-th order, whichever worker asks and after any restart."""
    if _draw(settings.seed, "failure", sequence) < settings.failure_rate:
        return Outcome.FAILED
    if _draw(settings.seed, "false success", sequence) < settings.false_success_rate:
        return Outcome.FALSE_SUCCESS
    return Outcome.CARRIED_OUT


def _draw(seed: int, fault: str, sequence: int) -> float:
    """A draw of its own for each fault, so that setting one rate doesn't move another's victims."""
    return random.Random(f"{seed}:{fault}:{sequence}").random()


def changed(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """The settings with some replaced. Raises a 400 Problem that names each bad one."""
    errors = [
        FieldError(name, reason) for name, value in changes.items() if (reason := _objection(name, value))
    ]
    if errors:
        raise malformed(errors)
    return replace(settings, **changes)


def _objection(name: str, value: Any) -> str | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    match name:
        case "delay_seconds" if not is_number or not 0 <= value <= LONGEST_DELAY_SECONDS:
            return f"must be a number from 0 to {LONGEST_DELAY_SECONDS:.0f}"
        case "failure_rate" | "false_success_rate" if not is_number or not 0 <= value <= 1:
            return "must be a number from 0 to 1"
        case "callback" if not isinstance(value, bool):
            return "must be true or false"
        case "seed" if not isinstance(value, int) or isinstance(value, bool):
            return "must be a whole number"
        case _ if name not in {field.name for field in fields(Settings)}:
            return "is not a setting"
    return None


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
