"""How fast plans are carried out: end to end through real processes, and the queue on its own.

The sandbox orchestrator is at its fastest: it takes no time for an order and makes no mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from config import postgres
from demo import processes
from demo.benchmarks.evaluation import machine
from demo.benchmarks.memory import watching
from demo.throwaway import Throwaway, inside, throwaway

Tell = Callable[[str], None]
TASKS = 10_000
WAITING = (1_000, 100_000)
ENVIRONMENT = {"PLUMBLINE_WORKERS": "2", "PLUMBLINE_LOOP_MINUTES": "1440"}
_SERVICES = {"web": "gunicorn", "worker": "worker", "sandbox": "sandbox"}


def measure(tell: Tell, tasks: int = TASKS) -> dict[str, Any]:
    """Tasks a second, how long a hand-over takes, memory; and what one asks of a short and a long queue."""
    with throwaway(ENVIRONMENT) as product:
        tell("filling a group")
        inside(product, ("benchmark", "executing"), "fill", {"tasks": tasks})
        with product.running() as supervisor:
            tell("carrying out a plan")
            with watching(_roots(product, supervisor)) as usage:
                carried_out = inside(product, ("benchmark", "executing"), "carry_out", {})
        figures = {**carried_out, "processor_seconds": usage.processor_seconds(), "peak_mib": usage.peaks()}
        tell("asking the queue")
        queue = inside(product, ("benchmark", "executing"), "queue", {"sizes": list(WAITING)})
    return {"machine": machine(), "end_to_end": figures, "queue": queue}


def _roots(product: Throwaway, supervisor: int) -> dict[str, int]:
    """The process of each service, and of the database."""
    server = postgres.status(product.data_dir)
    assert server is not None, "the throwaway installation's database runs"
    found = {kind: processes.service(supervisor, word) for kind, word in _SERVICES.items()}
    return {kind: pid for kind, pid in found.items() if pid is not None} | {"postgresql": server.pid}
