"""manage.py delivery: what leaves the house, and what was given up on the way."""

from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance.cli import deliveries
from governance.cli.output import Exit, ExitCodes, Output, group_of

GroupOption = Annotated[
    str | None, typer.Option("--group", help="The group's slug, where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


class Command(ExitCodes, TyperCommand):
    """Messages on their way out, and those that were given up: list, retry.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 5 refused (in the wrong state)."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @command(name="list")
    def show(
        self,
        group: GroupOption = None,
        limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
        as_json: JsonOption = False,
    ) -> None:
        """What isn't delivered, with what is the matter and what to do; the newest first."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            deliveries.show(out, group_of(group), limit=limit, at=timezone.now())

    @command()
    def retry(
        self,
        message: Annotated[str, typer.Argument(help="As `list` gives it.")] = "",
        everything: Annotated[bool, typer.Option("--all", help="All that were given up.")] = False,
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Try again what was given up."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            if bool(message) == everything:
                out.stop(Exit.USAGE, "Name a message, or say --all.")
            deliveries.retry(out, group_of(group), message, at=timezone.now())
