"""Evaluation measured on a generated fleet, in a throwaway installation, each stage in its own process."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from statistics import median
from typing import Any

from django.conf import settings

from config import postgres
from demo.benchmarks.fleet import Size
from demo.benchmarks.memory import watching
from demo.benchmarks.stages import COMPARED, STAGES
from demo.throwaway import Throwaway, throwaway

Tell = Callable[[str], None]
ROUNDS = 3  # of what is compared


def measure(size: Size, tell: Tell) -> dict[str, Any]:
    """Generate the fleet, run every stage, and say how long each took and how much memory."""
    rounds: dict[str, list[dict[str, Any]]] = {stage: [] for stage in STAGES}
    with throwaway() as product:
        for stage in _in_turns():
            rounds[stage].append(_run(product, stage, size, tell))
    figures = {stage: _usual(several) for stage, several in rounds.items()}
    return {"size": asdict(size), "machine": machine(), "stages": figures}


def _in_turns() -> Iterator[str]:
    """The stages in their order, those that are compared some times over and one after the other."""
    for stage in STAGES:
        if stage not in COMPARED:
            yield stage
        elif stage == COMPARED[0]:
            yield from COMPARED * ROUNDS


def _usual(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The round in the middle by its seconds; of what it tells of other turns, the middle of each by itself.

    With the figures of all rounds, where there are several.
    """
    if len(rounds) == 1:
        return rounds[0]
    middle = sorted(rounds, key=lambda figures: float(figures["seconds"]))[len(rounds) // 2]
    turns = [name for name in ("seconds", "again", "warm") if name in middle]
    all_rounds = {name: [figures[name] for figures in rounds] for name in turns}
    return {**middle, **{name: median(each) for name, each in all_rounds.items()}, "rounds": all_rounds}


def machine() -> dict[str, Any]:
    """What it was measured on, and how busy that was."""
    return {
        "cores": os.cpu_count(),
        "load": [round(value, 2) for value in os.getloadavg()],
        "python": platform.python_version(),
    }


def _run(product: Throwaway, stage: str, size: Size, tell: Tell) -> dict[str, Any]:
    tell(stage)
    command = [sys.executable, "manage.py", "benchmark", "inside", stage, json.dumps(asdict(size))]
    server = postgres.status(product.data_dir)
    assert server is not None, "the throwaway installation's database runs"
    postgres.write_to_disk(product.data_dir)  # else each pays for what the one before it left
    begun = time.monotonic()
    with (
        subprocess.Popen(
            command, cwd=settings.BASE_DIR, env=product.environment, stdout=subprocess.PIPE, text=True
        ) as process,
        watching({"python": process.pid, "postgresql": server.pid}) as usage,
    ):
        said, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"The stage {stage} failed.")
    whole = round(time.monotonic() - begun, 2)
    return {
        **json.loads(said),
        "whole_process_seconds": whole,
        "processor_seconds": usage.processor_seconds(),
        "peak_mib": usage.peaks(),
        "load": round(os.getloadavg()[0], 2),
    }
