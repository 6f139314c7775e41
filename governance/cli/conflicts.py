"""policy decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import typer

from config.access import Actor, Permission
from governance import conflict_wording, conflicts, pipeline, presenters
from governance.cli.output import Exit, Output, end
from governance.models import Conflict
from tenants.models import Group, User
from tenants.reach import access_of_person


@dataclass(frozen=True, slots=True)
class Said:
    """Why, the username of the person in whose name, and when."""

    reason: str
    person: str
    at: datetime


def list_waiting(out: Output, group: Group) -> None:
    """The conflicts that wait for a person, with the ways out. Ends with DECISION if there are any."""
    rows = Conflict.objects.filter(group=group).waiting().select_related("plugin").order_by("found_at", "pk")
    documents = [presenters.conflict(row) for row in rows]

    def show() -> None:
        if not documents:
            out.say("No conflict waits for a decision.")
        for row, document in zip(rows, documents, strict=True):
            out.say(f"{row.pk}  {row}", "bold")
            out.say(f"  stuck: {', '.join(row.stuck)}; tenants: {', '.join(document['tenants'])}")
            _show_sets(out, row)
            for number, way in enumerate(document["ways_out"], start=1):
                aside = " ".join(f"--set-aside {rule['policy']}/{rule['key']}" for rule in way["set_aside"])
                out.say(f"  --way {number}  {way['says']} ({aside})")

    out.answer({"conflicts": documents}, show)
    if documents:
        end(Exit.DECISION)


def _show_sets(out: Output, row: Conflict) -> None:
    for number, one in enumerate(row.sets, start=1):
        words = [f"{rule['policy']}/{rule['key']} {rule['says']}" for rule in one["rules"]]
        out.say(f"  set {number}: {'; '.join([*words, *one['chain']])}")
    if not row.sets:
        for rule in row.explanation["rules"]:
            out.say(f"  binding: {rule['policy']}/{rule['key']} {rule['says']}")
    out.say(f"  {conflict_wording.extent(row.explanation) or 'There are no other such sets.'}")


def decide(
    out: Output,
    group: Group,
    conflict_id: str,
    said: Said,
    *,
    set_aside: Sequence[str],
    way: int | None,
) -> None:
    """Record a person's decision for rules or for a way out, and let the runs that stood at it go on."""
    conflict = _named(group, conflict_id)
    rules = [_rule(text) for text in set_aside] if way is None else _way(conflict, way)
    actor = _actor(group, said.person)
    conflicts.decide(conflict, set_aside=rules, reason=said.reason, actor=actor, at=said.at)
    resumed = pipeline.resume_decided(group)
    conflict.refresh_from_db()
    document = {**presenters.conflict(conflict), "resumed_runs": [run.number for run in resumed]}

    def show() -> None:
        named = ", ".join(f"{rule['policy']}/{rule['key']}" for rule in rules)
        out.say(f"Decided by {said.person}: {named} is set aside there.")
        for run in resumed:
            out.say(f"{run} goes on; `policy watch {run.number}` stays with it.")

    out.answer(document, show)


def take_back(out: Output, group: Group, conflict_id: str, said: Said) -> None:
    """Take a decision back: the conflict waits for a person again."""
    conflict = _named(group, conflict_id)
    conflicts.reopen(conflict, reason=said.reason, actor=_actor(group, said.person), at=said.at)
    conflict.refresh_from_db()
    told = "The decision is taken back; the conflict waits for a person again."
    out.answer(presenters.conflict(conflict), lambda: out.say(told))


def _named(group: Group, conflict_id: str) -> Conflict:
    """By its id, or by the beginning of it that is no other's."""
    rows = Conflict.objects.filter(group=group).select_related("group", "plugin").standing()
    found = [row for row in rows if str(row.pk).startswith(conflict_id)]
    if len(found) != 1:
        raise typer.BadParameter(f"{'No' if not found else 'More than one'} conflict is {conflict_id}.")
    return found[0]


def _rule(text: str) -> dict[str, str]:
    policy, slash, key = text.partition("/")
    if not (policy and slash and key):
        raise typer.BadParameter(f"“{text}” is not of the form policy/rule.")
    return {"policy": policy, "key": key}


def _way(conflict: Conflict, number: int) -> list[dict[str, str]]:
    """What a way out sets aside, by its number in the list."""
    if not 1 <= number <= len(conflict.ways_out):
        raise typer.BadParameter(f"There is no way out {number}; there are {len(conflict.ways_out)}.")
    rules: list[dict[str, str]] = conflict.ways_out[number - 1]["set_aside"]
    return rules


def _actor(group: Group, username: str) -> Actor:
    """Only a person decides, and only one who may."""
    person = User.objects.filter(username=username).first()
    if person is None:
        raise typer.BadParameter(f"There is no user “{username}”.")
    access = access_of_person(person, group.slug)
    if access is None or not access.allows(Permission.CONFLICT_DECIDE):
        raise typer.BadParameter(f"{username} may not decide conflicts of {group}.")
    return access.actor
