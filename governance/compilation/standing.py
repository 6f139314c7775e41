"""How the rules of a group stand at a time, read at one go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import BooleanField, ExpressionWrapper, F, Q, QuerySet

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
    rows = current_rules(group_id).annotate(
        in_force=_told(
            Q(effective_from__isnull=True) | Q(effective_from__lte=at),
            Q(effective_until__isnull=True) | Q(effective_until__gt=at),
            policy__status__in=_BINDING,
        ),
        due=_told(recompile_at__isnull=False, recompile_at__lte=at),
        chooses=_told(kind=RuleKind.SAME, spec={}),
    )
    names = ("pk", "policy_id", "key", "in_force", "due", "detected", "chooses")
    return [Standing(*row) for row in rows.order_by("pk").values_list(*names)]


def _told(*conditions: Q, **more: object) -> ExpressionWrapper[Q]:
    """Whether all of it is so, as a column: groups may have thousands of rules, too many to be objects."""
    return ExpressionWrapper(Q(*conditions, **more), output_field=BooleanField())


def is_open(rule: Rule, at: datetime | None) -> bool:
    """Whether the time is within the rule's window."""
    return (
        at is not None
        and (rule.effective_from is None or rule.effective_from <= at)
        and (rule.effective_until is None or rule.effective_until > at)
    )
