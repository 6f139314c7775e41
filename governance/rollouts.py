"""In which order tenants follow and how many at once: what the profiles of the acting policies say."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from governance import profiles, selections
from governance.drafting import TaskDraft
from governance.limits import Limits, strictest
from governance.models import Plan, Policy
from governance.profiles import Ring, Settings
from governance.selections import TenantFacts
from governance.urgency import Reason
from tenants.models import Group, Tenant


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan is bound to while it runs."""

    limits: Limits
    failure_budget: int  # percent of a ring's tasks
    needs_approval: bool


def arrange(group: Group, drafts: Sequence[TaskDraft]) -> list[TaskDraft]:
    """The tasks with the order and the waits of their rings, as many as the limits allow, the first first.

    Where several policies want something of a tenant, the most cautious of them counts.
    """
    said = _settings(group, {name for draft in drafts for name in _wanted_by(draft)})
    tenants = _tenants(draft.tenant_id for draft in drafts)
    placed = [_place(draft, tenants[draft.tenant_id], said) for draft in drafts]
    placed.sort(key=lambda draft: (draft.ring, -draft.priority, draft.tenant_id))
    kept = _within_limits(placed, said)
    numbers = {ring: number for number, ring in enumerate(sorted({draft.ring for draft in kept}))}
    return [replace(draft, ring=numbers[draft.ring]) for draft in kept]


def terms(group: Group, policies: Iterable[str]) -> Terms:
    """What a plan of these policies is bound to; the most cautious of them counts."""
    said = list(_settings(group, policies).values())
    return Terms(
        limits=strictest(each.limits for each in said),
        needs_approval=any(each.needs_approval for each in said),
        failure_budget=min((each.failure_budget for each in said), default=100),
    )


def limits(group: Group, policy_names: Iterable[str]) -> dict[str, int]:
    """How many tasks of a policy a plan may have at most, of those policies that set a limit."""
    said = _settings(group, policy_names)
    return {name: one.tasks_per_plan for name, one in said.items() if one.tasks_per_plan is not None}


def starts_by_itself(plan: Plan) -> bool:
    """Whether all the plan's policies let a run start it."""
    names = [entry["policy"] for entry in plan.policy_versions]
    return all(each.starts_by_itself for each in _settings(plan.group, names).values())


def _place(draft: TaskDraft, tenant: TenantFacts, said: Mapping[str, Settings]) -> TaskDraft:
    wanting = [said[policy] for policy in sorted(_wanted_by(draft))]
    spots = [_spot(each.rings, tenant) for each in wanting if each.rings]
    from_last, ring = min(spots, key=lambda spot: spot[0], default=(0, None))
    return replace(
        draft,
        reasons=draft.reasons + _tier(tenant, wanting),
        ring=-from_last,
        ring_name=ring.name if ring else "",
        ring_wait=max((ring.wait for _, ring in spots), default=timedelta()),
        retry_delays=_delays(wanting),
    )


def _tier(tenant: TenantFacts, wanting: Iterable[Settings]) -> tuple[Reason, ...]:
    """What the tenant's tier counts, by the profile that gives it most."""
    points = max((each.tiers.get(tenant.tier, 0) for each in wanting), default=0)
    return (Reason(points, f"tenants of tier {tenant.tier}"),) if points else ()


def _delays(wanting: Iterable[Settings]) -> tuple[timedelta, ...]:
    """As many attempts as all of them allow, each after the longest of their delays."""
    return tuple(max(delays) for delays in zip(*(each.retry_delays for each in wanting), strict=False))


def _spot(rings: Sequence[Ring], tenant: TenantFacts) -> tuple[int, Ring]:
    """The first ring that selects the tenant, and how many follow it; the last one where none selects it."""
    last = len(rings) - 1
    index = next((index for index, ring in enumerate(rings) if _selects(ring, tenant)), last)
    return last - index, rings[index]


def _selects(ring: Ring, tenant: TenantFacts) -> bool:
    """By its selector, and of those the share that always consists of the same tenants."""
    if not selections.matches(ring.tenants, tenant):
        return False
    return ring.share is None or share_of(tenant.key) < ring.share


def share_of(key: str) -> int:
    """From 0 to 99: which share of all tenants the one of this key falls into, evenly and for good."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % 100


def _within_limits(drafts: Iterable[TaskDraft], said: Mapping[str, Settings]) -> list[TaskDraft]:
    taken: Counter[str] = Counter()
    kept: list[TaskDraft] = []
    for draft in drafts:
        limits = {name: said[name].tasks_per_plan for name in _wanted_by(draft)}
        if any(limit is not None and taken[name] >= limit for name, limit in limits.items()):
            continue
        taken.update(limits.keys())
        kept.append(draft)
    return kept


def _wanted_by(draft: TaskDraft) -> set[str]:
    return {rule.split("/")[0] for step in draft.steps for rule in step["wanted_by"]}


def _settings(group: Group, names: Iterable[str]) -> dict[str, Settings]:
    rows = Policy.objects.filter(group=group, name__in=list(names), current__isnull=False)
    return {
        policy.name: profiles.settings(policy.current.profile)
        for policy in rows.select_related("current")
        if policy.current is not None
    }


def _tenants(ids: Iterable[int]) -> dict[int, TenantFacts]:
    rows = Tenant.objects.filter(pk__in=list(ids)).values_list("pk", "key", "tier", "labels", "active")
    return {row[0]: TenantFacts(*row) for row in rows}
