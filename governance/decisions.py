"""What to do about drift: decided once for each distinct situation and written to all tenants in it."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audit import ledger
from config.access import Actor
from config.garbage import uncollected
from governance import drift, flags, sameness, staging, standing, verdicts
from governance.answers import deciders
from governance.bindings import rule_rows
from governance.models import Plugin, Rule
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.resolution import Outcome
from governance.situations import Inputs
from governance.stock import Stock, lent
from tenants.models import Group


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """What an evaluation came to."""

    tenants: int
    situations: int
    changes: int
    unsettled: int
    new_conflicts: int
    closed_conflicts: int
    waiting_conflicts: int
    seconds: float

    def figures(self) -> dict[str, Any]:
        """The counts, as a run keeps them."""
        return {
            "judged_tenants": self.tenants,
            "situations": self.situations,
            "wanted_changes": self.changes,
            "unsettled": self.unsettled,
            "new_conflicts": self.new_conflicts,
            "closed_conflicts": self.closed_conflicts,
            "waiting_conflicts": self.waiting_conflicts,
        }

    @classmethod
    def of(
        cls, outcomes: Mapping[int, TenantOutcome], conflicts: standing.Standing, *, seconds: float
    ) -> EvaluationResult:
        """Those outcomes, and how the conflicts stand by them."""
        return cls(
            tenants=len(outcomes),
            situations=len({result.digest for result in outcomes.values()}),
            changes=sum(len(result.outcome.changes) for result in outcomes.values()),
            unsettled=sum(len(result.outcome.unsettled) for result in outcomes.values()),
            new_conflicts=conflicts.new,
            closed_conflicts=conflicts.closed,
            waiting_conflicts=conflicts.waiting,
            seconds=seconds,
        )


@uncollected()
@transaction.atomic
def evaluate(
    group: Group, *, at: datetime, actor: Actor, tenant_ids: Collection[int] | None = None
) -> EvaluationResult:
    """Decide what to do about the drift of a group, or of these tenants, whose findings are up to date.

    Which version all tenants shall have is chosen by all of them: with `tenant_ids` that is left to the next
    evaluation of the group.

    Raises FlagOff while governance is off.
    """
    flags.require_governance(group)
    started = time.perf_counter()
    ledger.hold(group.pk)  # one evaluation at a time: they write the same conflicts
    precedents = standing.precedents(group.pk)
    with deciders(), lent(group.pk, at) as stock:
        inputs = current_inputs(group, at=at, tenant_ids=tenant_ids, stock=stock)
        outcomes = evaluate_outcomes(inputs, precedents)
        if tenant_ids is None and (moves := sameness.settle(inputs, outcomes)):
            sameness.record(group, moves, actor=actor, at=at)
            drift.detect(group, at=at, actor=actor)
            outcomes = evaluate_outcomes(current_inputs(group, at=at, stock=stock), precedents)
    verdicts.stage(outcomes)
    _write_decisions(group, outcomes, tenant_ids, at)
    verdicts.write(group.pk, outcomes, tenant_ids, at=at)
    names = dict(Plugin.objects.filter(group=group).values_list("pk", "name"))
    conflicts = standing.register(group, outcomes, tenant_ids=tenant_ids, names=names, actor=actor, at=at)
    return EvaluationResult.of(outcomes, conflicts, seconds=time.perf_counter() - started)


def current_inputs(
    group: Group, *, at: datetime, tenant_ids: Collection[int] | None = None, stock: Stock | None = None
) -> Inputs:
    """What the real evaluation goes by: the rules in force and what is installed now."""
    in_force = Rule.objects.filter(group=group).in_force(at).values_list("pk", flat=True)
    return Inputs(
        group_id=group.pk,
        at=at,
        rules=rule_rows(list(in_force)),
        tenant_ids=None if tenant_ids is None else frozenset(tenant_ids),
        stock=stock or Stock(group.pk, at),
    )


def _write_decisions(
    group: Group,
    outcomes: Mapping[int, TenantOutcome],
    tenant_ids: Collection[int] | None,
    at: datetime,
) -> None:
    distinct = {result.digest: result.outcome for result in outcomes.values()}
    staging.fill(
        "decided",
        {"digest": "text", "changes": "jsonb", "unsettled": "jsonb"},
        ((digest, *_told(outcome)) for digest, outcome in sorted(distinct.items())),
    )
    parameters: dict[str, Any] = {"group": group.pk, "at": at}
    some = ""
    if tenant_ids is not None:
        some, parameters["tenants"] = "AND tenant_id = ANY (%(tenants)s::bigint[])", list(tenant_ids)
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, parameters)
        cursor.execute(_LEAVE.format(some=some), parameters)
        cursor.execute(_PLACE, parameters)


_KEEP = """
INSERT INTO governance_decision (id, group_id, digest, changes, unsettled, decided_at)
SELECT gen_random_uuid(), %(group)s, digest, changes, unsettled, %(at)s FROM decided ORDER BY digest
ON CONFLICT (group_id, digest) DO UPDATE SET changes = EXCLUDED.changes, unsettled = EXCLUDED.unsettled
WHERE (governance_decision.changes, governance_decision.unsettled)
    IS DISTINCT FROM (EXCLUDED.changes, EXCLUDED.unsettled)
"""
_LEAVE = """
DELETE FROM governance_tenantdecision known
WHERE group_id = %(group)s {some}
  AND NOT EXISTS (SELECT FROM decided_tenant t WHERE t.tenant_id = known.tenant_id)
"""
_PLACE = """
INSERT INTO governance_tenantdecision (group_id, tenant_id, decision_id, evaluated_at)
SELECT %(group)s, t.tenant_id, d.id, %(at)s
FROM decided_tenant t JOIN governance_decision d ON d.group_id = %(group)s AND d.digest = t.digest
ORDER BY t.tenant_id
ON CONFLICT (tenant_id) DO UPDATE SET decision_id = EXCLUDED.decision_id, evaluated_at = EXCLUDED.evaluated_at
"""


def _told(outcome: Outcome) -> tuple[str, str]:
    """The changes, and what they leave unsettled, as JSON."""
    changes = [
        {
            "plugin": change.component,
            "from": change.before.id if change.before else None,
            "to": change.after.id if change.after else None,
            "because": change.because,
        }
        for change in outcome.changes
    ]
    unsettled = [
        {
            "plugins": list(one.stuck),
            "reason": one.summary,
            "rules": [{"policy": saying.policy, "key": saying.key} for saying in one.rules],
        }
        for one in outcome.unsettled
    ]
    return json.dumps(changes), json.dumps(unsettled)
