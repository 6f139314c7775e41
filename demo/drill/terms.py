"""How much goes wrong in a drill."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

WHOLE = 500  # tasks from which on everything goes wrong as often, and as long, as it is meant to
RATE = 0.2  # of every kind of fault
# Each fault that the sandbox knows, and how late what is late comes.
FAULTS: dict[str, Any] = {
    "delay_seconds": 0.2,
    "latency_seconds": 0.5,
    "latency_rate": RATE,
    "error_rate": RATE,
    "stall_rate": RATE,
    "stall_seconds": 1.5,
    "failure_rate": RATE,
    "partial_rate": RATE,
    "false_success_rate": RATE,
    "lost_callback_rate": RATE,
    "duplicated_callback_rate": RATE,
    "reordered_callback_rate": RATE,
    "forged_callback_rate": RATE,
}
# Before what stalls gives up, so that a time-out is one; and soon enough for the lost callbacks of a drill.
ENVIRONMENT = {
    "PLUMBLINE_CALL_TIMEOUT_SECONDS": "1",
    "PLUMBLINE_POLL_SECONDS": "2",
    "PLUMBLINE_FOLLOW_UP_SECONDS": "1",
    "PLUMBLINE_VERIFY_MINUTES": "0.05",  # a tenant that wasn't changed sends nothing
    "PLUMBLINE_LOOP_MINUTES": "1440",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """The size of a drill, and what happens to it. The same seed draws the same faults and victims."""

    tasks: int
    seed: int
    kills: int
    restarts: int
    away_seconds: float
    give_up: float  # seconds after which it ends as it stands

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def scaled(tasks: int, seed: int) -> Terms:
    """Twenty kills, two restarts and a minute away; a small drill has its share of these."""
    share = min(1.0, tasks / WHOLE)
    return Terms(
        tasks=tasks,
        seed=seed,
        kills=max(3, round(20 * share)),
        restarts=1 + int(share == 1.0),
        away_seconds=max(3.0, round(60 * share, 1)),
        give_up=240 + 1.5 * tasks,
    )
