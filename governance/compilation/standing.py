"""How the rules of a group stand at a time, read at one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, QuerySet

from governance.models import Policy, Rule
from governance.models.rule import RuleKind

_BINDING = {Policy.Status.ACTIVE, Policy.Status.PAUSED}


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule of a policy's current version. `due`: stale by time alone; `chooses`: a target of its own."""

    id: int
    policy_id: int
    key: str
    in_force: bool
    due: bool
    detected: bool
    chooses: bool


def current_rules(group_id: int) -> QuerySet[Rule]:
    """The rules of the policies' current versions, in force or not."""
    return Rule.objects.filter(group_id=group_id, version_id=F("policy__current_id"))


def standings(group_id: int, at: datetime) -> list[Standing]:
    """All rules of the policies' current versions."""
    rows = current_rules(group_id).select_related("policy").order_by("pk")
    return [
        Standing(
            id=rule.pk,
            policy_id=rule.policy_id,
            key=rule.key,
            in_force=rule.policy.status in _BINDING and is_open(rule, at),
            due=rule.recompile_at is not None and rule.recompile_at <= at,
            detected=rule.detected,
            chooses=rule.kind == RuleKind.SAME and not rule.spec,
        )
        for rule in rows.only(
            "policy__status", "key", "effective_from", "effective_until", "recompile_at", "detected", "kind",
            "spec",
        )
    ]  # fmt: skip


def is_open(rule: Rule, at: datetime | None) -> bool:
    """Whether the time is within the rule's window."""
    return (
        at is not None
        and (rule.effective_from is None or rule.effective_from <= at)
        and (rule.effective_until is None or rule.effective_until > at)
    )
