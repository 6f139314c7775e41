"""policy simulate."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from governance import simulation
from governance.cli import configuration
from governance.cli.output import Exit, Output, end, operator
from governance.models import Simulation
from tenants.models import Group

SHOWN = 20  # lines of a table


def simulate(
    out: Output, group: Group, paths: Sequence[Path], *, prune: bool, title: str, at: datetime
) -> None:
    """Keep and show what the files would do. Ends with DIFFERENT if they make a difference."""
    files = configuration.load(paths)
    with out.console.status("Compiling, detecting and deciding, all of it beside what is in force…"):
        kept = simulation.simulate_files(group, files, prune=prune, at=at, actor=operator(), title=title)
    out.answer(as_document(kept), lambda: show(out, kept))
    if kept.outcome["difference"]["changed"]:
        end(Exit.DIFFERENT)


def as_document(kept: Simulation) -> dict[str, Any]:
    """A simulation as JSON."""
    return {
        "id": str(kept.pk),
        "number": kept.number,
        "snapshot": kept.snapshot_number,
        "inputs_digest": kept.inputs_digest,
        **kept.outcome,
    }


def show(out: Output, kept: Simulation) -> None:
    """Before and after, what would be done, and what would need a person."""
    outcome = kept.outcome
    out.table(
        f"{kept}, on snapshot {kept.snapshot_number}",
        ("", "now", "then"),
        [
            [word.replace("_", " "), outcome["before"][word], outcome["after"][word]]
            for word in outcome["before"]
            if word != "by_policy"
        ],
    )
    out.table(
        "Drift that comes and goes",
        ("policy", "comes", "goes"),
        [[name, row["opened"], row["closed"]] for name, row in outcome["difference"]["by_policy"].items()],
    )
    rows = [
        [row["plugin"], row["from"] or "–", row["to"] or "–", len(row["tenants"])]
        for row in outcome["actions"][:SHOWN]
    ]
    out.table("What would be done", ("plugin", "from", "to", "tenants"), rows)
    for conflict in outcome["conflicts"]:
        mark = "A new conflict" if conflict["new"] else "A conflict"
        out.say(f"{mark} in {len(conflict['tenants'])} tenants: {conflict['summary']}", "yellow")
