"""What to do about drift: decided once for each distinct situation and written to all tenants in it."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from audit import ledger
from config.access import Actor
from governance import flags, staging, standing
from governance.bindings import rule_rows
from governance.models import Decision, Finding, Plugin, Rule, TenantDecision
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.resolution import Outcome
from governance.situations import Inputs
from tenants import directory
from tenants.models import Group

log = structlog.get_logger("plumbline.decision")

Status = Finding.Status


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


@transaction.atomic
def evaluate(
    group: Group, *, at: datetime, actor: Actor, tenant_ids: Collection[int] | None = None
) -> EvaluationResult:
    """Decide what to do about the drift of a group, or of these tenants, whose findings are up to date.

    Raises FlagOff while governance is off.
    """
    flags.require_governance(group)
    started = time.perf_counter()
    ledger.hold(group.pk)  # one evaluation at a time: they write the same conflicts
    inputs = current_inputs(group, at=at, tenant_ids=tenant_ids)
    outcomes = evaluate_outcomes(inputs, standing.precedents(group.pk))
    _write_decisions(group, outcomes, tenant_ids, at)
    _write_findings(group, outcomes, tenant_ids)
    names = dict(Plugin.objects.filter(group=group).values_list("pk", "name"))
    conflicts = standing.register(group, outcomes, tenant_ids=tenant_ids, names=names, actor=actor, at=at)
    return EvaluationResult(
        tenants=len(outcomes),
        situations=len({result.situation.digest for result in outcomes.values()}),
        changes=sum(len(result.outcome.changes) for result in outcomes.values()),
        unsettled=sum(len(result.outcome.unsettled) for result in outcomes.values()),
        new_conflicts=conflicts.new,
        closed_conflicts=conflicts.closed,
        waiting_conflicts=conflicts.waiting,
        seconds=time.perf_counter() - started,
    )


def current_inputs(group: Group, *, at: datetime, tenant_ids: Collection[int] | None = None) -> Inputs:
    """What the real evaluation goes by: the rules in force and what is installed now."""
    in_force = Rule.objects.filter(group=group).in_force(at).values_list("pk", flat=True)
    return Inputs(
        group_id=group.pk,
        at=at,
        rules=rule_rows(list(in_force)),
        tenant_ids=None if tenant_ids is None else frozenset(tenant_ids),
    )


def _write_decisions(
    group: Group,
    outcomes: Mapping[int, TenantOutcome],
    tenant_ids: Collection[int] | None,
    at: datetime,
) -> None:
    distinct = {result.situation.digest: result.outcome for result in outcomes.values()}
    Decision.objects.bulk_create(
        (_decision(group, digest, outcome, at) for digest, outcome in sorted(distinct.items())),
        update_conflicts=True,
        unique_fields=["group", "digest"],
        update_fields=["changes", "unsettled"],
    )
    decisions = dict(Decision.objects.filter(group=group, digest__in=distinct).values_list("digest", "pk"))
    others = TenantDecision.objects.filter(group=group).exclude(tenant_id__in=outcomes.keys())
    (others if tenant_ids is None else others.filter(tenant_id__in=list(tenant_ids))).delete()
    TenantDecision.objects.bulk_create(
        (
            TenantDecision(
                group=group,
                tenant_id=tenant_id,
                decision_id=decisions[result.situation.digest],
                evaluated_at=at,
            )
            for tenant_id, result in sorted(outcomes.items())
        ),
        update_conflicts=True,
        unique_fields=["tenant"],
        update_fields=["decision", "evaluated_at"],
    )


def _decision(group: Group, digest: str, outcome: Outcome, at: datetime) -> Decision:
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
    return Decision(group=group, digest=digest, changes=changes, unsettled=unsettled, decided_at=at)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a finding says about what is to be done."""

    target_id: int | None = None
    remove: bool = False
    reason: str = ""
    undecided: bool = False


def _verdicts(result: TenantOutcome) -> dict[int, _Verdict]:
    """By component, what was decided."""
    found: dict[int, _Verdict] = {}
    aside = {component: one for one in result.decided for component in one.stuck}
    for component, one in aside.items():
        found[component] = _Verdict(reason=f"Left as it is by a recorded decision on: {one.summary}")
    for change in result.outcome.changes:
        reason = change.because
        if change.component in aside:
            reason += f" (by a recorded decision on: {aside[change.component].summary})"
        found[change.component] = _Verdict(
            target_id=change.after.id if change.after else None,
            remove=change.after is None,
            reason=reason,
        )
    for one in result.outcome.unsettled:
        for component in one.stuck:
            found[component] = _Verdict(reason=one.summary, undecided=True)
    return found


def _write_findings(
    group: Group, outcomes: Mapping[int, TenantOutcome], tenant_ids: Collection[int] | None
) -> None:
    """Write targets and reasons; only between new and needs-a-decision does evaluation move the status."""
    findings = Finding.objects.filter(group=group).open().select_related("policy", "plugin", "tenant")
    if tenant_ids is not None:
        findings = findings.filter(tenant_id__in=list(tenant_ids))
    verdicts = {tenant_id: _verdicts(result) for tenant_id, result in outcomes.items()}
    changed: list[Finding] = []
    for finding in findings:
        verdict = verdicts.get(finding.tenant_id, {}).get(finding.plugin_id, _Verdict())
        if finding.status == Status.ACCEPTED:
            verdict = _Verdict(reason=finding.reason)
        if _apply(finding, verdict):
            changed.append(finding)
    _update(changed)
    _tell(changed, outcomes)


def _apply(finding: Finding, verdict: _Verdict) -> bool:
    """Set what the verdict says; whether that is news."""
    status = finding.status
    if verdict.undecided and status == Status.NEW:
        status = Status.NEEDS_DECISION
    elif not verdict.undecided and status == Status.NEEDS_DECISION:
        status = Status.NEW
    wanted = (verdict.target_id, verdict.remove, verdict.reason, status)
    if (finding.target_id, finding.remove, finding.reason, finding.status) == wanted:
        return False
    finding.target_id, finding.remove, finding.reason, finding.status = wanted
    return True


_UPDATE = """
UPDATE governance_finding f
SET target_id = j.target_id, remove = j.remove, reason = j.reason, status = j.status
FROM decided_finding j WHERE f.id = j.id
"""


def _update(findings: Iterable[Finding]) -> None:
    columns = {
        "id": "bigint",
        "target_id": "bigint",
        "remove": "boolean",
        "reason": "text",
        "status": "text",
    }
    rows = ((f.pk, f.target_id, f.remove, f.reason, str(f.status)) for f in findings)
    if staging.fill("decided_finding", columns, rows):
        with connection.cursor() as cursor:
            cursor.execute(_UPDATE)


def _tell(findings: list[Finding], outcomes: Mapping[int, TenantOutcome]) -> None:
    """One line of the log for each drift that was decided anew."""
    owners = directory.admins_of({finding.tenant_id for finding in findings})
    versions = dict(_versions(outcomes))
    lines = [
        {
            "group": finding.group_id,
            "tenant": finding.tenant.key,
            "plugin": finding.plugin.name,
            "policy": f"{finding.policy.name}/{finding.rule_key}",
            "target": versions.get(finding.target_id) if finding.target_id else None,
            "decision": "remove" if finding.remove else str(finding.status),
            "owner": ", ".join(str(user) for user in owners.get(finding.tenant_id, ())),
            "reason": finding.reason,
        }
        for finding in findings
    ]
    transaction.on_commit(lambda: [log.info("finding.decided", **line) for line in lines] and None)


def _versions(outcomes: Mapping[int, TenantOutcome]) -> Iterator[tuple[int, str]]:
    for result in outcomes.values():
        for change in result.outcome.changes:
            if change.after is not None:
                yield change.after.id, change.after.version
