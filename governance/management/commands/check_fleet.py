"""manage.py check_fleet: is a fleet's own history free of what the catalogue calls impossible?"""

from pathlib import Path
from typing import Annotated, Any

import typer
from django_typer.management import TyperCommand
from rich.progress import track

from governance.cases import fleet
from governance.cases.fleet import Fleet, Judged
from governance.cli.output import Exit, Output, end
from governance.replaying import BadFile
from governance.resolution import reason_in_words


class Command(TyperCommand):
    """Judges every dated snapshot of a fleet as a tenant's own installations are judged."""

    help = "Judge a fleet's dated snapshots against a catalogue and print those that can't have run."
    requires_system_checks: list[str] = []  # it asks pure functions only

    def handle(
        self,
        file: Annotated[Path, typer.Argument(help="The fleet, JSON or gzip-compressed JSON.")],
        catalogue: Annotated[
            list[Path],
            typer.Option(help="A catalogue file to go by, before those beside the fleet; repeatable."),
        ] = [],  # noqa: B006 - typer hands in a list of its own
        as_json: Annotated[bool, typer.Option("--json", help="The figures as one object.")] = False,
    ) -> None:
        """Exit codes: 0 judged, whatever was found; 2 a file can't be read."""
        out = Output(self.stdout.write, as_json=as_json)
        try:
            found = fleet.read(file, catalogue)
            states = track(found.listed, "Judging", console=out.console, transient=True)
            wrong = [judged for judged in found.judged(states) if judged.troubles]
        except BadFile as error:
            self.stderr.write(str(error))
            end(Exit.USAGE)
        document = {
            "snapshots": len(found.states),
            "judged": len(found.listed),
            "consistent": len(found.listed) - len(wrong),
            "unknown_releases": found.unknown,
            "inconsistent": [_as_json(found, judged) for judged in wrong],
        }
        out.answer(document, lambda: _show(out, document))


def _as_json(found: Fleet, judged: Judged) -> dict[str, Any]:
    names = found.world.names
    plugins = [
        {
            "plugin": names[trouble.release.component],
            "version": trouble.release.version,
            "can_run": trouble.usable,
            "reasons": [reason_in_words(reason, names) for reason in trouble.reasons],
        }
        for trouble in judged.troubles
    ]
    return {"tenant": judged.tenant, "at": judged.at, "plugins": plugins}


def _show(out: Output, document: dict[str, Any]) -> None:
    figures = {name: value for name, value in document.items() if isinstance(value, int)}
    out.table("Fleet", ("Figure", "Count"), [(name.replace("_", " "), n) for name, n in figures.items()])
    for wrong in document["inconsistent"]:
        for plugin in wrong["plugins"]:
            reasons = "; ".join(plugin["reasons"])
            out.say(f"{wrong['tenant']} at {wrong['at']}: {plugin['plugin']} {plugin['version']} {reasons}")
