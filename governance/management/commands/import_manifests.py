"""manage.py import_manifests: what tenants run, from files."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer
from django.utils import timezone
from django_typer.management import TyperCommand
from rich.progress import track

from governance import flags, manifest_formats, manifests, pipeline
from governance.cli.output import Exit, Output, end, group_of, operator
from governance.manifest_formats import Beside, Judged
from tenants.models import Group

BATCH = 200  # manifests in one transaction


class Command(TyperCommand):
    """Exit codes: 0 all taken, 1 some refused, 2 wrong usage, 5 switched off."""

    help = "Take manifests from files and folders: JSON, CycloneDX SBOM, or plugins.txt."

    def handle(
        self,
        paths: Annotated[list[Path], typer.Argument(exists=True, help="Files, and folders with them.")],
        group: Annotated[str | None, typer.Option(help="The group's slug, where there are several.")] = None,
        tenant: Annotated[str, typer.Option(help="Whose manifest it is, where the file doesn't say.")] = "",
        host_version: Annotated[str, typer.Option(help="The host's version, likewise.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="What became of each as JSON.")] = False,
    ) -> None:
        """Each manifest is judged by itself; what is refused is told with the field and the reason."""
        out = Output(self.stdout.write, as_json=as_json)
        found = group_of(group)
        told = list(_read(paths, Beside(tenant, host_version, "file")))
        try:
            results = list(_take(out, found, [judged for _, judged in told]))
        except flags.FlagOff as refusal:
            out.stop(Exit.REFUSED, str(refusal))
        accepted = [one for result in results for one in result.accepted]
        refused = [
            {"file": str(told[one["index"]][0]), **one} for result in results for one in result.refused
        ]
        changed = sum(len(result.changed_tenant_ids) for result in results)
        document = {"group": found.slug, "changed": changed, "accepted": accepted, "refused": refused}
        out.answer(document, lambda: _show(out, len(accepted), changed, refused))
        if refused:
            end(Exit.FAILED)


def _read(paths: Sequence[Path], beside: Beside) -> Iterator[tuple[Path, Judged]]:
    for path in paths:
        for file in manifest_formats.files_in(path) if path.is_dir() else [path]:
            for judged in manifest_formats.read_file(file, beside):
                yield file, judged


def _take(out: Output, group: Group, documents: Sequence[Judged]) -> Iterator[manifests.IngestResult]:
    starts = range(0, len(documents), BATCH)
    for start in track(starts, description=f"{group}: manifests", console=out.console):
        batch = documents[start : start + BATCH]
        result = pipeline.receive(group, batch, actor=operator(), at=timezone.now())
        for one in (*result.accepted, *result.refused):
            one["index"] += start
        yield result


def _show(out: Output, accepted: int, changed: int, refused: Sequence[dict[str, str]]) -> None:
    taken = f"{accepted} manifest{'' if accepted == 1 else 's'} taken"
    out.say(f"{taken}, {changed} tenant{'' if changed == 1 else 's'} changed.")
    if refused:
        rows = [[one["file"], one["tenant"], one["field"], one["reason"]] for one in refused]
        out.table(f"{len(refused)} refused", ("file", "tenant", "field", "reason"), rows)
