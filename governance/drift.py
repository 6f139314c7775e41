"""Drift found and kept as findings: opened, closed, accepted where an exemption covers it.

Everything is set-wise: the detection of a whole group is the same few statements as that of one tenant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM, Actor
from governance import detection
from governance.compilation import members, renewal
from governance.compilation.standing import Standings, standings
from governance.compilation.targets import settle_targets
from governance.detection import Scope
from governance.models import Rule
from governance.violations import violations_query
from tenants.models import Group

__all__ = ["DriftResult", "detect", "violations_query"]

_COUNTS = ("opened", "closed", "kept", "accepted", "reopened", "moved")


@dataclass(frozen=True, slots=True)
class DriftResult:
    """How many findings a detection opened, closed and kept, and what changed about how many of those kept.

    `accepted` came under an exemption, `reopened` lost it, `moved` are about another release than before.
    `tenant_ids` are the tenants with a finding that isn't as it was. `rules_changed`: a rule came to mean
    something else by time, the catalogue or a moved target, so that decisions may be stale everywhere.
    """

    opened: int = 0
    closed: int = 0
    kept: int = 0
    accepted: int = 0
    reopened: int = 0
    moved: int = 0
    tenant_ids: frozenset[int] = frozenset()
    rules_changed: bool = False

    @property
    def changed(self) -> bool:
        """Whether any finding isn't as it was."""
        return bool(self.tenant_ids)

    def figures(self) -> dict[str, int]:
        """The counts alone."""
        return {name: getattr(self, name) for name in _COUNTS}

    def concerns(self, tenant_ids: Collection[int]) -> set[int] | None:
        """About which tenants to decide anew after these have changed; None stands for all."""
        return None if self.rules_changed else {*tenant_ids, *self.tenant_ids}


@transaction.atomic(savepoint=False)
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
    rules, touched = _prepare(group.pk, at, tenant_ids, policy_ids)
    scopes = _scopes(rules, tenant_ids, policy_ids, {*rules.due_tenants, *touched})
    written = [detection.write(group.pk, scope, at=at) for scope in scopes]
    result = _sum(written, rules_changed=bool(rules.owed))
    if rules.owed:
        Rule.objects.filter(pk__in=rules.owed).update(detected=True)
    if result.changed:
        _record(group, result, actor=actor, at=at)
    return result


def _record(group: Group, result: DriftResult, *, actor: Actor, at: datetime) -> None:
    ledger.record(
        Action.FINDINGS_CHANGED,
        subject=group,
        actor=actor,
        at=at,
        tenant_id=next(iter(result.tenant_ids)) if len(result.tenant_ids) == 1 else None,
        data={**result.figures(), "tenants": len(result.tenant_ids)},
    )


def _prepare(
    group_id: int, at: datetime, tenant_ids: Collection[int] | None, policies: Collection[int] | None
) -> tuple[Standings, frozenset[int]]:
    """Bring the compiled rules up to date: how they stand, and tenants that have a release judged anew."""
    if tenant_ids is None:
        members.settle(group_id)
    rules = standings(group_id, at)
    tenants = None if tenant_ids is None else {*tenant_ids, *rules.due_tenants}
    if tenants is not None:
        members.settle_tenants(group_id, tenants)
    is_due = rules.is_due
    if is_due:
        renewal.renew_due(group_id, at)
    touched = renewal.renew_stale(group_id, at) if rules.has_news else None
    if is_due or touched is not None:
        rules = standings(group_id, at)
    rules_changed = is_due or touched is not None or policies is not None or bool(rules.owed)
    asked = None if rules_changed else tenants
    chooses = rules.has_chooser if asked is None else rules.is_contested
    if chooses and settle_targets(group_id, rules.in_force, at, tenant_ids=asked):
        rules = standings(group_id, at)
    return rules, touched or frozenset()


def _scopes(
    rules: Standings,
    tenants: Collection[int] | None,
    policies: Collection[int] | None,
    also: Collection[int],
) -> Iterator[Scope]:
    """What is to be written: what was asked for, then what is owed beyond it, `also` tenants among that."""
    if policies is None:
        yield Scope(rules.in_force, None if tenants is None else {*tenants, *also})
        if tenants is None:
            return
    else:
        yield Scope(rules.of_policies(policies), tenants, policies)
        if also:
            yield Scope(rules.in_force, also)
    # All variants of a rule share its findings, so all of them are asked.
    done = policies if policies is not None and tenants is None else ()
    if keys := {key for key in rules.owed_keys() if key[0] not in done}:
        yield Scope(rules.variants(keys), rule_keys=keys)


def _sum(outcomes: Sequence[detection.Outcome], *, rules_changed: bool) -> DriftResult:
    counts = {name: sum(getattr(outcome, name) for outcome in outcomes) for name in _COUNTS}
    tenants = frozenset(tenant for outcome in outcomes for tenant in outcome.tenant_ids)
    return DriftResult(**counts, tenant_ids=tenants, rules_changed=rules_changed)
