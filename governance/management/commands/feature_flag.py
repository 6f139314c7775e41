"""manage.py feature_flag: the feature flags of a group, shown and switched."""

from enum import StrEnum
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand

from governance import flags
from governance.cli.output import Output, group_of, operator


class Flag(StrEnum):
    """The flags by their names."""

    GOVERNANCE = flags.GOVERNANCE
    SYNC = flags.SYNC


class Position(StrEnum):
    """Where a flag may stand."""

    ON = "on"
    OFF = "off"


class Command(TyperCommand):
    """Exit codes: 0 done or as before, 2 wrong usage."""

    help = "Show the feature flags of a group, or switch one."

    def handle(
        self,
        flag: Annotated[Flag | None, typer.Argument(help="The flag; without one, all are shown.")] = None,
        to: Annotated[Position | None, typer.Argument(help="on or off; without it, nothing changes.")] = None,
        group: Annotated[str | None, typer.Option(help="The group's slug, where there are several.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="The flags as JSON.")] = False,
    ) -> None:
        """Off means: refused with a clear message, and said on every page that it concerns."""
        out = Output(self.stdout.write, as_json=as_json)
        found = group_of(group)
        changed = False
        if flag is not None and to is not None:
            changed = flags.switch(
                found, flag.value, on=to is Position.ON, actor=operator(), at=timezone.now()
            )
        states = {name: on for name, on in flags.states(found).items() if flag in (None, name)}
        out.answer(
            {"group": found.slug, "flags": states, "changed": changed},
            lambda: out.table(
                str(found), ("flag", "is"), [(name, "on" if on else "off") for name, on in states.items()]
            ),
        )
