"""Rollbacks: prepared with what has to give way to them, and put in force as one decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import announcements, flags, plans, restoring, simulation, withdrawals
from governance.models import Plan, Policy, Profile, Rollback, Snapshot
from governance.models.policy import Mode
from governance.opposition import Pair
from governance.restoring import Restoration, Scope
from governance.simulation import Supposition
from tenants import directory
from tenants.models import Group, Tenant

USUAL = timedelta(days=30)  # by then the group has settled what it wants instead
LONGEST = timedelta(days=365)  # exemptions end, they never just stay
_STOPPABLE = (Plan.Status.RUNNING, Plan.Status.PAUSED)


class RollbackRefused(ValueError):
    """A rollback can't be as it was asked for; `field` says in which point."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person wants back, and how the policies that would undo it give way.

    Either `snapshot` or `scope.plan` says how far back. `ways` says of policies by name that they give way
    otherwise than `way`. `until` counts for exemptions; what is paused stays so until someone resumes it.
    Without a `profile`, one that enforces is taken.
    """

    snapshot: int | None = None
    scope: Scope = field(default_factory=Scope)
    way: str = Rollback.Way.EXEMPT
    until: datetime | None = None
    reason: str = ""
    profile: str = ""
    ways: Mapping[str, str] = field(default_factory=dict)


def foresee(group: Group, asked: Asked, *, at: datetime) -> Restoration:
    """What would be brought back, and what stands against it, with nothing done.

    Raises NothingToRestore, Snapshot.DoesNotExist, RollbackRefused.
    """
    keys = asked.scope.tenant_keys
    there = Tenant.objects.filter(group=group, key__in=keys).values_list("key", flat=True)
    if unknown := sorted(keys.difference(there)):
        raise RollbackRefused("tenants", f"There is no tenant {unknown[0]}.")
    if asked.scope.plan is not None:
        snapshot = restoring.before(asked.scope.plan)
    elif asked.snapshot is not None:
        snapshot = Snapshot.objects.select_related("group").get(group=group, number=asked.snapshot)
    else:
        raise RollbackRefused("snapshot", "Say which snapshot is wanted back, or before which plan.")
    return restoring.prepare(snapshot, asked.scope, at=at)


@transaction.atomic
def prepare(group: Group, asked: Asked, *, actor: Actor, at: datetime) -> Rollback:
    """Keep a rollback with its simulation, which the job `governance.jobs.run_simulation` works out.

    Raises what `foresee` does, ConfigurationError, and FlagOff while governance is off.
    """
    if not asked.reason.strip():
        raise RollbackRefused("reason", "Say why.")
    restoration = foresee(group, asked, at=at)
    ways = _ways(asked, restoration)
    until = _until(asked, ways, at)
    row = _drafted(group, asked, restoration, ways, until)
    row.created_by_name, row.created_at = actor.name, at
    what = _supposition(row, restoration, _profile(group, asked, restoration))
    row.simulation = simulation.request(group, what, at=at, actor=actor, title=title(row))
    row.save()
    data = {"snapshot": row.snapshot_number, "tenants": row.tenants, **_giving_way(row)}
    ledger.record(Action.ROLLBACK_PREPARED, subject=row, actor=actor, at=at, data=data)
    return row


@transaction.atomic
def apply(row: Rollback, *, actor: Actor, at: datetime) -> Plan | None:
    """Want the snapshot's state: what would undo it gives way, the baseline binds, its plan is drafted.

    All in one transaction. A plan that is taken back and still under way is cancelled by it, and so are the
    waiting tasks of others that would change in these tenants what is wanted back. Raises Outdated
    if the world isn't what the simulation was worked out from, TransitionError if it isn't ready or was
    applied, and FlagOff while governance is off.
    """
    group, comment = row.group, title(row)
    flags.require_governance(group)
    simulation.put_in_force(row.simulation, actor=actor, at=at, comment=comment)
    undone = row.of_plan
    if undone is not None and undone.status in _STOPPABLE:
        plans.cancel(undone, actor=actor, at=at)
    # Whatever still waits to change there what is wanted back would come after it.
    _name_under_way(row)
    withdrawals.give_way(group, _taken_back(row), f"{comment}."[:300], actor=actor, at=at)
    plan = plans.draft(group, policy_names=[row.name], at=at, actor=actor)
    if plan is not None:
        plan.title, plan.rolls_back = comment[:200], undone
        plan.save(update_fields=["title", "rolls_back"])
    simulation.conclude(row.simulation, plan, actor=actor, at=at, comment=comment)
    row.baseline = Policy.objects.get(group=group, name=row.name)
    row.save(update_fields=["baseline", "left_out"])
    data = {"rollback": row.number, "baseline": row.name, "tenants": row.tenants, **_giving_way(row)}
    snapshot = Snapshot.objects.get(group=group, number=row.snapshot_number)
    ledger.record(Action.SNAPSHOT_RESTORED, subject=snapshot, actor=actor, at=at, data=data)
    announcements.rolled_back(row, directory.told(row.group_id, (), at=at).owners, at=at)
    return plan


def title(row: Rollback) -> str:
    """What it does, in words."""
    before = f" from before {row.of_plan}" if row.of_plan else ""
    return f"{row}: taken back to snapshot {row.snapshot_number}{before}"


def given_way(row: Rollback, way: str | None = None) -> list[str]:
    """The names of the policies that give way, or of those that do so in this way."""
    return sorted({one["policy"] for one in row.policies if way in (None, one.get("way", row.way))})


def profiles_of(group: Group) -> list[str]:
    """The profiles that have tenants changed."""
    rows = Profile.objects.filter(group=group, mode=Mode.ENFORCE).order_by("name")
    return list(rows.values_list("name", flat=True))


def _taken_back(row: Rollback) -> set[Pair]:
    """The tenants and plugins that its baseline binds; one worked out before rules had tenants binds all."""
    rules = [rule for document in row.simulation.supposed["policies"] for rule in document["rules"]]
    return {
        (tenant, plugin)
        for rule in rules
        for tenant in rule.get("tenants", {}).get("keys", row.tenants)
        for plugin in rule["plugins"]
    }


def _name_under_way(row: Rollback) -> None:
    """Tell what the plan still changes as it is now: tasks go on while people look at the simulation."""
    if row.of_plan is not None:
        stays = [one for one in row.left_out if "plan" not in one]
        scope = Scope(plan=row.of_plan)
        row.left_out = stays + restoring.under_way(row.group, scope, _taken_back(row))


def _giving_way(row: Rollback) -> dict[str, Any]:
    return {
        "policies": given_way(row),
        "paused": given_way(row, Rollback.Way.PAUSE),
        "way": row.way,
        "until": row.until.isoformat(),
        "reason": row.reason,
    }


def _drafted(
    group: Group, asked: Asked, restoration: Restoration, ways: Mapping[str, str], until: datetime
) -> Rollback:
    """The next of the group, not yet stored."""
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # numbers come one after the other
    last = Rollback.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
    return Rollback(
        group=group,
        number=last + 1,
        snapshot_number=restoration.snapshot.number,
        of_plan=asked.scope.plan,
        way=_as_a_whole(asked, ways),
        until=until,
        reason=asked.reason,
        policies=[{**one.as_json(), "way": ways[one.rule.policy]} for one in restoration.opposing],
        left_out=restoration.left_out,
        tenants=restoration.tenants,
    )


def _ways(asked: Asked, restoration: Restoration) -> dict[str, str]:
    """How each policy that stands against it gives way."""
    found = {one.rule.policy: str(asked.way) for one in restoration.opposing}
    if idle := sorted(asked.ways.keys() - found.keys()):
        raise RollbackRefused("ways", f"{idle[0]} doesn’t stand against it, so it has no need to give way.")
    return {**found, **asked.ways}


def _as_a_whole(asked: Asked, ways: Mapping[str, str]) -> str:
    found = set(ways.values()) or {asked.way}
    return found.pop() if len(found) == 1 else Rollback.Way.MIXED


def _until(asked: Asked, ways: Mapping[str, str], at: datetime) -> datetime:
    """Until when it binds: for a year where nothing but pauses makes way for it."""
    if set(ways.values() or [asked.way]) == {Rollback.Way.PAUSE}:
        return at + LONGEST
    until = asked.until or at + USUAL
    if not at < until <= at + LONGEST:
        raise RollbackRefused("until", "Exemptions end in the future, within a year.")
    return until


def _profile(group: Group, asked: Asked, restoration: Restoration) -> str:
    """The profile by which tenants are taken back: as asked for, else that of what changed them."""
    enforcing = profiles_of(group)
    if asked.profile and asked.profile not in enforcing:
        raise RollbackRefused("profile", f"There is no profile {asked.profile} that enforces.")
    if not enforcing:
        raise RollbackRefused("profile", "No profile enforces, so nothing could take the tenants back.")
    near = [entry["policy"] for entry in asked.scope.plan.policy_versions] if asked.scope.plan else []
    near += [asked.scope.policy.name] if asked.scope.policy else []
    near += [one.rule.policy for one in restoration.opposing]
    rows = Policy.objects.filter(group=group, name__in=near, current__profile_name__in=enforcing)
    used = dict(rows.values_list("name", "current__profile_name"))
    return asked.profile or next((used[name] for name in near if name in used), enforcing[0])


def _supposition(row: Rollback, restoration: Restoration, profile: str) -> Supposition:
    """The baseline that wants the tenants back, and what lets it have its way."""
    stopped = given_way(row, Rollback.Way.PAUSE)
    active = Policy.objects.filter(group=row.group, name__in=stopped, status=Policy.Status.ACTIVE)
    baseline = {
        "kind": Policy.Kind.BASELINE.value,
        "name": row.name,
        "title": title(row)[:200],
        "profile": profile,
        "tenants": {"keys": row.tenants},
        "effective_until": row.until.isoformat(),
        "deny": [],  # what ran then may have been warned of since; that is known, and wanted all the same
        "rules": restoration.rules,
    }
    return Supposition(
        policies=[baseline],
        exemptions=list(_exemptions(row, restoration)),
        acting=[row.name],
        paused=list(active.values_list("name", flat=True)),
    )


def _exemptions(row: Rollback, restoration: Restoration) -> Iterator[dict[str, Any]]:
    """From each rule that would undo it, as narrow as can be: even a paused one binds what acts."""
    pairs = [(one.rule, tenant, plugin) for one in restoration.opposing for tenant, plugin in one.pairs]
    for place, (rule, tenant, plugin) in enumerate(pairs, start=1):
        yield {
            "name": f"{row.name}-{place}",
            "tenant": tenant,
            "policy": rule.policy,
            "rule": rule.key,
            "plugin": plugin,
            "reason": f"{title(row)}. {row.reason}",
            "until": row.until.isoformat(),
        }
