"""manage.py check_versions: do the version dialects agree with upstream's own cases?"""

from pathlib import Path
from typing import Annotated

import typer
from django_typer.management import TyperCommand

from governance.cli import replays
from governance.versions import replay


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
        replays.answer(self, as_json, files, lambda path: replay.replay(replay.read(path)))
