"""How things stand under a set of rules, and what tells two such states apart."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from governance import decisions, standing
from governance.models import Plugin, Release, Rule
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.violations import violations_query
from tenants.models import Group, Tenant

EXAMPLES = 500  # findings that a simulation keeps one by one; all are counted

# A finding's identity (tenant, plugin, policy, rule), as findings have it too.
Identity = tuple[int, int, str, str]


@dataclass(frozen=True, slots=True)
class State:
    """What breaks the rules (with the release that does), what of it is exempt, and what would be done."""

    drift: Mapping[Identity, int | None]
    accepted: frozenset[Identity]
    outcomes: Mapping[int, TenantOutcome]


@dataclass(frozen=True, slots=True)
class Names:
    """Ids in words."""

    tenants: Mapping[int, str]
    plugins: Mapping[int, str]
    releases: Mapping[int, str]


def weigh(group: Group, *, at: datetime) -> State:
    """How things stand now under the rules in force, by the real queries and the real decisions."""
    in_force = list(Rule.objects.filter(group=group).in_force(at).values_list("pk", "policy__name", "key"))
    rules = {pk: (policy, key) for pk, policy, key in in_force}
    query = violations_query(list(rules), None, at, group_id=group.pk)
    drift: dict[Identity, int | None] = {}
    accepted: set[Identity] = set()
    with connection.cursor() as cursor:
        cursor.execute(query.text, query.parameters)
        for tenant, plugin, rule, release, exemption in cursor.fetchall():
            identity = (tenant, plugin, *rules[rule])
            if exemption is None:
                drift[identity] = release
            else:
                accepted.add(identity)
    inputs = decisions.current_inputs(group, at=at)
    outcomes = evaluate_outcomes(inputs, standing.precedents(group.pk))
    return State(drift, frozenset(accepted), outcomes)


def figures(group: Group, state: State) -> dict[str, Any]:
    """The counts of a state."""
    tenants = Tenant.objects.filter(group=group, active=True).count()
    drifting = len({identity[0] for identity in state.drift})
    undecided = sum(1 for result in state.outcomes.values() if result.outcome.unsettled)
    return {
        "drift": len(state.drift),
        "accepted": len(state.accepted),
        "tenants": tenants,
        "drifting_tenants": drifting,
        "compliant_tenants": tenants - drifting,
        "tenants_needing_decision": undecided,
        "changes": sum(len(result.outcome.changes) for result in state.outcomes.values()),
        "by_policy": dict(sorted(Counter(policy for _, _, policy, _ in state.drift).items())),
    }


def difference(before: State, after: State, names: Names) -> dict[str, Any]:
    """What drift comes and goes."""
    opened = sorted(after.drift.keys() - before.drift.keys())
    closed = sorted(before.drift.keys() - after.drift.keys())
    examples = [
        *_examples("opened", opened, after.drift, names),
        *_examples("closed", closed, before.drift, names),
    ]
    by_policy: dict[str, dict[str, int]] = defaultdict(lambda: {"opened": 0, "closed": 0})
    by_plugin: dict[str, dict[str, int]] = defaultdict(lambda: {"opened": 0, "closed": 0})
    for word, identities in (("opened", opened), ("closed", closed)):
        for _, plugin, policy, _ in identities:
            by_policy[policy][word] += 1
            by_plugin[names.plugins[plugin]][word] += 1
    return {
        "changed": bool(opened or closed) or _acts(before) != _acts(after),
        "opened": len(opened),
        "closed": len(closed),
        "by_policy": dict(sorted(by_policy.items())),
        "by_plugin": dict(sorted(by_plugin.items())),
        "findings": examples[:EXAMPLES],
        "findings_left_out": max(0, len(examples) - EXAMPLES),
    }


def actions(state: State, names: Names) -> list[dict[str, Any]]:
    """What would be done, alike changes of several tenants together, the most tenants first."""
    alike: dict[tuple[str, str | None, str | None, str], set[int]] = defaultdict(set)
    for tenant, result in state.outcomes.items():
        for change in result.outcome.changes:
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


def conflicts(before: State, after: State, names: Names) -> list[dict[str, Any]]:
    """What would need a decision; `new` if it doesn't already."""
    known = {one.fingerprint for result in before.outcomes.values() for one in result.outcome.unsettled}
    touched: dict[str, set[int]] = defaultdict(set)
    found = {}
    for tenant, result in after.outcomes.items():
        for one in result.outcome.unsettled:
            found[one.fingerprint] = one
            touched[one.fingerprint].add(tenant)
    return [
        {
            "fingerprint": fingerprint,
            "new": fingerprint not in known,
            "plugin": names.plugins[one.component],
            **standing.explanation(one, names.plugins),
            "ways_out": standing.ways_out(one, names.plugins),
            "tenants": sorted(names.tenants[tenant] for tenant in touched[fingerprint]),
        }
        for fingerprint, one in sorted(found.items(), key=lambda item: (-len(touched[item[0]]), item[0]))
    ]


def names_of(group: Group, *states: State) -> Names:
    """The words for what the states speak of."""
    releases: set[int] = {release for state in states for release in state.drift.values() if release}
    return Names(
        tenants=dict(Tenant.objects.filter(group=group).values_list("pk", "key")),
        plugins=dict(Plugin.objects.filter(group=group).values_list("pk", "name")),
        releases=dict(Release.objects.filter(pk__in=releases).values_list("pk", "version")),
    )


def _acts(state: State) -> dict[int, Collection[Any]]:
    """By tenant, where to and what can't be done: what the simulation is about."""
    return {
        tenant: (
            frozenset((c.component, c.after.id if c.after else None) for c in result.outcome.changes),
            frozenset(one.fingerprint for one in result.outcome.unsettled),
        )
        for tenant, result in state.outcomes.items()
    }


def _examples(
    word: str, identities: Iterable[Identity], drift: Mapping[Identity, int | None], names: Names
) -> list[dict[str, Any]]:
    return [
        {
            "kind": word,
            "tenant": names.tenants[identity[0]],
            "plugin": names.plugins[identity[1]],
            "version": names.releases.get(drift[identity] or 0),
            "policy": identity[2],
            "rule": identity[3],
        }
        for identity in identities
    ]
