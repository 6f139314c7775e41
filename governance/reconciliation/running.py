"""One reconciliation: everything compared, what has one right answer repaired, the rest listed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import DatabaseError

from audit import ledger
from config.access import Access, Actor
from config.lifecycle import TransitionError
from governance import upgrades
from governance.models import Reconciliation
from governance.reconciliation import asking, entries, gathering, reach, repairing, tasks
from governance.reconciliation.asking import Answers
from governance.reconciliation.kinds import Disagreement
from governance.reconciliation.reach import Since
from governance.reconciliation.repairing import Hand
from tenants.models import Group

_SHOWN = 2000  # disagreements that one reconciliation keeps; the next one names the rest
_ROUNDS = 3  # what one repair brings to light is repaired with it


def reconcile(
    group: Group, *, apply: bool, actor: Actor, at: datetime, whole: bool = False
) -> Reconciliation:
    """Compare all that should agree, and with `apply` repair what has one right answer.

    What was over when the last one that left nothing began isn't looked at again, unless it is to be the
    `whole`: so it takes no longer the more history there is.

    It reads without a lock; each repair takes one for a moment and looks again. Killed at any moment it
    leaves whole repairs behind, and run again it goes on.
    """
    since = reach.EVER if whole else reach.last_seen(group)
    begun = reach.now(group, since)  # before anything is looked at
    told, unanswered = _compare(group, since, apply=apply, actor=actor, at=at)
    clean = all(one["repaired"] for one in told)
    return Reconciliation.objects.create(
        group=group,
        at=at,
        actor_name=actor.name,
        applied=apply,
        disagreements=sorted(told, key=lambda one: bool(one["repaired"]))[:_SHOWN],  # what is left first
        compared=gathering.sizes(group, since, begun.mark),
        whole=since.at is None,
        mark=reach.as_kept(begun) if clean else None,
        unanswered=unanswered,
    )


def last(access: Access) -> Reconciliation | None:
    """The newest reconciliation of the group."""
    return Reconciliation.objects.within(access).order_by("-at", "-pk").first()


def as_document(row: Reconciliation) -> dict[str, Any]:
    """A reconciliation as JSON."""
    return {
        "group": row.group.slug,
        "at": row.at.isoformat(),
        "by": row.actor_name,
        "applied": row.applied,
        "whole": row.whole,
        "found": len(row.disagreements),
        "repaired": sum(one["repaired"] for one in row.disagreements),
        "left": row.left,
        "left_to_people": sum(not one["mends"] for one in row.disagreements),
        "unanswered": row.unanswered,
        "compared": row.compared,
        "disagreements": row.disagreements,
    }


def _compare(
    group: Group, since: Since, *, apply: bool, actor: Actor, at: datetime
) -> tuple[list[dict[str, Any]], int]:
    """What was found and what became of it; and how many tasks the orchestrator couldn't be asked about."""
    told: list[dict[str, Any]] = []
    for number in range(_ROUNDS if apply else 1):
        answers = asking.ask(group, list(gathering.task_facts(group)))
        found = list(_found(group, answers, since, at))
        hand = Hand(group, actor, at, answers.statuses)
        fresh = [_settled(one, hand, apply=apply) for one in found]
        repaired = [one for one in fresh if one is not None and one["repaired"]]
        told = [one for one in told if one["repaired"]] + [one for one in fresh if one is not None]
        if not repaired or number == _ROUNDS - 1:
            break
    return told, answers.unanswered


def _settled(one: Disagreement, hand: Hand, *, apply: bool) -> dict[str, Any] | None:
    """The disagreement with what became of it; None if it was gone when looked at again."""
    if not one.mends:
        return one.as_json()
    if not apply:
        still = repairing.confirmed(one, hand)
        return still.as_json() if still is not None else None
    try:
        return one.as_json(repaired=True) if repairing.repair(one, hand) else None
    except (TransitionError, DatabaseError, LookupError, ValueError) as hindrance:
        return one.as_json(hindered=f"{type(hindrance).__name__}: {hindrance}"[:500])


def _found(group: Group, answers: Answers, since: Since, at: datetime) -> Iterator[Disagreement]:
    yield from gathering.installations(group)
    yield from gathering.snapshots(group)
    yield from gathering.findings(group, at)
    facts = list(gathering.task_facts(group))
    yield from tasks.of_tasks(facts)
    yield from tasks.of_orders(facts, answers.words)
    yield from tasks.of_findings(gathering.finding_facts(group), upgrades.FINDING_STATUS)
    yield from tasks.of_plans(gathering.plan_facts(group))
    for kind in gathering.RECORDED:
        yield from entries.unexplained(gathering.records(group, kind, since=since))
    yield from gathering.unreported(group, at, since=since)
    for fault in ledger.verify(group.pk, after=since.mark):
        yield Disagreement("chain", str(fault.sequence), f"Entry {fault.sequence}", {"ledger": fault.reason})
