"""policy simulate, and policy apply of a simulation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from governance import conflict_wording, documents, presenters, simulation
from governance.cli import configuration
from governance.cli.output import Exit, Output, end, operator
from governance.configuration import Files
from governance.documents import ConfigurationError, Problem, Source
from governance.models import Simulation
from governance.simulation import Supposition
from tenants.models import Group

SHOWN = 20  # lines of a table


class FailOn(StrEnum):
    """What ends the command with 3 or 4; what `worse` means is `simulation.is_worse`."""

    DIFFERENCE = "difference"
    WORSE = "worse"
    CONFLICT = "conflict"
    NEVER = "never"


AgainstOption = Annotated[list[Path] | None, typer.Option(help="YAML with what might be in force.")]
SupposeOption = Annotated[
    Path | None, typer.Option(help="YAML or JSON with what else is supposed, releases among it.")
]
RetireOption = Annotated[list[str] | None, typer.Option(help="A policy or hold that isn't there.")]
EndOption = Annotated[
    list[str] | None, typer.Option("--end", help="An exemption that is over, by name or id.")
]
WithdrawOption = Annotated[list[str] | None, typer.Option(help="plugin=version: a release taken back.")]
WhenOption = Annotated[str | None, typer.Option("--at", help="A time ahead: 2030-01-31, in 30d.")]
SnapshotOption = Annotated[int | None, typer.Option(help="A past state, by its number.")]
MarkdownOption = Annotated[Path | None, typer.Option(help="Write a summary for a review here.")]
FailOnOption = Annotated[
    FailOn,
    typer.Option(
        help="What doesn't end it with 0. difference: any, and new conflicts. worse: fewer tenants or "
        "installations in line, and new conflicts. conflict: new conflicts alone. never: nothing of these."
    ),
]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked on the command line."""

    against: Sequence[Path] = ()
    suppose: Path | None = None
    retired: Sequence[str] = ()
    ended: Sequence[str] = ()
    withdrawn: Sequence[str] = ()  # plugin=version
    when: str | None = None
    snapshot: int | None = None
    prune: bool = False
    title: str = ""

    def supposes(self) -> bool:
        """Whether anything is asked beside the files."""
        return bool(
            self.suppose or self.retired or self.ended or self.withdrawn or self.when or self.snapshot
        )


def simulate(
    out: Output, group: Group, question: Question, markdown: Path | None, fail_on: FailOn, *, at: datetime
) -> None:
    """Keep and show what would come of it. Ends with DECISION at a new conflict, with DIFFERENT otherwise."""
    _require_writable(markdown)
    files = _files(question)
    _require_something(group, question, files)
    beside, odd = _beside(group, question, at)
    warned = [*simulation.file_warnings(group, files, at=at, releases=beside.releases), *odd]
    with out.console.status("Compiling, detecting and deciding, all of it beside what is in force…"):
        kept = simulation.simulate_files(
            group,
            files,
            prune=question.prune,
            at=at,
            actor=operator(),
            title=question.title,
            beside=beside,
        )
    if markdown is not None:
        markdown.write_text(simulation.markdown(kept), encoding="utf-8")
    out.warn(warned)
    document = {**simulation.as_document(kept), "warnings": [str(one) for one in warned]}
    out.answer(document, lambda: show(out, kept))
    end(_code(kept.outcome, fail_on))


def apply(out: Output, group: Group, number: int, *, yes: bool, comment: str, at: datetime) -> None:
    """Say what a simulation foretells, ask where there is someone to ask, put it in force, draft its plan."""
    kept = Simulation.objects.filter(group=group, number=number).first()
    if kept is None:
        raise typer.BadParameter(f"There is no simulation {number}.")
    if kept.is_answered and not out.as_json:
        out.say(simulation.verdict(kept), "bold")
    if kept.status == Simulation.Status.READY and not yes and not simulation.hindrance(kept):
        out.confirm("Put this in force?")
    with out.console.status("Comparing with what it was worked out from, compiling, detecting and deciding…"):
        plan = simulation.apply(kept, actor=operator(), at=at, comment=comment)
    told = f"It is in force. {plan} is drafted." if plan else "It is in force; no policy has to act."
    document = {"simulation": number, "plan": presenters.plan(plan) if plan else None}
    out.answer(document, lambda: out.say(told))


def show(out: Output, kept: Simulation) -> None:
    """Before and after, what would be done, and what would need a person."""
    outcome = kept.outcome
    out.say(simulation.verdict(kept), "bold")
    out.table(f"{kept}, on snapshot {kept.snapshot_number}", *simulation.figures(kept))
    if outcome["done"]:
        concerned = outcome["difference"]["judged_tenants"]
        out.say(
            f"Tenants concerned: {concerned:,}, those with drift of which it may change something."
            " Carried out: once enforcing policies have set right there what they can."
        )
    if by_policy := outcome["difference"]["by_policy"]:
        rows = [[name, row["opened"], row["closed"]] for name, row in by_policy.items()]
        out.table("Drift that comes and goes", ("policy", "comes", "goes"), rows)
    for title, key in (("What policies would do", "actions"), ("What is left to tenants’ admins", "advised")):
        _show_changes(out, title, outcome[key])
    for sentence in simulation.in_later_plans(kept):
        out.say(sentence)
    _show_conflicts(out, outcome)
    for said, one in simulation.decisions(kept):
        out.say(f"{said}, in {_tenants(one)}: {one['summary']} ({one['said']})")


def _show_changes(out: Output, title: str, changes: Sequence[dict[str, Any]]) -> None:
    """The changes that most tenants have in common, and how many more there are."""
    rows = [
        [row["plugin"], row["from"] or "–", row["to"] or "–", len(row["tenants"])] for row in changes[:SHOWN]
    ]
    if rows:
        out.table(title, ("plugin", "from", "to", "tenants"), rows)
    if left := len(changes) - len(rows):
        out.say(f"and {left:,} more, which --json tells")


def _show_conflicts(out: Output, outcome: dict[str, Any]) -> None:
    for conflict in outcome["conflicts"]:
        changed = "A conflict that stays by other rules" if conflict.get("changed") else "A conflict"
        mark = "A new conflict" if conflict["new"] else changed
        out.say(f"{mark} in {_tenants(conflict)}: {conflict['summary']}", "yellow")
        if told := conflict_wording.extent(conflict):
            out.say(f"  {told}")
    for conflict in outcome["solved"]:
        out.say(f"No conflict any more in {_tenants(conflict)}: {conflict['summary']}", "green")


def _tenants(conflict: dict[str, Any]) -> str:
    number = len(conflict["tenants"])
    return f"{number:,} {'tenant' if number == 1 else 'tenants'}"


def _code(outcome: dict[str, Any], fail_on: FailOn) -> Exit:
    difference = outcome["difference"]
    if fail_on == FailOn.NEVER:
        return Exit.FINE
    if difference["conflicts_new"]:
        return Exit.DECISION
    if fail_on == FailOn.CONFLICT:
        return Exit.FINE
    changed = difference["changed"] if fail_on == FailOn.DIFFERENCE else simulation.is_worse(outcome)
    return Exit.DIFFERENT if changed else Exit.FINE


def _require_writable(path: Path | None) -> None:
    """Find out before anything is worked out, and leave nothing behind. Raises typer.BadParameter."""
    if path is None:
        return
    is_new = not path.exists()
    try:
        path.open("a", encoding="utf-8").close()
    except OSError as error:
        raise typer.BadParameter(f"{path} can't be written: {error.strerror}.") from error
    if is_new:
        path.unlink()


def _files(question: Question) -> Files:
    """The files that are named; the deployment's own only where nothing else is asked."""
    if not question.against and question.supposes():
        return Files()
    return configuration.load(question.against)


def _require_something(group: Group, question: Question, files: Files) -> None:
    """That nothing comes of nothing lets no change pass. Raises ConfigurationError."""
    asks = question.prune or question.supposes()
    if not (asks or files.profiles or files.section(group.slug)):
        reason = f"wants nothing of the group “{group.slug}”, so there is nothing to simulate"
        source = files.baselines or files.directory or Source("options", {})
        raise ConfigurationError([source.problem(("groups",), reason)])


def _beside(group: Group, question: Question, at: datetime) -> tuple[Supposition, list[Problem]]:
    """What is supposed beside the files, and what may be a slip in its document."""
    what, odd = Supposition(), list[Problem]()
    if question.suppose is not None:
        what, odd = simulation.look(group, documents.read(question.suppose), at=at)
    options = Source(
        "options",
        Supposition(
            retired=question.retired,
            ended=question.ended,
            withdrawn=[_release(text) for text in question.withdrawn],
            at=question.when,
            snapshot=question.snapshot,
        ).as_document(),
    )
    given = simulation.read(group, options, at=at)
    both = replace(
        what,
        retired=[*what.retired, *given.retired],
        ended=[*what.ended, *given.ended],
        withdrawn=[*what.withdrawn, *given.withdrawn],
        at=given.at or what.at,
        snapshot=given.snapshot or what.snapshot,
    )
    return both, odd


def _release(text: str) -> dict[str, str]:
    plugin, _, version = text.partition("=")
    if not plugin or not version:
        raise typer.BadParameter(f"“{text}” isn't of the form plugin=version.")
    return {"plugin": plugin, "version": version}
