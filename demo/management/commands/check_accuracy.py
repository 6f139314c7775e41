"""manage.py check_accuracy: does what simulations foretell come to pass?"""

import json
from typing import Annotated, Any

import typer
from django_typer.management import TyperCommand
from rich.console import Console
from rich.table import Table

from config.shares import percentage
from demo import accuracy
from demo.throwaway import throwaway
from governance.cli.output import group_of

DISAGREES = 3  # as `policy` ends where it finds differences


class Command(TyperCommand):
    """Random policy changes, simulated, applied and carried out, and both compared.

    By default in a throwaway installation with the whole demo fleet; nothing of this one is touched."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = (
        "Make random policy changes to the real fleet and say how far simulations foretold what came of them."
    )

    def handle(
        self,
        changes: Annotated[int, typer.Option(help="How many.")] = 20,
        seed: Annotated[int, typer.Option(help="The same seed draws the same changes.")] = 1,
        group: Annotated[
            str | None, typer.Option(help="Change this group of this installation instead.")
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    ) -> None:
        """Exit code 3 if anything came otherwise."""
        with Console(stderr=True).status("Starting …") as status:

            def tell(what: str) -> None:
                status.update(f"Accuracy: {what} …")

            if group is not None:
                found = accuracy.check(group_of(group), changes=changes, seed=seed, tell=tell)
            else:
                found = _elsewhere(changes, seed, tell)
        if as_json:
            self.stdout.write(json.dumps(found, indent=2))
        else:
            _show(found)
        if found["agreeing"] < found["changes"]:
            raise SystemExit(DISAGREES)


def _elsewhere(changes: int, seed: int, tell: accuracy.Tell) -> dict[str, Any]:
    with throwaway() as product:
        tell("loading the fleet and its history")
        product.json("load_demo", "--only", "eclipse")
        with product.running():
            tell(f"{changes} changes, each simulated, applied and carried out")
            asked = ("--group", "eclipse", "--changes", str(changes), "--seed", str(seed))
            found: dict[str, Any] = product.json("check_accuracy", *asked, codes=(0, DISAGREES))
    return found


def _show(found: dict[str, Any]) -> None:
    table = Table("change", "kind", "made a difference", "tasks", "simulated in", "came as foretold")
    for number, one in enumerate(found["each"], start=1):
        agrees = "yes" if one["agrees"] else ", ".join(one["disagreements"])
        changed = "yes" if one["changed"] else "no"
        table.add_row(str(number), one["kind"], changed, str(one["tasks"]), f"{one['seconds']:.1f} s", agrees)
    Console().print(table)
    Console().print(
        f"{found['agreeing']} of {found['changes']} came as foretold ({percentage(found['accuracy']):g} %)."
    )
