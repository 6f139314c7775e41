"""manage.py check_versions: do the version dialects agree with upstream's own cases?"""

import json
from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import TyperCommand
from rich.console import Console
from rich.table import Table

from governance.versions import replay

DISAGREES, UNREADABLE = 1, 2
SHOWN = 20  # disagreements per file in the table's foot; --json has them all


class Command(TyperCommand):
    """Replays case files and order tables, and shows where an answer differs."""

    help = "Replay version cases and print cases, agreements and disagreements per file."
    requires_system_checks: list[str] = []  # it asks pure functions only

    def handle(
        self,
        files: Annotated[list[Path], typer.Argument(help="Case files, JSON or gzip-compressed JSON.")],
        as_json: Annotated[bool, typer.Option("--json", help="One object, by file name.")] = False,
    ) -> None:
        """Exit codes: 0 all agree, 1 some disagree, 2 a file can't be read."""
        try:
            outcomes = {path.name: replay.replay(replay.read(path)) for path in files}
        except replay.BadFile as error:
            self.stderr.write(str(error))
            raise SystemExit(UNREADABLE) from error  # typer.Exit would end as 0 here
        if as_json:
            self.stdout.write(json.dumps({name: outcome.as_json() for name, outcome in outcomes.items()}))
        else:
            self._show(outcomes)
        if any(outcome.disagree for outcome in outcomes.values()):
            raise SystemExit(DISAGREES)

    def _show(self, outcomes: dict[str, replay.Outcome]) -> None:
        table = Table("File", "Cases", "Agree", "Not applicable", "Disagree")
        for name, outcome in outcomes.items():
            counts = outcome.cases, outcome.agree, sum(outcome.not_applicable.values()), len(outcome.disagree)
            table.add_row(name, *(str(count) for count in counts))
        console = Console()
        console.print(table)
        for name, outcome in outcomes.items():
            for reason, count in outcome.not_applicable.items():
                console.print(f"{name}: {count} not applicable, {reason}", markup=False)
            for case in outcome.disagree[:SHOWN]:
                console.print(f"{name}: {json.dumps(case, ensure_ascii=False)}", markup=False)
