"""A simulation asked for, worked out and kept."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Max

from audit import ledger
from audit.actions import Action
from config.access import Actor, ActorKind
from config.garbage import uncollected
from config.lifecycle import TransitionError, advance
from governance import documents, flags, moments, plans
from governance.models import Plan, Simulation, Snapshot
from governance.models.simulation import LONGEST_TITLE
from governance.policy_documents import Document
from governance.simulation import facts, naming, outcome, reading
from governance.simulation.supposition import Supposition, of_document
from governance.simulation.weighing import Scene
from tenants.models import Group

log = structlog.get_logger("plumbline.simulation")

Status = Simulation.Status
_TRIES = 3


class WorldMoving(Exception):
    """Something changed each time while the simulation was worked out."""


def simulate(
    group: Group,
    *,
    policies: Sequence[Document] = (),
    profiles: Sequence[Document] = (),
    exemptions: Sequence[Document] = (),
    retired: Sequence[str] = (),
    at: datetime,
    actor: Actor,
    title: str = "",
) -> Simulation:
    """Keep what would come of it if these were in force.

    Raises ConfigurationError, and FlagOff while governance is off.
    """
    supposed = Supposition(policies, profiles, exemptions, retired)
    return simulate_what(group, supposed, at=at, actor=actor, title=title)


@uncollected()
def simulate_what(
    group: Group, what: Supposition, *, at: datetime, actor: Actor, title: str = ""
) -> Simulation:
    """Ask and answer here and now; where it can't be answered, nothing is kept.

    It is numbered once it is worked out: a number locks the group's row, for which a seal would wait, and all
    manifests behind that. Raises ConfigurationError, FlagOff while governance is off, and WorldMoving.
    """
    what = _checked(group, what, at=at)
    answer = _answer(group, what, asked_at=at, actor=actor, at=at)
    with transaction.atomic():
        simulation = _create(
            group, what, at=at, actor=actor, title=title, status=Status.READY, started_at=at, **answer
        )
        _record(simulation, actor=actor, at=at)
        _note_at_plan(simulation, what, actor=actor, at=at)
    return simulation


@transaction.atomic
def request(group: Group, what: Supposition, *, at: datetime, actor: Actor, title: str = "") -> Simulation:
    """Note a question; `run` answers it, here or in the job `governance.jobs.run_simulation`.

    Raises ConfigurationError, and FlagOff while governance is off.
    """
    return _create(group, _checked(group, what, at=at), at=at, actor=actor, title=title)


@uncollected()
def run(simulation_id: UUID | str, *, at: datetime) -> Simulation:
    """Answer a question that was asked. One that can't be answered says why.

    One that is answered stays as it is; one whose worker was killed is begun anew.
    """
    simulation = Simulation.objects.select_related("group").get(pk=simulation_id)
    if simulation.is_answered:
        return simulation
    actor = Actor(ActorKind.SYSTEM, None, simulation.created_by_name)
    if simulation.created_by_id is not None:
        actor = Actor(ActorKind.PERSON, simulation.created_by_id, simulation.created_by_name)
    try:
        advance(simulation, to=Status.RUNNING, started_at=at, error="")
        with transaction.atomic():
            flags.require_governance(simulation.group)
            what = of_document(simulation.supposed)
            answer = _answer(simulation.group, what, asked_at=simulation.created_at, actor=actor, at=at)
            advance(simulation, to=Status.READY, **answer)
            _record(simulation, actor=actor, at=at)
            _note_at_plan(simulation, what, actor=actor, at=at)
    except TransitionError:
        simulation.refresh_from_db()  # someone else was faster: theirs it is
    except (documents.ConfigurationError, flags.FlagOff, WorldMoving) as refusal:
        advance(simulation, to=Status.FAILED, error=str(refusal), finished_at=at)
    except Exception as failure:
        log.exception("simulation.failed", simulation=simulation.number)
        told = f"{type(failure).__name__}: {failure}"[:2000]
        advance(simulation, to=Status.FAILED, error=told, finished_at=at)
    return simulation


def usual_seconds(group: Group) -> float | None:
    """How long the group's latest simulations took, to tell those who wait; None before the first."""
    answered = Simulation.objects.filter(group=group, status__in=[Status.READY, Status.APPLIED])
    times = answered.order_by("-number").values_list("started_at", "finished_at")[:5]
    seconds = sorted((end - start).total_seconds() for start, end in times if start and end)
    return seconds[len(seconds) // 2] if seconds else None


def _checked(group: Group, what: Supposition, *, at: datetime) -> Supposition:
    """What is supposed, with all that it names given a name. Raises ConfigurationError and FlagOff."""
    flags.require_governance(group)
    what = reading.named(group, what)
    reading.check(group, what, at=at)
    return what


@transaction.atomic
def _create(
    group: Group, what: Supposition, *, at: datetime, actor: Actor, title: str, **fields: Any
) -> Simulation:
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # numbers come one after the other
    last = Simulation.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
    supposed = what.as_document()
    return Simulation.objects.create(
        group=group,
        number=last + 1,
        title=(title or naming.title(group, supposed))[:LONGEST_TITLE],
        supposed=supposed,
        created_by_id=actor.id if actor.kind == ActorKind.PERSON else None,
        created_by_name=actor.name,
        created_at=at,
        **fields,
    )


def _answer(
    group: Group, what: Supposition, *, asked_at: datetime, actor: Actor, at: datetime
) -> dict[str, Any]:
    """What a simulation that is ready has beside the question."""
    begun = time.perf_counter()
    asked = moments.starting(what.at, at=asked_at) if what.at else at
    scene = Scene(group, max(asked, at), what.snapshot, tuple(what.acting))
    known, found = _worked_out(scene, what, actor, at)
    times = {"at": scene.at.isoformat(), "now": at.isoformat()}
    inputs = {"supposed": what.as_document(), **times, "facts": known}
    last = Snapshot.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
    return {
        "snapshot_number": what.snapshot or last,
        "inputs": inputs,
        "inputs_digest": documents.digest(inputs),
        "outcome": found.document,
        "findings": found.findings,
        "holds_until": found.holds_until,
        "finished_at": at + timedelta(seconds=time.perf_counter() - begun),
    }


def _record(simulation: Simulation, *, actor: Actor, at: datetime) -> None:
    difference = simulation.outcome["difference"]
    data = {
        "number": simulation.number,
        "policies": [document["name"] for document in simulation.supposed.get("policies", ())],
        "inputs_digest": simulation.inputs_digest,
        "opened": difference["opened"],
        "closed": difference["closed"],
        "conflicts": len(simulation.outcome["conflicts"]),
    }
    ledger.record(Action.SIMULATION_RUN, subject=simulation, actor=actor, at=at, data=data)


def _note_at_plan(simulation: Simulation, what: Supposition, *, actor: Actor, at: datetime) -> None:
    """The plan that was supposed to be carried out keeps it, unless it was started meanwhile."""
    if what.plan is not None:
        plan = Plan.objects.get(group=simulation.group, number=what.plan)
        with contextlib.suppress(TransitionError):
            plans.note_simulation(plan, simulation, actor=actor, at=at)


def _worked_out(
    scene: Scene, what: Supposition, actor: Actor, at: datetime
) -> tuple[dict[str, str], outcome.Outcome]:
    """On one state of the world: others commit while it is worked out, so that is looked at afterwards."""
    known = facts.gather(scene.group, scene.snapshot)
    for _ in range(_TRIES):
        found = outcome.work_out(scene, what, actor=actor, at=at)
        now = facts.gather(scene.group, scene.snapshot)
        if now == known:
            return known, found
        known = now
    raise WorldMoving("Something changed each time while this was worked out; ask again in a quieter moment.")
