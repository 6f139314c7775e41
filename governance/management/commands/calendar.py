"""manage.py calendar: maintenance windows and freezes from the command line."""

from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand, command

from governance.cli import windows
from governance.cli.output import ExitCodes, Output, group_of

GroupOption = Annotated[
    str | None, typer.Option("--group", help="The group's slug, where there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


class Command(ExitCodes, TyperCommand):
    """When tenants may be changed: their maintenance windows, and the group's freezes.

    Exit codes: 0 done, 1 failed, 2 wrong usage."""

    requires_system_checks: list[str] = []  # the console's are for the console
    help = __doc__ or ""

    @command()
    def show(self, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """The freezes ahead, and the windows of all tenants."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            windows.show(out, group_of(group), at=timezone.now())

    @command()
    def agree(
        self,
        tenant: str,
        day: Annotated[list[str], typer.Option(help="On which it begins; may be given again.")],
        hours: Annotated[str, typer.Option(help="Like 22:00-02:00, on quarter hours.")],
        zone: Annotated[str, typer.Option(help="The time zone of the tenant's place.")] = "UTC",
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Add a window to those in which a tenant may be changed."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            found, at = group_of(group), timezone.now()
            windows.agree(out, found, tenant, days=day, hours=hours, zone=zone, at=at)

    @command()
    def end(self, number: int, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """Take a window away, by the number that `show` gives it."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            windows.end(out, group_of(group), number, at=timezone.now())

    @command()
    def freeze(
        self,
        name: str,
        begins: Annotated[str, typer.Option("--from", help="2030-12-20, or a time.")],
        ends: Annotated[str, typer.Option("--until", help="2031-01-02, or a time.")],
        reason: Annotated[str, typer.Option(help="Why; people read it.")],
        group: GroupOption = None,
        as_json: JsonOption = False,
    ) -> None:
        """Hand nothing over in the group for that time. The same name again changes it."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            given = {"begins": begins, "ends": ends, "reason": reason}
            windows.freeze(out, group_of(group), name, **given, at=timezone.now())

    @command()
    def thaw(self, name: str, group: GroupOption = None, as_json: JsonOption = False) -> None:
        """End a freeze."""
        out = Output(self.stdout.write, as_json=as_json)
        with out.failures():
            windows.thaw(out, group_of(group), name, at=timezone.now())
