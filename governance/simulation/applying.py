"""A simulation applied: what was supposed is put in force, and the plan of it drafted, in one transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor, ActorKind
from config.lifecycle import TransitionError, advance
from governance import configuration, exemptions, flags, plans, policies
from governance.documents import Source
from governance.models import Plan, Policy, Rollback, Simulation
from governance.simulation import facts, reading
from governance.simulation.supposition import SECTIONS, Supposition, of_document
from tenants.models import Group, Tenant

Status = Simulation.Status
_LONGEST = 500  # characters of a comment


class Outdated(Exception):
    """What the simulation was worked out from isn't so any more; it has to be asked again."""

    def __init__(self, simulation: Simulation, moved: Sequence[str]) -> None:
        self.told = f"Since it was worked out, {_and(moved)} changed."
        super().__init__(f"{simulation} can't be applied. {self.told} Simulate it again.")


class NotApplicable(Exception):
    """The simulation supposes what nobody can put in force, or nothing at all."""


class NeedsAnother(Exception):
    """It grants an exemption, which someone else than the person who asked has to do."""

    def __init__(self) -> None:
        who = "someone else than the person who asked has to apply it"
        super().__init__(f"It grants an exemption: {who}, who may edit policies and decide about exemptions.")


@transaction.atomic
def apply(simulation: Simulation, *, actor: Actor, at: datetime, comment: str = "") -> Plan | None:
    """Put in force what was supposed, and draft the plan that follows; None if no policy has to act.

    The plan is of the tenants about which it was said what policies would do: what else drifts is left to
    the next run.

    Raises Outdated if the world isn't what it was worked out from, TransitionError if it isn't ready or was
    applied, NotApplicable, NeedsAnother, ConfigurationError, and FlagOff while governance is off.
    """
    _allow(simulation, actor)
    put_in_force(simulation, actor=actor, at=at, comment=comment)
    group, acting = simulation.group, of_document(simulation.supposed).acting
    plan = plans.draft(group, policy_names=acting, tenant_ids=_foretold(simulation), at=at, actor=actor)
    conclude(simulation, plan, actor=actor, at=at, comment=comment)
    return plan


def put_in_force(simulation: Simulation, *, actor: Actor, at: datetime, comment: str = "") -> None:
    """The part of `apply` that changes what binds, in the caller's transaction; who may is the caller's.

    Raises what `apply` does, but for NotApplicable and NeedsAnother.
    """
    group = Group.objects.select_for_update(no_key=True).get(pk=simulation.group_id)
    flags.require_governance(group)
    what = of_document(simulation.supposed)
    ledger.hold(group.pk)  # before any row
    advance(simulation, to=Status.APPLIED, applied_at=at, applied_by_name=actor.name)
    require_current(simulation, at=at)
    comment = f"{simulation} applied: {comment}"[:_LONGEST] if comment else f"{simulation} applied"
    _retire(group, what, actor=actor, at=at, comment=comment)
    files = _files(group, what)
    applied = files and configuration.apply(files, actor=actor, at=at, groups=[group.slug], comment=comment)
    if not (applied and applied.changed):  # which settles what it changes, and what was retired before it
        policies.settle(group, actor=actor, at=at)


def conclude(
    simulation: Simulation, plan: Plan | None, *, actor: Actor, at: datetime, comment: str = ""
) -> None:
    """Note the plan that follows from what was put in force, and that this is what was simulated of it."""
    simulation.plan = plan
    simulation.save(update_fields=["plan"])
    if plan is not None:
        with suppress(TransitionError):  # one that was approved before, and comes out just the same
            plans.note_simulation(plan, simulation, actor=actor, at=at)
    _record(simulation, actor=actor, at=at, comment=comment)


@transaction.atomic
def require_current(simulation: Simulation, *, at: datetime) -> None:
    """Raise Outdated unless all is as it was when the simulation was worked out.

    Whoever else decides has to wait until the caller's transaction ends, so that it stays so.
    """
    ledger.hold(simulation.group_id)
    if refusal := outdated(simulation, at=at):
        raise refusal


def outdated(simulation: Simulation, *, at: datetime) -> Outdated | None:
    """Why it would be refused as things stand; None if all is as it was when it was worked out.

    It costs what changed since the last snapshot and the catalogue: little enough for a page.
    """
    now = facts.gather(simulation.group, of_document(simulation.supposed).snapshot)
    moved = facts.moved(simulation.inputs["facts"], now)
    if not moved and simulation.holds_until is not None and simulation.holds_until <= at:
        moved = ["what the time makes of the rules"]
    return Outdated(simulation, moved) if moved else None


def grants(simulation: Simulation) -> bool:
    """Whether applying it decides about exemptions."""
    return bool(simulation.supposed.get("exemptions") or simulation.supposed.get("ended"))


def needs_another(simulation: Simulation, actor: Actor) -> bool:
    """Whether it grants an exemption and the actor is who asked."""
    asked = actor.kind == ActorKind.PERSON and actor.id == simulation.created_by_id
    return asked and bool(simulation.supposed.get("exemptions"))


def hindrance(simulation: Simulation) -> str:
    """Why the simulation could never be applied, in words; empty if it can be as long as the world stays."""
    what = of_document(simulation.supposed)
    if unappliable := what.unappliable:
        return f"It supposes what can't be put in force: {_and(unappliable)}."
    if Rollback.objects.filter(simulation=simulation).exists():
        return "It belongs to a rollback, which is where it is put in force."
    if not simulation.supposed:
        return "It supposes nothing that could be put in force."
    return ""


def _foretold(simulation: Simulation) -> frozenset[int]:
    """The tenants in which it says that policies would act."""
    keys = {key for action in simulation.outcome["actions"] for key in action["tenants"]}
    found = Tenant.objects.filter(group=simulation.group, key__in=keys)
    return frozenset(found.values_list("pk", flat=True))


def _allow(simulation: Simulation, actor: Actor) -> None:
    if simulation.status != Status.READY:
        raise TransitionError(simulation, Status.APPLIED)
    if reason := hindrance(simulation):
        raise NotApplicable(f"{simulation} can't be applied. {reason}")
    if needs_another(simulation, actor):
        raise NeedsAnother


def _record(simulation: Simulation, *, actor: Actor, at: datetime, comment: str) -> None:
    data = {
        "number": simulation.number,
        "inputs_digest": simulation.inputs_digest,
        "plan": simulation.plan.number if simulation.plan else None,
        "comment": comment,
    }
    ledger.record(Action.SIMULATION_APPLIED, subject=simulation, actor=actor, at=at, data=data)


def _retire(group: Group, what: Supposition, *, actor: Actor, at: datetime, comment: str) -> None:
    for name in what.retired:
        policy = Policy.objects.get(group=group, name=name)
        policies.take_out_of_force(policy, actor=actor, at=at, reason=comment)
    for policy in Policy.objects.filter(group=group, name__in=what.paused, status=Policy.Status.ACTIVE):
        policies.pause(policy, actor=actor, at=at, reason=comment)
    for name in what.ended:
        for exemption in reading.live_exemptions(group, name):
            exemptions.revoke(exemption, actor=actor, at=at, comment=comment)


def _files(group: Group, what: Supposition) -> configuration.Files | None:
    """The rest as the files that would say it: putting those in force is known to do just that."""
    section: dict[str, Any] = defaultdict(list)
    of_kind = {kind: name for name, kind in SECTIONS.items()}
    for document in what.policies:
        section[of_kind[document["kind"]]].append(policies.as_written(document))
    for document in what.exemptions:
        section["exemptions"].append(dict(document))
    if what.sla is not None:
        section["sla"] = dict(what.sla)
    profiles = {"version": 1, "profiles": [dict(document) for document in what.profiles]}
    baselines = {"version": 1, "groups": {group.slug: dict(section)}}
    if not section and not what.profiles:
        return None
    return configuration.Files(
        baselines=Source(reading.FILE, baselines) if section else None,
        profiles=Source(reading.FILE, profiles) if what.profiles else None,
    )


def _and(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
