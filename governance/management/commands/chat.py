"""manage.py chat: the team chats of a group from the command line."""

import sys
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance.cli import chats
from governance.cli.output import ExitCodes, Output, group_of

GroupOption = Annotated[
    str | None, typer.Option("--group", help="The group's slug, where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
LanguageOption = Annotated[str, typer.Option(help="Like zh. Left out, the group's.")]


class Command(ExitCodes, TyperCommand):
    """Chats that a team is told in together: list, add, test, speak, end.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 5 refused."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @command(name="list")
    def show(self, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """List them, those that have ended too, without their addresses."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            chats.show(out, group_of(group))

    @command()
    def add(
        self,
        name: str,
        language: LanguageOption = "",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Add one; its address is asked for, or read from standard input, since it holds secrets."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            chats.add(out, group_of(group), name, _address(), language=language, at=timezone.now())

    @command()
    def test(self, number: int, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """Send one a message, to see whether it arrives."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            chats.test(out, group_of(group), number, at=timezone.now())

    @command()
    def speak(
        self,
        language: str,
        number: Annotated[
            int | None, typer.Argument(help="Left out: those without one of their own.")
        ] = None,
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Choose the language that a chat is told in; an empty one stands for the group's."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            chats.speak(out, group_of(group), language, number, at=timezone.now())

    @command()
    def end(self, number: int, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """Tell one nothing any more, and forget its address."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            chats.end(out, group_of(group), number, at=timezone.now())


def _address() -> str:
    """Not an argument: those are seen by everybody on the machine, and kept in the shell's history."""
    if sys.stdin.isatty():
        asked: str = typer.prompt("Address", hide_input=True, err=True)
        return asked
    return sys.stdin.readline().strip()
