"""policy diff, apply, export."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import typer
from django.conf import settings

from governance import configuration
from governance.cli.output import Exit, Output, end, operator
from governance.configuration import Applied, Files
from tenants.models import Group

_MARKS = {"add": ("+", "green"), "change": ("~", "yellow"), "retire": ("-", "red"), "keep": (" ", "dim")}


def load(paths: Sequence[Path]) -> Files:
    """The files that are named, else those of the deployment's own folder."""
    return configuration.load(*(paths or [settings.CONFIGURATION_DIR]))


def diff(out: Output, paths: Sequence[Path], groups: Sequence[str], *, prune: bool, at: datetime) -> None:
    """What applying would change. Ends with DIFFERENT if anything."""
    outcome = configuration.diff(load(paths), groups=groups, prune=prune, at=at)
    out.answer(outcome.as_json(), lambda: show(out, outcome, "Applying it would change nothing."))
    if outcome.changed:
        end(Exit.DIFFERENT)


def apply(
    out: Output,
    paths: Sequence[Path],
    groups: Sequence[str],
    *,
    prune: bool,
    yes: bool,
    comment: str,
    at: datetime,
) -> None:
    """Show what changes, ask where there is someone to ask, and put it in force."""
    files = load(paths)
    outcome = configuration.diff(files, groups=groups, prune=prune, at=at)
    if not out.as_json:
        show(out, outcome, "")
    if outcome.changed and not yes:
        out.confirm("Put this in force?")
    with out.console.status("Compiling, detecting and deciding…"):
        applied = configuration.apply(
            files, actor=operator(), at=at, groups=groups, prune=prune, comment=comment
        )
    done = "In force." if applied.changed else "It is in force as it stands; nothing has changed."
    out.answer(applied.as_json(), lambda: out.say(done))


def export(out: Output, groups: Sequence[str], folder: Path | None) -> None:
    """What is in force, as the files: printed, or written to a folder."""
    rows = list(Group.objects.order_by("pk"))
    chosen = [group for group in rows if not groups or group.slug in groups]
    if missing := set(groups) - {group.slug for group in chosen}:
        raise typer.BadParameter(f"There is no group {', '.join(sorted(missing))}.")
    documents = {
        configuration.PROFILES: configuration.export_profiles(chosen),
        configuration.BASELINES: configuration.export_baselines(chosen),
        configuration.DIRECTORY: configuration.export_directory(chosen),
    }
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, document in documents.items():
            (folder / name).write_text(configuration.dump(document), encoding="utf-8")

    def show() -> None:
        for name, document in documents.items():
            if folder is not None:
                out.say(f"{folder / name} is written.")
            else:
                out.console.print(f"# {name}\n{configuration.dump(document)}", markup=False, soft_wrap=True)

    out.answer(documents, show)


def show(out: Output, outcome: Applied, nothing: str) -> None:
    """Each change in a line, what of it differs below."""
    for difference in outcome.groups:
        if difference.changed or any(item.note for item in difference.items):
            out.say(f"{difference.group.slug}:", "bold")
        for item in difference.items:
            mark, style = _MARKS[item.action]
            if item.action != "keep" or item.note:
                note = f" ({item.note})" if item.note else ""
                out.say(f"  {mark} {item.noun} {item.name}{note}", style)
            for change in item.changes:
                out.say(f"      {change}", "dim")
    out.warn(outcome.warnings)
    if not outcome.changed and nothing:
        out.say(nothing)
