"""manage.py import_catalogue: plugins, releases and security warnings from a JSON file."""

import gzip
import json
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand

from governance import pipeline
from governance.catalogue_formats import CatalogueError
from governance.cli.output import Exit, Output, group_of, operator


class Command(TyperCommand):
    """Exit codes: 0 done or nothing new, 1 not taken, 2 wrong usage."""

    help = "Take a catalogue: a JSON list of plugins, also compressed (.json.gz). All of it or nothing."

    def handle(
        self,
        file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The file.")],
        group: Annotated[str | None, typer.Option(help="The group's slug, where there are several.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Figures as JSON.")] = False,
    ) -> None:
        """Read, check and store the file."""
        out = Output(self.stdout.write, as_json=as_json)
        found = group_of(group)
        try:
            with out.console.status(f"Reading {file.name} into {found} …"):
                documents = json.loads(_read(file))
                result = pipeline.load_catalogue(found, documents, actor=operator(), at=timezone.now())
        except CatalogueError as error:
            out.stop(Exit.FAILED, str(error), place=error.place)
        except (OSError, ValueError) as error:
            out.stop(Exit.FAILED, f"{file} can’t be read: {error}")
        figures = result.figures()
        rows = [(name.replace("_", " "), count) for name, count in figures.items()]
        out.answer(
            {"group": found.slug, **figures},
            lambda: out.table(f"{found}: catalogue", ("what", "count"), rows),
        )
        if not result.changed:
            out.say("Nothing in it is new.")


def _read(file: Path) -> bytes:
    return gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
