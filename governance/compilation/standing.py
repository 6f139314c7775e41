"""How the rules of a group stand at a time, read at one go."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import F, QuerySet

from governance.models import Rule

RuleKey = tuple[int, str]  # a policy's id and the key of its rule, which all variants share


@dataclass(frozen=True, slots=True)
class Standings:
    """The rules of the policies' current versions: the ids of those in force, and of those not yet detected.

    `is_due`: whether one is stale by time alone; `has_chooser`: whether one in force has a target of its own,
    `is_contested`: whether that hangs on who has it. `has_news`: whether there are releases that the rules
    haven't seen as they stand. `due_tenants` are those of exemptions whose time is over or has come without
    anyone having said so yet.
    """

    in_force: list[int]
    owed: list[int]
    is_due: bool
    has_chooser: bool
    is_contested: bool
    has_news: bool
    due_tenants: list[int]

    def of_policies(self, policy_ids: Collection[int]) -> list[int]:
        """The rules in force that are of these policies."""
        rules = Rule.objects.filter(pk__in=self.in_force, policy_id__in=policy_ids)
        return list(rules.order_by("pk").values_list("pk", flat=True))

    def owed_keys(self) -> set[RuleKey]:
        """What is owed, by the keys whose findings all variants share."""
        if not self.owed:
            return set()
        return set(Rule.objects.filter(pk__in=self.owed).values_list("policy_id", "key"))

    def variants(self, keys: Collection[RuleKey]) -> list[int]:
        """The rules in force that have one of these keys."""
        rules = Rule.objects.filter(pk__in=self.in_force, policy_id__in={policy for policy, _ in keys})
        found = rules.order_by("pk").values_list("pk", "policy_id", "key")
        return [pk for pk, policy_id, key in found if (policy_id, key) in keys]


def current_rules(group_id: int) -> QuerySet[Rule]:
    """The rules of the policies' current versions, in force or not."""
    return Rule.objects.filter(group_id=group_id, version_id=F("policy__current_id"))


def standings(group_id: int, at: datetime) -> Standings:
    """How all rules of the policies' current versions stand, and what else is to be seen to at that time."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, {"group": group_id, "at": at})
        return Standings(*cursor.fetchone())


# By hand and in one row, as each changed manifest asks it.
_STANDINGS = """
SELECT
    coalesce(array_agg(id ORDER BY id) FILTER (WHERE in_force), '{}'),
    coalesce(array_agg(id ORDER BY id) FILTER (WHERE NOT detected), '{}'),
    coalesce(bool_or(due), false),
    coalesce(bool_or(chooses AND in_force), false),
    coalesce(bool_or(chooses AND in_force AND contested), false),
    EXISTS (SELECT FROM governance_release WHERE group_id = %(group)s AND NOT compiled),
    ARRAY(SELECT DISTINCT e.tenant_id FROM governance_exemption e
          WHERE e.group_id = %(group)s AND e.status = 'approved'
            AND (e.expires_at <= %(at)s OR (e.starts_at <= %(at)s AND e.starts_at > e.decided_at)))
FROM (
    SELECT r.id, r.detected,
        p.status IN ('active', 'paused')
            AND (r.effective_from IS NULL OR r.effective_from <= %(at)s)
            AND (r.effective_until IS NULL OR r.effective_until > %(at)s) AS in_force,
        r.recompile_at IS NOT NULL AND r.recompile_at <= %(at)s AS due,
        r.kind = 'same' AND r.spec = '{}' AS chooses, r.contested <> '{}' AS contested
    FROM governance_policy p
    JOIN governance_rule r ON r.version_id = p.current_id
    WHERE r.group_id = %(group)s
) AS rule
"""


def is_open(rule: Rule, at: datetime | None) -> bool:
    """Whether the time is within the rule's window."""
    return (
        at is not None
        and (rule.effective_from is None or rule.effective_from <= at)
        and (rule.effective_until is None or rule.effective_until > at)
    )
