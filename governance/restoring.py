"""What takes tenants back to a snapshot: the versions that they had, as the rules of a baseline.

It reads and doesn't write: a rollback keeps it, simulates it and puts it in force.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from governance import opposition, policy_documents, snapshots
from governance.models import (
    Installation,
    Manifest,
    Plan,
    Plugin,
    Policy,
    Release,
    SelectionTenant,
    Snapshot,
    UpgradeTask,
)
from governance.models.plan import UNDER_WAY
from governance.models.rule import RuleKind
from governance.opposition import Opposing, Pair, Versions
from tenants.models import Group, Tenant

_REMOVED = None  # the version of a plugin that isn't there
_IN_HAND = [*UNDER_WAY, UpgradeTask.Status.MANUAL]
_NAMED = 5  # tenants in a sentence


class NothingToRestore(Exception):
    """Everything that is asked about is as it was in that snapshot, or can't be brought back."""

    def __init__(self, number: int, left_out: Collection[Mapping[str, str]] = ()) -> None:
        self.left_out = list(left_out)
        why = "; ".join(f"{one['plugin']} in {one['tenant']}: {one['reason']}" for one in self.left_out[:5])
        told = f"Everything asked about is as it was in snapshot {number}; nothing to restore."
        super().__init__(f"Nothing of snapshot {number} can be brought back. {why}" if why else told)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is taken back: all that differs, or only this of it. `plan` stands for what that plan changed."""

    tenant_keys: frozenset[str] = frozenset()
    policy: Policy | None = None
    plan: Plan | None = None


@dataclass(frozen=True, slots=True)
class Restoration:
    """What brings the tenants back. `wanted` are the versions that change, `rules` what a baseline says.

    `opposing` are the rules that would undo it; `left_out` what isn't brought back, with the reason.
    """

    snapshot: Snapshot
    wanted: Versions
    rules: list[dict[str, Any]]
    opposing: list[Opposing]
    left_out: list[dict[str, str]] = field(default_factory=list)

    @property
    def tenants(self) -> list[str]:
        """The keys of the tenants that change."""
        return sorted({tenant for tenant, _ in self.wanted})


def prepare(snapshot: Snapshot, scope: Scope, *, at: datetime) -> Restoration:
    """What would take the group back to the snapshot. Raises NothingToRestore."""
    then = _changed(snapshot, scope)
    left_out = _not_known(snapshot, then) | _not_there(snapshot, then) | _not_offered(snapshot.group, then)
    wanted = {pair: version for pair, version in then.items() if pair not in left_out}
    opposing = opposition.opposing(snapshot.group, wanted, at=at)
    held = _held(opposing)
    wanted = {pair: version for pair, version in wanted.items() if pair not in held}
    told = [
        {"tenant": tenant, "plugin": plugin, "reason": reason}
        for (tenant, plugin), reason in sorted((left_out | held).items())
    ]
    told += under_way(snapshot.group, scope, then)
    if not wanted:
        raise NothingToRestore(snapshot.number, told)
    return Restoration(
        snapshot,
        wanted,
        rules=rules(wanted, _installed(snapshot.group, wanted)),
        opposing=_without(opposing, held),
        left_out=told,
    )


def before(plan: Plan) -> Snapshot:
    """The snapshot from before the plan. Raises Snapshot.DoesNotExist if there was none."""
    return Snapshot.objects.select_related("group").get(group=plan.group_id, number=plan.snapshot_number)


def under_way(group: Group, scope: Scope, besides: Collection[Pair]) -> list[dict[str, str]]:
    """What upgrade tasks may still change, which comes too late to be taken back, but for these pairs."""
    tasks = UpgradeTask.objects.filter(group=group, status__in=_IN_HAND).select_related("plan", "tenant")
    if scope.tenant_keys:
        tasks = tasks.filter(tenant__key__in=scope.tenant_keys)
    if scope.plan is not None:
        tasks = tasks.filter(plan=scope.plan)
    return [
        {
            "tenant": task.tenant.key,
            "plugin": step["plugin"],
            "reason": f"{task.plan} is under way there; roll back once more when it is done",
            "plan": str(task.plan),
        }
        for task in tasks.order_by("tenant__key")
        for step in task.steps
        if (task.tenant.key, step["plugin"]) not in besides and _concerns(step, scope.policy)
    ]


def under_way_in_words(left_out: Collection[Mapping[str, str]]) -> str:
    """Which tenants a rollback doesn't reach since an upgrade task is under way; empty if there are none."""
    tenants = sorted({one["tenant"] for one in left_out if "plan" in one})
    if not tenants:
        return ""
    more = f" and {len(tenants) - _NAMED} more" if len(tenants) > _NAMED else ""
    many, done = ("tenant is", "it is") if len(tenants) == 1 else ("tenants are", "they are")
    return (
        f"{len(tenants)} {many} under way, and what still changes there is not part of it: "
        f"{', '.join(tenants[:_NAMED])}{more}. Roll back once more when {done} done."
    )


def _concerns(step: Mapping[str, Any], policy: Policy | None) -> bool:
    wanted_by = {rule.split("/")[0] for rule in step.get("wanted_by", ())}
    return policy is None or policy.name in wanted_by


def _changed(snapshot: Snapshot, scope: Scope) -> dict[Pair, str | None]:
    """What differs now, with the version that it had then."""
    group = snapshot.group
    rows = snapshots.compare(group.pk, snapshot.number, _open_number(group)).filter(tenant__active=True)
    if scope.tenant_keys:
        rows = rows.filter(tenant__key__in=scope.tenant_keys)
    if scope.policy is not None:
        rows = rows.filter(_about(scope.policy))
    found = {
        (tenant, plugin): version
        for tenant, plugin, version in rows.values_list("tenant__key", "plugin__name", "from_version")
    }
    if scope.plan is None:
        return found
    steps = _steps(scope.plan)
    return {pair: version for pair, version in found.items() if pair in steps}


def _open_number(group: Group) -> int:
    return Group.objects.values_list("open_snapshot", flat=True).get(pk=group.pk)


def _about(policy: Policy) -> Q:
    """What the policy's rules speak of."""
    rules = policy.rules.filter(version=policy.current)
    members = SelectionTenant.objects.filter(selection__in=rules.values("selection"))
    tenants = Q(tenant__in=members.values("tenant"))
    named: set[int] = set()
    for plugins in rules.values_list("plugins", flat=True):
        if not plugins:
            return tenants & Q(plugin__is_host=False)
        named |= set(plugins)
    return tenants & Q(plugin__in=named)


def _steps(plan: Plan) -> set[Pair]:
    """What the plan changed, or may have: what was handed over, or done by hand."""
    begun = plan.tasks.filter(Q(dispatched_at__isnull=False) | Q(corrected_at__isnull=False))
    rows = begun.values_list("tenant__key", "steps")
    return {(tenant, step["plugin"]) for tenant, steps in rows for step in steps}


def _not_there(snapshot: Snapshot, then: Versions) -> dict[Pair, str]:
    """Tenants that came later had nothing to go back to."""
    rows = Installation.objects.filter(group=snapshot.group_id, tenant__key__in={t for t, _ in then})
    there = set(rows.at(snapshot.number).order_by().values_list("tenant__key", flat=True).distinct())
    told = f"the tenant wasn’t in snapshot {snapshot.number} yet"
    return {pair: told for pair in then if pair[0] not in there}


def _not_known(snapshot: Snapshot, then: Versions) -> dict[Pair, str]:
    """Plugins that nobody named then, and that may have been there all the same: they aren’t removed."""
    gone = {pair for pair, version in then.items() if version is _REMOVED}
    hosts = set(Plugin.objects.filter(group=snapshot.group_id, is_host=True).values_list("name", flat=True))
    stated = Manifest.objects.filter(group=snapshot.group_id, tenant__key__in={tenant for tenant, _ in gone})
    newest = stated.filter(observed_at__lte=snapshot.sealed_at).order_by(
        "tenant_id", "-observed_at", "-inventory_id"
    )
    rows = newest.distinct("tenant_id").values_list("tenant__key", "complete")
    unsure = {tenant for tenant, complete in rows if not complete}
    told = f"what the tenant told before snapshot {snapshot.number} doesn’t say whether it was there"
    return {pair: told for pair in gone if pair[0] in unsure or pair[1] in hosts}


def _not_offered(group: Group, then: Versions) -> dict[Pair, str]:
    """Releases that nobody should be taken to."""
    plugins = {plugin for _, plugin in then}
    rows = Release.objects.filter(group=group, plugin__name__in=plugins)
    bad = rows.filter(Q(withdrawn=True) | Q(catalogued=False))
    reasons = {
        (plugin, version): f"{version} was withdrawn" if withdrawn else f"{version} isn’t in the catalogue"
        for plugin, version, withdrawn in bad.values_list("plugin__name", "version", "withdrawn")
    }
    found = {pair: reasons.get((pair[1], version)) for pair, version in then.items() if version is not None}
    return {pair: reason for pair, reason in found.items() if reason is not None}


def _held(opposing: Collection[Opposing]) -> dict[Pair, str]:
    """What holds keep: an order not to change is ended by a person, not got round."""
    holding = [one for one in opposing if one.rule.kind == RuleKind.HOLD]
    return {
        pair: f"{one.rule.policy} {one.says[pair[1]]}; end the hold first"
        for one in holding
        for pair in one.pairs
    }


def _without(opposing: Collection[Opposing], held: Collection[Pair]) -> list[Opposing]:
    left = [
        Opposing(one.rule, one.says, [pair for pair in one.pairs if pair not in held])
        for one in opposing
        if one.rule.kind != RuleKind.HOLD
    ]
    return [one for one in left if one.pairs]


def _installed(group: Group, wanted: Versions) -> dict[Pair, str]:
    """What the tenants run of the plugins now."""
    tenants = Tenant.objects.filter(group=group, key__in={tenant for tenant, _ in wanted})
    rows = Installation.objects.filter(group=group, tenant__in=tenants)
    rows = rows.current().filter(plugin__name__in={plugin for _, plugin in wanted})
    return {
        (tenant, plugin): version
        for tenant, plugin, version in rows.values_list("tenant__key", "plugin__name", "release__version")
    }


def rules(wanted: Versions, now: Mapping[Pair, str]) -> list[dict[str, Any]]:
    """Of each plugin, what most are to have, with variants for the others, just where it goes back."""
    tenants = {tenant for tenant, _ in wanted}
    goals: dict[str, dict[str, str | None]] = defaultdict(dict)
    for (tenant, plugin), version in wanted.items():
        goals[plugin][tenant] = version
    found: list[dict[str, Any]] = []
    for plugin, goal in sorted(goals.items()):
        missing = {tenant for tenant, version in goal.items() if version and (tenant, plugin) not in now}
        for ending, bound, wish in (
            ("", goal.keys(), _pinned(goal)),
            ("-there", missing, {"present": True, "severity": "high"}),
        ):
            if bound:
                key = policy_documents.free_key(f"{plugin}{ending}", {rule["name"] for rule in found})
                found.append({"name": key, "plugins": [plugin], **_only(bound, tenants), **wish})
    return found


def _only(bound: Collection[str], tenants: Collection[str]) -> dict[str, Any]:
    """Which of the baseline's tenants a rule binds."""
    return {} if len(bound) == len(tenants) else {"tenants": {"keys": sorted(bound)}}


def _pinned(goal: Mapping[str, str | None]) -> dict[str, Any]:
    groups: dict[str | None, list[str]] = defaultdict(list)
    for tenant, version in sorted(goal.items()):
        groups[version].append(tenant)
    most = Counter({version: len(keys) for version, keys in groups.items()}).most_common(1)[0][0]
    variants = [
        {"name": f"v{place}", "tenants": {"keys": keys}, **_had(version)}
        for place, (version, keys) in enumerate(sorted(groups.items(), key=str), start=1)
        if version != most
    ]
    rule = {**_had(most), "severity": "high"}
    return rule | ({"variants": variants} if variants else {})


def _had(version: str | None) -> dict[str, Any]:
    return {"absent": True} if version is None else {"exactly": version}
