"""manage.py check_cases: does the product decide as upstream and independent solvers do?"""

from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import TyperCommand

from governance.cases.replay import replay
from governance.cli import replays


class Command(TyperCommand):
    """Replays case files, and shows where a decision differs."""

    help = "Replay cases of what goes together and print cases, agreements and disagreements per file."
    requires_system_checks: list[str] = []  # it asks pure functions only

    def handle(
        self,
        files: Annotated[list[Path], typer.Argument(help="Case files, JSON or gzip-compressed JSON.")],
        catalogue: Annotated[
            list[Path],
            typer.Option(help="A catalogue file to go by, before those beside the case files; repeatable."),
        ] = [],  # noqa: B006 - typer hands in a list of its own
        as_json: Annotated[bool, typer.Option("--json", help="One object, by file name.")] = False,
    ) -> None:
        """Exit codes: 0 all agree, 1 some disagree, 2 a file can't be read."""
        replays.answer(self, as_json, files, lambda path: replay(path, catalogue))
