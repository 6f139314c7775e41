"""What comes of a supposition: how things stand before it, after it, and once its plans are carried out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from config.access import Actor
from governance.answers import deciders
from governance.simulation import (
    carrying,
    facts,
    judging,
    planning,
    precedents,
    reading,
    touching,
    weighing,
)
from governance.simulation.editing import edits
from governance.simulation.judging import Judgements, Names
from governance.simulation.supposing import Settled, settle, supposed
from governance.simulation.supposition import Supposition
from governance.simulation.weighing import Scene, Weighing
from governance.stock import lent

_BEFORE, _AFTER, _DONE = "weighed_before", "weighed_after", "weighed_done"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a simulation keeps: what people read, all findings as a file, and how long it holds."""

    document: dict[str, Any]
    findings: bytes
    holds_until: datetime | None


@dataclass(frozen=True, slots=True)
class _After:
    """What is found while the supposition is in force."""

    touched: frozenset[int]
    judgements: Judgements
    names: Names
    figures: dict[str, Any]
    done: dict[str, Any] | None
    later: dict[str, Any]
    difference: dict[str, Any]
    differing: weighing.Differing
    findings: bytes
    holds_until: datetime | None


def work_out(scene: Scene, what: Supposition, *, actor: Actor, at: datetime) -> Outcome:
    """Weigh and judge both states by the same functions; nothing of it stays. Raises ConfigurationError.

    The state before is that of `at`, the one after that of the scene, which may be later: what time alone
    brings is part of the difference. Everything is weighed, but only what the supposition can concern is
    judged: about every other tenant the same is decided before and after. Another time or catalogue may
    concern all of them.
    """
    present = replace(scene, at=at)
    everyone = what.alters_catalogue or scene.at != at
    with deciders(), lent(scene.group.pk, at) as stock, transaction.atomic():
        before = settle(present, stock=stock)
        weighed = weighing.weigh(present, _BEFORE)
        figures = weighed.tally.figures(present.size)
        edge = facts.holds_until(scene.group, at)
        busy = planning.busy_tenants(scene, what)
        since = None if everyone else before
        with supposed(scene, what, actor=actor, at=at, since=since) as now:
            concerned = None if everyone else _concerned(scene, what, before, now)
            # Nothing that is supposed changes how much is installed, unless it is what a plan does.
            size = present.size if what.plan is None else scene.size
            after = _after(scene, what, now, concerned, busy, weighed, size)
        there = before.stock if everyone else now.stock
        judgements = judging.judge(present, after.touched, there) if after.touched else {}
        transaction.set_rollback(True)
    return Outcome(
        document={
            **_document({**figures, **judging.figures(judgements)}, judgements, after),
            "edits": edits(scene.group, what),
            "warnings": reading.oddities(scene.group, what, at=at),
        },
        findings=after.findings,
        holds_until=min(filter(None, (edge, after.holds_until)), default=None),
    )


def _concerned(scene: Scene, what: Supposition, before: Settled, now: Settled) -> frozenset[int]:
    """The tenants that something binds otherwise, or that a plan changes."""
    return touching.touched(before.binding, now.binding) | touching.planned(scene, what)


def _after(
    scene: Scene,
    what: Supposition,
    now: Settled,
    concerned: frozenset[int] | None,
    busy: frozenset[int],
    before: Weighing,
    size: tuple[int, int],
) -> _After:
    """Within a supposition. Its own savepoints take back what is worked out on top of it.

    `concerned` are the only tenants that may be found otherwise; None where everyone may be.
    """
    if concerned is None:
        weighed = weighing.weigh(scene, _AFTER)
    else:
        weighed = weighing.weigh_again(scene, _AFTER, before, concerned)
    touched = weighing.drifting(before, weighed)
    judgements = judging.judge(scene, touched, now.stock) if touched else {}
    figures = {**weighed.tally.figures(size), **judging.figures(judgements)}
    names = judging.names_of(scene)
    carried_out = scene.snapshot is None and what.plan is None
    return _After(
        touched=touched,
        judgements=judgements,
        names=names,
        figures=figures,
        difference=weighing.compare(before, weighed),
        differing=weighing.differing(),
        findings=weighing.differing_file(),
        done=_done(scene, judgements, now, weighed, size) if carried_out else None,
        later=planning.told(scene, judgements, busy, names),
        holds_until=facts.holds_until(scene.group, scene.at),
    )


@transaction.atomic
def _done(
    scene: Scene, judgements: Judgements, now: Settled, after: Weighing, size: tuple[int, int]
) -> dict[str, Any]:
    weighed = carrying.weigh_done(scene, judgements, now, of=after, name=_DONE)
    figures = weighed.tally.figures(carrying.size_done(size, judgements))
    transaction.set_rollback(True)
    return figures


def _document(before: dict[str, Any], judgements: Judgements, after: _After) -> dict[str, Any]:
    names = after.names
    otherwise = judging.differing(judgements, after.judgements)
    touched = after.differing.tenants | otherwise
    listed = sorted(names.tenants[tenant] for tenant in touched)
    plugins = after.differing.plugins | judging.plugins_moved(judgements, after.judgements)
    conflicts = judging.told_conflicts(after.judgements, judgements, names)
    solved = judging.told_solved(judgements, after.judgements, names)
    return {
        "before": before,
        "after": after.figures,
        "done": after.done,
        "difference": {
            "changed": bool(touched),
            **after.difference,
            "judged_tenants": len(after.touched),
            "tenants": len(touched),
            "tenant_keys": listed[: weighing.LISTED],
            "plugins": len(plugins),
            "cost": after.figures["changes"] - before["changes"],
            "conflicts_new": sum(1 for one in conflicts if one["new"]),
            "conflicts_changed": sum(1 for one in conflicts if one["changed"]),
            "conflicts_solved": len(solved),
        },
        "later": after.later,
        "actions": _told(after, lambda one: one.actions),
        "order": judging.told_order(after.judgements, names),
        "advised": _told(after, lambda one: one.advised),
        "conflicts": conflicts,
        "solved": solved,
        "decisions": precedents.told(judgements, after.judgements, names),
    }


def _told(after: _After, part: Callable[[judging.Judgement], Any]) -> list[dict[str, Any]]:
    changes = {tenant: part(judgement) for tenant, judgement in after.judgements.items()}
    return judging.told_changes(changes, after.names)
