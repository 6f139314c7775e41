"""manage.py task: upgrade tasks from the command line."""

from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance.cli import tasks
from governance.cli.output import ExitCodes, Output, group_of
from governance.queueing import Move

GroupOption = Annotated[
    str | None, typer.Option("--group", help="The group's slug, where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
TaskId = Annotated[str, typer.Argument(help="Its id, or how that begins.")]


class Command(ExitCodes, TyperCommand):
    """Upgrade tasks: where they stand, why they wait, and what a person does about them.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 5 refused (in the wrong state)."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @command(name="list")
    def list_tasks(
        self,
        group: GroupOption = None,
        limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
        as_json: JsonOption = False,
    ) -> None:
        """The unfinished tasks, those that go first at the top, and why each isn't running."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            tasks.list_unfinished(out, group_of(group), limit=limit, at=timezone.now())

    @command()
    def show(self, task: TaskId, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """One task as it stands."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            tasks.show(out, tasks.named(group_of(group), task), at=timezone.now())

    @command()
    def prioritise(
        self,
        task: TaskId,
        move: Annotated[Move, typer.Argument(help="Where to send it within the queue.")],
        reason: Annotated[str, typer.Option(help="Why; kept in the ledger.")] = "",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Raise or lower a waiting task, or send it to the front."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            found = tasks.named(group_of(group), task)
            tasks.prioritise(out, found, move, reason=reason, at=timezone.now())

    @command()
    def correct(
        self,
        task: TaskId,
        done: Annotated[str, typer.Option(help="What was done by hand; kept in the ledger.")] = "",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Say what was done by hand instead; the tenant's next manifest checks it."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            tasks.correct(out, tasks.named(group_of(group), task), done=done, at=timezone.now())
