"""How the commands answer that replay case files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import BaseCommand
from rich.progress import track

from governance.cli.output import Exit, Output, end
from governance.replaying import BadFile, Outcome

SHOWN = 20  # disagreements per file in the table's foot; --json has them all
HEADINGS = ("File", "Cases", "Agree", "Not applicable", "Disagree")


def answer(command: BaseCommand, as_json: bool, files: list[Path], replay: Callable[[Path], Outcome]) -> None:
    """Replay the files and end the command: 0 if all agree, 1 if some disagree, 2 if a file can't be read."""
    out = Output(command.stdout.write, as_json=as_json)
    try:
        outcomes = {
            path.name: replay(path) for path in track(files, "Replaying", console=out.console, transient=True)
        }
    except BadFile as error:
        command.stderr.write(str(error))
        end(Exit.USAGE)
    out.answer({name: outcome.as_json() for name, outcome in outcomes.items()}, lambda: show(out, outcomes))
    if any(outcome.disagree for outcome in outcomes.values()):
        end(Exit.FAILED)


def show(out: Output, outcomes: dict[str, Outcome]) -> None:
    """The figures, then what needs a word."""
    counts = (
        (name, found.cases, found.agree, sum(found.not_applicable.values()), len(found.disagree))
        for name, found in outcomes.items()
    )
    out.table("Replayed", HEADINGS, counts)
    for name, found in outcomes.items():
        if found.agree_on:
            out.say(f"{name}: agree on " + ", ".join(f"{what} {n}" for what, n in found.agree_on.items()))
        for reason, count in found.not_applicable.items():
            out.say(f"{name}: {count} not applicable, {reason}")
        for case in found.disagree[:SHOWN]:
            out.say(f"{name}: {json.dumps(case, ensure_ascii=False)}")
