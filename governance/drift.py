"""Drift found and kept as findings: opened, closed, accepted where an exemption covers it.

Everything is set-wise: the detection of a whole group is the same few statements as that of one tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM, Actor
from governance import detection
from governance.compilation import members, renewal
from governance.compilation.standing import Standing, standings
from governance.compilation.targets import settle_targets
from governance.detection import Scope
from governance.models import Exemption, Rule
from governance.violations import violations_query
from tenants.models import Group

__all__ = ["DriftResult", "detect", "violations_query"]


@dataclass(frozen=True, slots=True)
class DriftResult:
    """How many findings a detection opened, closed and kept, and what changed about how many of those kept.

    `accepted` came under an exemption, `reopened` lost it, `moved` are about another release than before.
    `tenant_ids` are the tenants with a finding that isn't as it was.
    """

    opened: int = 0
    closed: int = 0
    kept: int = 0
    accepted: int = 0
    reopened: int = 0
    moved: int = 0
    tenant_ids: frozenset[int] = frozenset()

    @property
    def changed(self) -> bool:
        """Whether any finding isn't as it was."""
        return bool(self.tenant_ids)

    def figures(self) -> dict[str, int]:
        """The counts alone."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "tenant_ids"}


@transaction.atomic
def detect(
    group: Group,
    *,
    at: datetime,
    actor: Actor = SYSTEM,
    tenant_ids: Collection[int] | None = None,
    policy_ids: Collection[int] | None = None,
) -> DriftResult:
    """Bring the findings of a group in line with its installations, rules and exemptions as they are.

    With `tenant_ids` or `policy_ids`, only what these tenants run or these policies say has changed since the
    last time: the findings come out as if all had been looked at. What time, the catalogue or a moved target
    made stale elsewhere is seen to as well.
    """
    ledger.hold(group.pk)  # no two detections of a group at once, each would miss what the other writes
    due = _due_tenants(group.pk, at)
    tenants = None if tenant_ids is None else {*tenant_ids, *due}
    rules = _prepare(group.pk, at, tenants, policy_ids)
    scopes = _scopes(rules, tenants, policy_ids, due)
    result = _sum([detection.write(group.pk, scope, at=at) for scope in scopes])
    if owed := [rule.id for rule in rules if not rule.detected]:
        Rule.objects.filter(pk__in=owed).update(detected=True)
    if result.changed:
        tenant_id = next(iter(result.tenant_ids)) if len(result.tenant_ids) == 1 else None
        ledger.record(
            Action.FINDINGS_CHANGED,
            subject=group,
            actor=actor,
            at=at,
            tenant_id=tenant_id,
            data={**result.figures(), "tenants": len(result.tenant_ids)},
        )
    return result


def _prepare(
    group_id: int, at: datetime, tenants: Collection[int] | None, policies: Collection[int] | None
) -> list[Standing]:
    """Bring the compiled rules up to date, and say how they stand."""
    if tenants is None:
        members.settle(group_id)
    else:
        members.settle_tenants(group_id, tenants)
    rules = standings(group_id, at)
    is_due = any(rule.due for rule in rules)
    if is_due:
        renewal.renew_due(group_id, at)
    if renewal.renew_stale(group_id, at) or is_due:
        rules = standings(group_id, at)
    if any(rule.chooses and rule.in_force for rule in rules):
        rules_changed = policies is not None or not all(rule.detected for rule in rules)
        in_force = [rule.id for rule in rules if rule.in_force]
        if settle_targets(group_id, in_force, at, tenant_ids=None if rules_changed else tenants):
            rules = standings(group_id, at)
    return rules


def _scopes(
    rules: Sequence[Standing],
    tenants: Collection[int] | None,
    policies: Collection[int] | None,
    due: Collection[int],
) -> Iterator[Scope]:
    """What is to be written: what was asked for, then what is owed beyond it."""
    in_force = [rule for rule in rules if rule.in_force]
    asked = [rule.id for rule in in_force if policies is None or rule.policy_id in policies]
    yield Scope(asked, tenants, policies)
    if tenants is None and policies is None:
        return
    if policies is not None and due:
        yield Scope([rule.id for rule in in_force], due)
    # All variants of a rule share its findings, so all of them are asked.
    if keys := {(rule.policy_id, rule.key) for rule in rules if not rule.detected}:
        owed = [rule.id for rule in in_force if (rule.policy_id, rule.key) in keys]
        yield Scope(owed, rule_keys=keys)


def _due_tenants(group_id: int, at: datetime) -> set[int]:
    """Tenants of exemptions whose time is over or has come without anyone having said so yet."""
    over = Q(expires_at__lte=at)
    begun = Q(starts_at__lte=at, starts_at__gt=F("decided_at"))
    approved = Exemption.objects.filter(group_id=group_id, status=Exemption.Status.APPROVED)
    return set(approved.filter(over | begun).values_list("tenant_id", flat=True))


def _sum(outcomes: Iterable[detection.Outcome]) -> DriftResult:
    outcomes = list(outcomes)
    counts = {
        name: sum(getattr(outcome, name) for outcome in outcomes)
        for name in ("opened", "closed", "kept", "accepted", "reopened", "moved")
    }
    tenants = frozenset(tenant for outcome in outcomes for tenant in outcome.tenant_ids)
    return DriftResult(**counts, tenant_ids=tenants)
