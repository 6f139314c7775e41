"""What would be decided about tenants, and what tells two such judgements apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from governance import conflict_wording, drafting, standing
from governance.models import Plugin
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.resolution import Change, Rule, Unsettled
from governance.sighting import Sighting
from governance.simulation.weighing import Scene
from governance.situations import Inputs
from governance.stock import Stock
from tenants.models import Tenant

ORDERED = 20  # kinds of tenants whose changes are put in order; a plan puts all of them


@dataclass(frozen=True, slots=True)
class Judgement:
    """About one tenant: the changes that would set it right, those of them that policies make, conflicts."""

    changes: tuple[Change, ...] = ()
    actions: tuple[Change, ...] = ()
    conflicts: tuple[Unsettled, ...] = ()
    decided: TenantOutcome | None = field(default=None, compare=False)  # what the actions come from
    whole: TenantOutcome | None = field(default=None, compare=False)  # what all else comes from

    @property
    def advised(self) -> tuple[Change, ...]:
        """What nothing but the tenant's own people would do."""
        done = {_goal(change) for change in self.actions}
        return tuple(change for change in self.changes if _goal(change) not in done)

    def says(self) -> tuple[frozenset[Any], ...]:
        """Where to and what can't be done: two judgements that say the same make no difference."""
        return (
            frozenset(map(_goal, self.changes)),
            frozenset(map(_goal, self.actions)),
            frozenset(one.fingerprint for one in self.conflicts),
        )


Judgements = Mapping[int, Judgement]


def judge(scene: Scene, tenant_ids: Collection[int], stock: Stock) -> Judgements:
    """Decide about those of the tenants in which something breaks a rule, by the real decisions."""
    inputs = drafting.acting_inputs(
        scene.group, policy_names=scene.acting, tenant_ids=tenant_ids, at=scene.at, stock=stock
    )
    seen = Sighting(scene.group.pk, scene.at, inputs.rules, scene.snapshot, kept=True)
    inputs = replace(inputs, snapshot=scene.snapshot, sighting=seen)
    precedents = standing.precedents(scene.group.pk)
    # Asked of all rules, as evaluation asks; then of those that act alone, as a plan does, where it matters.
    whole = evaluate_outcomes(replace(inputs, acting=None, why=True), precedents)
    acting = _acting(inputs)
    mixed = frozenset(tenant for tenant, result in whole.items() if not _acts_wholly(result, acting))
    planned = evaluate_outcomes(replace(inputs, tenant_ids=mixed), precedents) if mixed else {}
    return {
        tenant: Judgement(
            changes=result.outcome.changes,
            actions=_changes(planned.get(tenant)) if tenant in mixed else result.outcome.changes,
            conflicts=result.outcome.unsettled,
            decided=planned.get(tenant) if tenant in mixed else result,
            whole=result,
        )
        for tenant, result in whole.items()
    }


def _acting(inputs: Inputs) -> frozenset[Rule]:
    """The rules that act, in all of their variants."""
    lazy = {rule.id for rule in inputs.rules} - (inputs.acting or frozenset())
    names = {(rule.policy, rule.key) for rule in inputs.rules}
    return frozenset(names - {(rule.policy, rule.key) for rule in inputs.rules if rule.id in lazy})


def _acts_wholly(result: TenantOutcome, acting: frozenset[Rule]) -> bool:
    """Whether all rules of the tenant's situation act: then a plan asks the very same question."""
    return not result.decided and {binding.rule for binding in result.bindings} <= acting


def _changes(result: TenantOutcome | None) -> tuple[Change, ...]:
    return result.outcome.changes if result else ()


def _goal(change: Change) -> tuple[int, int | None]:
    return change.component, change.after.id if change.after else None


@dataclass(frozen=True, slots=True)
class Names:
    """Ids in words."""

    tenants: Mapping[int, str]
    plugins: Mapping[int, str]


def names_of(scene: Scene) -> Names:
    """The words for what judgements speak of, supposed plugins among it."""
    return Names(
        tenants=dict(Tenant.objects.filter(group=scene.group).values_list("pk", "key")),
        plugins=dict(Plugin.objects.filter(group=scene.group).values_list("pk", "name")),
    )


def figures(judgements: Judgements) -> dict[str, int]:
    """The counts of what was judged."""
    return {
        "tenants_needing_decision": sum(1 for one in judgements.values() if one.conflicts),
        "conflicts": len({c.fingerprint for one in judgements.values() for c in one.conflicts}),
        "changes": sum(len(one.changes) for one in judgements.values()),
        "actions": sum(len(one.actions) for one in judgements.values()),
    }


def differing(before: Judgements, after: Judgements) -> frozenset[int]:
    """The tenants about which something else is decided."""
    none = Judgement()
    tenants = before.keys() | after.keys()
    return frozenset(t for t in tenants if before.get(t, none).says() != after.get(t, none).says())


def plugins_moved(before: Judgements, after: Judgements) -> frozenset[int]:
    """The plugins that change otherwise in some tenant."""
    none = Judgement()
    return frozenset(
        component
        for tenant in differing(before, after)
        for component, _ in {_goal(change) for change in before.get(tenant, none).changes}
        ^ {_goal(change) for change in after.get(tenant, none).changes}
    )


def told_changes(changes: Mapping[int, Iterable[Change]], names: Names) -> list[dict[str, Any]]:
    """Alike changes of several tenants together, the most tenants first."""
    alike: dict[tuple[str, str | None, str | None, str], set[int]] = defaultdict(set)
    for tenant, some in changes.items():
        for change in some:
            before = change.before.version if change.before else None
            after = change.after.version if change.after else None
            alike[names.plugins[change.component], before, after, change.because].add(tenant)
    rows = sorted(alike.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return [
        {
            "plugin": plugin,
            "from": before,
            "to": after,
            "because": because,
            "tenants": sorted(names.tenants[tenant] for tenant in tenants),
        }
        for (plugin, before, after, because), tenants in rows
    ]


def told_order(judgements: Judgements, names: Names) -> list[dict[str, Any]]:
    """What policies would do in the order in which it can be done, of the kinds with the most tenants."""
    alike: dict[int, tuple[TenantOutcome, list[int]]] = {}
    for tenant, one in judgements.items():
        if one.actions and one.decided is not None:
            alike.setdefault(id(one.decided), (one.decided, []))[1].append(tenant)
    most = sorted(alike.values(), key=lambda kind: (-len(kind[1]), min(names.tenants[t] for t in kind[1])))
    return [
        {
            "tenants": sorted(names.tenants[tenant] for tenant in tenants),
            "steps": [_step(change, names) for change in result.changes_in_order],
        }
        for result, tenants in most[:ORDERED]
    ]


def _step(change: Change, names: Names) -> dict[str, Any]:
    return {
        "plugin": names.plugins[change.component],
        "from": change.before.version if change.before else None,
        "to": change.after.version if change.after else None,
    }


def told_conflicts(judgements: Judgements, besides: Judgements, names: Names) -> list[dict[str, Any]]:
    """What would need a decision, the most tenants first; `new` where nothing of it is stuck in the others.

    Where what is stuck is stuck there too, by other rules, it is `changed`. Told apart by tenant: the tenants
    that aren't judged may have the same conflict before and after.
    """
    touched: dict[str, dict[int, Unsettled]] = defaultdict(dict)
    fresh: dict[str, set[int]] = defaultdict(set)
    changed: dict[str, set[int]] = defaultdict(set)
    for tenant, judgement in judgements.items():
        others = besides.get(tenant, Judgement()).conflicts
        stuck = {component for other in others for component in other.stuck}
        known = {other.fingerprint for other in others}
        for one in judgement.conflicts:
            touched[one.fingerprint][tenant] = one
            if one.fingerprint not in known:
                (fresh if stuck.isdisjoint(one.stuck) else changed)[one.fingerprint].add(tenant)
    ordered = sorted(touched.items(), key=lambda item: (-len(item[1]), item[0]))
    return [_told_conflict(tenants, fresh[key], changed[key], names) for key, tenants in ordered]


def _told_conflict(
    tenants: Mapping[int, Unsettled], fresh: Collection[int], changed: Collection[int], names: Names
) -> dict[str, Any]:
    by_key = {names.tenants[tenant]: one for tenant, one in sorted(tenants.items())}
    one = conflict_wording.in_common(list({id(one): one for one in by_key.values()}.values()))
    leads = {id(there): conflict_wording.goes(there, names.plugins) for there in by_key.values()}
    goes = {key: leads[id(there)] for key, there in by_key.items()}
    return {
        "fingerprint": one.fingerprint,
        "new": bool(fresh),
        "changed": bool(changed),
        "plugin": names.plugins[one.component],
        **conflict_wording.explanation(one, names.plugins),
        "ways_out": conflict_wording.told(conflict_wording.ways_out(one, names.plugins), goes),
        "tenants": sorted(by_key),
        "new_tenants": sorted(names.tenants[tenant] for tenant in fresh),
        "changed_tenants": sorted(names.tenants[tenant] for tenant in changed),
    }


def told_solved(before: Judgements, after: Judgements, names: Names) -> list[dict[str, Any]]:
    """What would no longer need a decision, with the tenants in which that is so."""
    gone = told_conflicts(before, after, names)
    return [
        {**one, "new": False, "changed": False, "tenants": one["new_tenants"], "new_tenants": []}
        for one in gone
        if one["new"]
    ]
