"""manage.py plan: plans from the command line."""

from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance.cli import plans
from governance.cli.output import ExitCodes, Output, group_of

GroupOption = Annotated[
    str | None, typer.Option("--group", help="The group's slug, where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
Number = Annotated[int, typer.Argument(help="The plan's number.")]
ReasonOption = Annotated[str, typer.Option(help="Why; kept in the ledger.")]


class Command(ExitCodes, TyperCommand):
    """Plans: how far each has got, and what a person does with one. `policy cancel` cancels them.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 5 refused (wrong state, not approved, switched off)."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @command(name="list")
    def list_plans(
        self,
        group: GroupOption = None,
        limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 20,
        as_json: JsonOption = False,
    ) -> None:
        """The newest plans."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            plans.list_plans(out, group_of(group), limit=limit)

    @command()
    def show(self, number: Number, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """One plan with its tasks."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            plans.show(out, plans.numbered(group_of(group), number))

    @command()
    def simulate(self, number: Number, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """What it would do, with nothing done; kept with the plan."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            plans.simulate(out, plans.numbered(group_of(group), number), at=timezone.now())

    @command()
    def approve(
        self,
        number: Number,
        person: Annotated[str, typer.Option("--as", help="The username of the person who approves it.")] = "",
        reason: ReasonOption = "",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Let a plan that someone else made be started."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            found = plans.numbered(group_of(group), number)
            plans.approve(out, found, person=person, reason=reason, at=timezone.now())

    @command()
    def start(self, number: Number, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """Let its tasks be handed over."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            plans.start(out, plans.numbered(group_of(group), number), at=timezone.now())

    @command()
    def pause(
        self,
        number: Number,
        reason: ReasonOption = "",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Hand nothing more of it over; what was handed over goes on."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            plans.pause(out, plans.numbered(group_of(group), number), reason=reason, at=timezone.now())

    @command()
    def resume(self, number: Number, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """Go on handing over; what failed until now counts no longer."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            plans.resume(out, plans.numbered(group_of(group), number), at=timezone.now())
