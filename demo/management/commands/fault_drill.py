"""manage.py fault_drill: does execution keep its promises when everything goes wrong?"""

import json
from typing import Annotated, Any

import typer
from django_typer.management import TyperCommand, command, initialize
from rich.console import Console
from rich.table import Table

from config.supervisor import interruptible
from demo.drill import carrying
from demo.drill.terms import Terms, scaled

Tasks = Annotated[int, typer.Option(min=10, help="How many tenants are to be upgraded.")]
Seed = Annotated[int, typer.Option(help="The same seed draws the same faults and victims.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
BROKEN = 1


class Command(TyperCommand):
    """Runs a throwaway installation, breaks it in every way, and checks what became of its upgrades."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @initialize(invoke_without_command=True)
    def drill(
        self, context: typer.Context, tasks: Tasks = 200, seed: Seed = 1, as_json: JsonOption = False
    ) -> None:
        """Exit codes: 0 every promise was kept, 1 one was broken."""
        if context.invoked_subcommand is not None:
            return
        interruptible()  # whatever ends it, what it started ends with it
        figures = carrying.carry_out(scaled(tasks, seed), self._tell)
        if as_json:
            self.stdout.write(json.dumps(figures, indent=2))
        else:
            _show(figures)
        if not carrying.kept(figures):
            raise SystemExit(BROKEN)  # typer.Exit would end as 0 here

    @command(hidden=True)
    def inside(self, part: str, given: str) -> None:
        """One part, in the throwaway installation. What is given is JSON."""
        said = json.loads(given)
        own = {name: said.pop(name) for name in ("webhook", "supervisor") if name in said}
        terms = Terms(**said)
        if part == "fill":
            told = carrying.fill(terms, **own)
        elif part == "drive":
            told = carrying.drive(terms, **own, tell=self._tell)
        else:
            told = carrying.judge()
        self.stdout.write(json.dumps(told))

    def _tell(self, what: str) -> None:
        self.stderr.write(what)


def _show(figures: dict[str, Any]) -> None:
    console = Console()
    for name, told in figures.items():
        if name != "promises":
            console.print(f"{name.replace('_', ' ')}: {_in_words(told)}")
    table = Table("promise", "kept", "seen")
    for verdict in figures["promises"]:
        table.add_row(verdict["promise"], "yes" if verdict["kept"] else "NO", "\n".join(verdict["seen"]))
    console.print(table)


def _in_words(told: Any) -> str:
    if isinstance(told, dict):
        return ", ".join(f"{name.replace('_', ' ')} {_in_words(value)}" for name, value in told.items())
    return f"{told:,}" if type(told) is int else str(told)
