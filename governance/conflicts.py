"""What people decide about rules that can't hold together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from config.lifecycle import advance
from governance import decisions
from governance.conflict_wording import listed
from governance.models import Conflict, ConflictTenant
from governance.resolution import Rule

Status = Conflict.Status
SHOWN_TENANTS = 5


class DecisionRefused(Exception):
    """What is to be set aside doesn't decide this conflict."""


def decide(
    conflict: Conflict,
    *,
    set_aside: Sequence[Mapping[str, str]],
    reason: str,
    actor: Actor,
    at: datetime,
) -> None:
    """Set rules of the conflict aside for the tenants that it touches, now and as long as it is the same.

    To leave a tenant as it is, the rule that wants the change is set aside. Raises DecisionRefused if a rule
    has no part in the conflict, no reason is given, or the plugins have no way to go without these rules
    either; TransitionError if it was decided or closed meanwhile.
    """
    rules = sorted({(rule["policy"], rule["key"]) for rule in set_aside})
    _check(conflict, rules, reason)
    try:
        with transaction.atomic():
            _record(conflict, rules, reason=reason, actor=actor, at=at)
            tenant_ids = _evaluate_touched(conflict, actor=actor, at=at)
            _refuse_if_stuck(conflict, tenant_ids)
    except DecisionRefused:
        conflict.refresh_from_db()
        raise


def _record(conflict: Conflict, rules: Sequence[Rule], *, reason: str, actor: Actor, at: datetime) -> None:
    ledger.hold(conflict.group_id)  # before any row: evaluation holds it while it writes conflicts
    named = [{"policy": policy, "key": key} for policy, key in rules]
    advance(
        conflict,
        to=Status.DECIDED,
        set_aside=named,
        reason=reason.strip(),
        decided_by_id=actor.id,
        decided_by_name=actor.name,
        decided_at=at,
    )
    ledger.record(
        Action.CONFLICT_DECIDED,
        subject=conflict,
        actor=actor,
        at=at,
        data={
            "set_aside": named,
            "reason": conflict.reason,
            "plugin": conflict.plugin.name,
            "fingerprint": conflict.fingerprint,
            "tenants": _tenant_keys(conflict),
        },
    )


@transaction.atomic
def reopen(conflict: Conflict, *, reason: str, actor: Actor, at: datetime) -> None:
    """Take a decision back: the conflict waits for a person again.

    Raises TransitionError if it isn't decided.
    """
    ledger.hold(conflict.group_id)
    advance(
        conflict,
        to=Status.OPEN,
        set_aside=[],
        reason="",
        decided_by_id=None,
        decided_by_name="",
        decided_at=None,
        run=None,
    )
    ledger.record(
        Action.CONFLICT_REOPENED,
        subject=conflict,
        actor=actor,
        at=at,
        data={"reason": reason, "fingerprint": conflict.fingerprint, "tenants": _tenant_keys(conflict)},
    )
    _evaluate_touched(conflict, actor=actor, at=at)


def _check(conflict: Conflict, rules: Sequence[Rule], reason: str) -> None:
    if not rules:
        raise DecisionRefused("Name at least one rule that gives way.")
    if not reason.strip():
        raise DecisionRefused("A decision needs a reason.")
    offered = [rule for way in conflict.ways_out for rule in way["set_aside"]]
    concerned = {(rule["policy"], rule["key"]) for rule in [*conflict.explanation["rules"], *offered]}
    for rule in rules:
        if rule not in concerned:
            raise DecisionRefused(f"The rule {'/'.join(rule)} has no part in this conflict.")


def _tenant_keys(conflict: Conflict) -> list[str]:
    return list(conflict.touched.order_by("tenant__key").values_list("tenant__key", flat=True))


def _evaluate_touched(conflict: Conflict, *, actor: Actor, at: datetime) -> list[int]:
    tenant_ids = list(conflict.touched.values_list("tenant_id", flat=True))
    decisions.evaluate(conflict.group, at=at, actor=actor, tenant_ids=tenant_ids)
    conflict.refresh_from_db(fields=["status"])
    return tenant_ids


def _refuse_if_stuck(conflict: Conflict, tenant_ids: Collection[int]) -> None:
    """Without the rules that were set aside, what was stuck may have no way for other reasons."""
    touching = ConflictTenant.objects.filter(tenant_id__in=tenant_ids).values("conflict")
    waiting = Conflict.objects.filter(group=conflict.group, pk__in=touching).waiting()
    rows = waiting.select_related("plugin").order_by("found_at", "fingerprint")
    left = [row for row in rows if not set(row.stuck).isdisjoint(conflict.stuck)]
    if left:
        raise DecisionRefused(
            f"That isn't enough: with these rules set aside there is still no way to go for "
            f"{' and '.join(left[0].stuck)} in {listed(_tenant_keys(left[0]), SHOWN_TENANTS)}: {left[0]}"
        )
