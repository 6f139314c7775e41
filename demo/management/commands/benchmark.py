"""manage.py benchmark: how fast the loop is on this machine."""

import json
from typing import Annotated, Any

import typer
from django_typer.management import TyperCommand
from rich.console import Console
from rich.table import Table

from demo import benchmark


class Command(TyperCommand):
    """Measures a throwaway installation with the real fleet; nothing of this one is touched."""

    help = "Print how long the loop's stages take on the real fleet, with the row counts."

    def handle(self, as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
        """Measure and print."""
        with Console(stderr=True).status("Starting …") as status:
            figures = benchmark.measure(lambda what: status.update(f"Benchmark: {what} …"))
        if as_json:
            self.stdout.write(json.dumps(figures, indent=2))
            return
        table = Table("measured", "seconds", "with")
        for row in _rows(figures):
            table.add_row(*row)
        Console().print(table)


def _rows(figures: dict[str, Any]) -> list[tuple[str, str, str]]:
    counts = {name: value for name, value in figures["loaded"].items() if name != "seconds"}
    told = ", ".join(f"{value:,} {name}" for name, value in counts.items())
    rows = [
        (f"load: {stage}", f"{seconds:.2f}", told if stage == "history" else "")
        for stage, seconds in figures["loaded"]["seconds"].items()
    ]
    seen, report = figures["manifest_to_finding"], figures["report"]
    rows.append(("manifest answered", f"{seen['answered']:.3f}", ""))
    rows.append(("manifest to visible finding", f"{seen['visible']:.3f}", "web and worker running"))
    sizes = ", ".join(f"{name} {size:,} bytes" for name, size in report["bytes"].items())
    rows.append(("compliance report", f"{report['seconds']:.2f}", sizes))
    for name in ("loop", "again"):
        loop = figures[name]
        stages = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in loop["stages"].items())
        changed = "changed" if loop["changed"] else "nothing changed"
        rows.append(
            (f"whole loop, {name}", f"{loop['seconds']:.2f}", f"{loop['tasks']} tasks, {changed}; {stages}")
        )
    return rows
