"""What the tasks of a plan would be: which tenants change, in which steps, how urgently."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from governance import decisions, staging, standing, urgency
from governance.models import Plan, UpgradeTask
from governance.models.plan import NOT_STARTED
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.resolution import Change
from governance.situations import Inputs
from governance.stock import Stock, lent
from governance.urgency import Reason
from tenants.models import Group, Tenant

_FAILED = (UpgradeTask.Status.GIVEN_UP, UpgradeTask.Status.VERIFY_FAILED)


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """One tenant's part of a plan. `situation` is the digest of what it was decided from."""

    tenant_id: int
    steps: list[dict[str, Any]]
    situation: str
    due_at: datetime | None
    reasons: tuple[Reason, ...]  # for its priority
    ring: int = 0
    ring_name: str = ""
    ring_wait: timedelta = timedelta()  # after the success of the rings before
    retry_delays: tuple[timedelta, ...] = ()

    @property
    def priority(self) -> int:
        """Its points in all."""
        return urgency.priority(self.reasons)


@dataclass(frozen=True, slots=True)
class _Drift:
    """The drift behind a tenant's changes: when the first is due, how severe all are, how many warned of."""

    due_at: datetime | None = None
    severities: Sequence[str] = ()
    warnings: int = 0


def acting_inputs(
    group: Group,
    *,
    policy_names: Collection[str],
    tenant_ids: Collection[int] | None,
    at: datetime,
    stock: Stock | None = None,
) -> Inputs:
    """The current state, with only those rules to be acted on that enforce and aren't paused.

    With names, only of these policies. The others bind all the same: what changes never breaks them anew.
    """
    inputs = decisions.current_inputs(group, at=at, tenant_ids=tenant_ids, stock=stock)
    acting = (rule for rule in inputs.rules if rule.acts)
    named = (rule.id for rule in acting if not policy_names or rule.policy in policy_names)
    return replace(inputs, acting=frozenset(named), why=False)


def situation_digests(
    group: Group, *, policy_names: Collection[str], tenant_ids: Collection[int], at: datetime
) -> dict[int, str]:
    """By tenant, what the situation's digest is by now; tenants with nothing to do are missing."""
    inputs = acting_inputs(group, policy_names=policy_names, tenant_ids=tenant_ids, at=at)
    outcomes = evaluate_outcomes(inputs, standing.precedents(group.pk))
    return {tenant_id: result.digest for tenant_id, result in outcomes.items()}


def moved(plan: Plan, tasks: Iterable[UpgradeTask], *, at: datetime) -> set[int]:
    """The tenants of these of the plan's tasks whose situation isn't what it was when it was drafted."""
    then = {task.tenant_id: task.situation_digest for task in tasks}
    now = situation_digests(
        plan.group,
        policy_names=[entry["policy"] for entry in plan.policy_versions],
        tenant_ids=then.keys(),
        at=at,
    )
    return {tenant_id for tenant_id, digest in then.items() if now.get(tenant_id) != digest}


def draft_tasks(inputs: Inputs, *, retry: bool) -> list[TaskDraft]:
    """The tasks that the acting rules call for, for those tenants asked about that have none under way.

    Unless `retry`, a tenant whose last task failed is left in peace until its situation is another.
    """
    free = _free_tenants(inputs.group_id)
    if inputs.tenant_ids is not None:
        free &= inputs.tenant_ids
    with lent(inputs.group_id, inputs.at) as stock:
        asked = replace(inputs, tenant_ids=free, stock=stock)
        outcomes = evaluate_outcomes(asked, standing.precedents(inputs.group_id))
    changing = {tenant_id: result for tenant_id, result in outcomes.items() if result.outcome.changes}
    if not retry:
        failed = _failed_situations(changing)
        changing = {t: result for t, result in changing.items() if failed.get(t) != result.digest}
    return list(_tasks(changing, _drift_behind(changing, inputs)))


def busy_tenants(group_id: int, *, ending: Collection[str] = ()) -> frozenset[int]:
    """Tenants with a task under way; one that was only drafted doesn't count.

    Neither does one that is still queued and goes with the end of one of the policies `ending`.
    """
    tasks = UpgradeTask.objects.filter(group_id=group_id).unfinished()
    tasks = tasks.exclude(plan__status__in=NOT_STARTED, status=UpgradeTask.Status.QUEUED)
    return frozenset(
        task.tenant_id
        for task in tasks.only("tenant_id", "status", "steps")
        if task.status != UpgradeTask.Status.QUEUED or _policies_behind(task.steps).isdisjoint(ending)
    )


def _policies_behind(steps: Iterable[Mapping[str, Any]]) -> set[str]:
    return {rule.split("/")[0] for step in steps for rule in step.get("wanted_by", ())}


def _free_tenants(group_id: int) -> frozenset[int]:
    active = Tenant.objects.filter(group_id=group_id).active().values_list("pk", flat=True)
    return frozenset(active) - busy_tenants(group_id)


def _failed_situations(tenant_ids: Iterable[int]) -> dict[int, str]:
    last = (
        UpgradeTask.objects.filter(tenant_id__in=list(tenant_ids))
        .exclude(plan__status__in=NOT_STARTED)
        .order_by("tenant_id", "-created_at", "-pk")
        .distinct("tenant_id")
    )
    return {task.tenant_id: task.situation_digest for task in last if task.status in _FAILED}


def _drift_behind(changing: Mapping[int, TenantOutcome], inputs: Inputs) -> Mapping[int, _Drift]:
    """By tenant, the outstanding drift of what changes there, from the rules that are acted on."""
    distinct = {id(result): result for result in changing.values()}
    staging.fill(
        "drafted_change",
        {"place": "bigint", "plugin_id": "bigint"},
        ((place, one.component) for place, result in distinct.items() for one in result.outcome.changes),
    )
    staging.fill(
        "drafted_tenant",
        {"tenant_id": "bigint", "place": "bigint"},
        ((tenant_id, id(result)) for tenant_id, result in changing.items()),
    )
    acting = [rule.id for rule in inputs.rules if inputs.acting is None or rule.id in inputs.acting]
    with connection.cursor() as cursor:
        cursor.execute(_DRIFT, {"acting": acting})
        return {tenant_id: _Drift(*told) for tenant_id, *told in cursor.fetchall()}


_DRIFT = """
SELECT t.tenant_id, min(f.due_at), array_agg(DISTINCT f.severity),
    count(*) FILTER (WHERE EXISTS (
        SELECT FROM governance_releaseadvisory a WHERE a.release_id = f.release_id))
FROM drafted_tenant t
JOIN drafted_change c ON c.place = t.place
JOIN governance_finding f ON f.tenant_id = t.tenant_id AND f.plugin_id = c.plugin_id
WHERE f.closed_at IS NULL AND f.status <> 'accepted' AND f.rule_id = ANY (%(acting)s::bigint[])
GROUP BY t.tenant_id
"""


def _tasks(changing: Mapping[int, TenantOutcome], drift: Mapping[int, _Drift]) -> Iterator[TaskDraft]:
    """What tenants share whose outcome is one is put together once."""
    shared: dict[int, tuple[list[dict[str, Any]], int]] = {}
    for tenant_id, result in changing.items():
        if id(result) not in shared:
            changes = result.changes_in_order
            shared[id(result)] = [_step(result, change) for change in changes], _weight(result, changes)
        steps, weight = shared[id(result)]
        behind = drift.get(tenant_id, _Drift())
        said = urgency.reasons(severities=behind.severities, warnings=behind.warnings, weight=weight)
        yield TaskDraft(tenant_id, steps, result.digest, behind.due_at, said)


def _weight(result: TenantOutcome, changes: Iterable[Change]) -> int:
    """The weightiest rule's weight."""
    rules = {rule for change in changes for rule in change.rules}
    return max((b.weight for b in result.bindings if b.rule in rules), default=0)


def _step(result: TenantOutcome, change: Change) -> dict[str, Any]:
    return {
        "plugin": result.component(change.component).name,
        "from": change.before.version if change.before else None,
        "to": change.after.version if change.after else None,
        "because": change.because,
        "wanted_by": ["/".join(rule) for rule in change.rules],
    }
