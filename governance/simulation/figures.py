"""How things stand before and after, and once it is carried out, in figures for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from config.shares import percentage
from governance.models import Simulation


def figures(simulation: Simulation) -> tuple[list[str], list[list[str]]]:
    """The headings and the rows of a table."""
    outcome = simulation.outcome
    states = [outcome["before"], outcome["after"], *([outcome["done"]] if outcome["done"] else [])]
    headings = ["", *columns(simulation), *(["carried out"] if outcome["done"] else [])]
    return headings, [[label, *(form(state) for state in states)] for label, form in _FIGURES]


def columns(simulation: Simulation) -> tuple[str, str]:
    """What the states before and after are called."""
    on = on_day(simulation)
    if simulation.supposed.get("plan"):
        return "now", f"carried out{on}"
    return ("then" if simulation.supposed.get("snapshot") else "now"), f"in force{on}"


def on_day(simulation: Simulation) -> str:
    """The day that is asked about, where that is another time than the present in which it was asked."""
    asked, now = simulation.inputs["at"], simulation.inputs.get("now")
    return f" on {datetime.fromisoformat(asked):%Y-%m-%d}" if now not in (None, asked) else ""


def percent(share: float) -> str:
    """Rounded down: 100 % means all."""
    return f"{percentage(share):.1f} %"


_FIGURES: Sequence[tuple[str, Callable[[dict[str, Any]], str]]] = (
    (
        "tenants in line",
        lambda s: f"{s['compliant_tenants']:,} of {s['tenants']:,} ({percent(s['compliance_rate'])})",
    ),
    ("installations in line", lambda s: percent(s["installation_rate"])),
    ("outstanding findings", lambda s: f"{s['drift']:,}"),
    ("accepted, since exempt", lambda s: f"{s['accepted']:,}"),
    ("changes in the tenants concerned", lambda s: f"{s['changes']:,}" if "changes" in s else ""),
    (
        "tenants concerned that need a decision",
        lambda s: f"{s['tenants_needing_decision']:,}" if "tenants_needing_decision" in s else "",
    ),
    ("conflicts in the tenants concerned", lambda s: f"{s['conflicts']:,}" if "conflicts" in s else ""),
)
