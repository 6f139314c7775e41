"""The group as its owners, and those who answer for some policies, read it: figures, never all the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from governance import clashes
from governance.messages import wording
from governance.messages.conflicts import Clash
from governance.models import Conflict, ConflictTenant, Finding
from governance.models.policy import Mode
from governance.profiles import Settings
from tenants.directory import Told as People
from tenants.models import Group

MOST_NAMED = 20  # conflicts, or tenants without anyone to tell, that a message names


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conflict that needs a decision."""

    id: str
    plugin: str
    summary: str
    policies: str
    tenants: int
    overdue: bool  # something that waits for it is past its due date
    clash: Clash

    def says(self, language: str) -> str:
        """The conflict in words."""
        return wording.conflict(
            self.summary, self.clash, plugin=self.plugin, policies=self.policies, language=language
        )

    def as_json(self, language: str) -> dict[str, Any]:
        """As a line of the outbound contract."""
        return {
            "tenant": None,
            "plugin": self.plugin,
            "from": None,
            "to": None,
            "policy": self.policies,
            "due_at": None,
            "status": str(Finding.Status.NEEDS_DECISION),
            "says": self.says(language),
        }


@dataclass(slots=True)
class Summary:
    """What one reader, or all who read of the same policies, is told."""

    readers: list[int]
    policy_ids: list[int]
    findings: int = 0
    left_out: int = 0  # further open ones, of which nobody is told: observed, set aside, or of quiet policies
    tenants: int = 0
    overdue: int = 0
    policies: list[tuple[str, int]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)  # the first of those tenants in drift that have no admin
    orphan_count: int = 0
    fresh: frozenset[int] = frozenset()  # the readers to whom something in it is news

    @property
    def says_something(self) -> bool:
        """Whether there is anything in it."""
        return bool(self.findings or self.waiting)


def summaries(
    group: Group,
    policies: Mapping[int, tuple[str, Settings]],
    people: People,
    *,
    at: datetime,
    only: Collection[int] | None = None,
) -> list[Summary]:
    """The summaries by who reads them; one may have nothing to say."""
    waiting = _waiting(group.pk, at)
    found = []
    for users, names in people.summary_readers():
        readers = [user.pk for user in users if only is None or user.pk in only]
        ids = [
            pk
            for pk, (name, settings) in policies.items()
            if settings.tells_owners and (names is None or name in names)
        ]
        summary = Summary(readers, ids)
        summary.waiting = [one for one, parties in waiting if names is None or names & parties]
        if readers:
            _count(summary, group.pk, set(people.tenants), at)
            summary.left_out = _open(group.pk, names) - summary.findings
            summary.fresh = _fresh(summary, group.pk, at)
            found.append(summary)
    return found


def remember(
    summary: Summary, group_id: int, user_ids: Collection[int], *, whole: bool, at: datetime
) -> None:
    """Note that these readers have been told; a `whole` summary also says what is no longer so."""
    with connection.cursor() as cursor:
        cursor.execute(
            _REMEMBER, {**_parameters(summary, group_id, at), "users": list(user_ids), "whole": whole}
        )


def forget(summary: Summary, group_id: int, user_ids: Collection[int], *, at: datetime) -> None:
    """Let go of what is no longer so, for readers who aren't told now: if it comes back, it is news."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {**_parameters(summary, group_id, at), "users": list(user_ids)})


def _findings(group_id: int, policy_ids: Sequence[int]) -> Any:
    rows = Finding.objects.filter(group_id=group_id, policy__in=policy_ids, tenant__active=True)
    return rows.filter(rule__mode__in=[Mode.REMIND, Mode.ENFORCE]).asking().order_by()


def _open(group_id: int, names: Collection[str] | None) -> int:
    """How many findings the console calls open drift, of all policies or of these."""
    rows = Finding.objects.filter(group_id=group_id, tenant__active=True).outstanding()
    return (rows if names is None else rows.filter(policy__name__in=names)).count()


def _count(summary: Summary, group_id: int, with_admin: set[int], at: datetime) -> None:
    rows = _findings(group_id, summary.policy_ids)
    counts = rows.aggregate(
        findings=Count("pk"),
        tenants=Count("tenant", distinct=True),
        overdue=Count("pk", filter=Q(due_at__lt=at)),
    )
    summary.findings, summary.tenants, summary.overdue = (
        counts[name] for name in ("findings", "tenants", "overdue")
    )
    by_policy = (
        rows.values_list("policy__name").annotate(count=Count("pk")).order_by("-count", "policy__name")
    )
    summary.policies = list(by_policy)
    orphans = rows.exclude(tenant__in=with_admin).values_list("tenant__key", flat=True).distinct()
    summary.orphan_count = orphans.count()
    summary.orphans = list(orphans.order_by("tenant__key")[:MOST_NAMED])


def _waiting(group_id: int, at: datetime) -> list[tuple[Waiting, frozenset[str]]]:
    """The conflicts that wait, each with the policies that are part of it."""
    conflicts = Conflict.objects.filter(group_id=group_id).waiting().select_related("plugin")
    touched = ConflictTenant.objects.filter(conflict__in=conflicts.values("pk")).order_by()
    tenants = dict(touched.values_list("conflict").annotate(count=Count("pk")))
    late = Finding.objects.filter(group_id=group_id, status=Finding.Status.NEEDS_DECISION).overdue(at)
    clash = clashes.of(group_id, conflicts)
    overdue = set(touched.filter(tenant__in=late.values("tenant")).values_list("conflict", flat=True))
    return [
        (
            Waiting(
                id=str(conflict.pk),
                plugin=conflict.plugin.name,
                summary=str(conflict),
                policies=", ".join(sorted(parties)),
                tenants=tenants.get(conflict.pk, 0),
                overdue=conflict.pk in overdue,
                clash=clash[conflict.pk],
            ),
            parties,
        )
        for conflict in conflicts.order_by("found_at", "pk")
        for parties in [frozenset(rule["policy"] for rule in conflict.explanation.get("rules", []))]
    ]


def _fresh(summary: Summary, group_id: int, at: datetime) -> frozenset[int]:
    with connection.cursor() as cursor:
        cursor.execute(_FRESH, {**_parameters(summary, group_id, at), "users": summary.readers})
        return frozenset(user_id for (user_id,) in cursor.fetchall())


def _parameters(summary: Summary, group_id: int, at: datetime) -> dict[str, Any]:
    return {
        "group": group_id,
        "at": at,
        "policies": summary.policy_ids,
        "modes": [str(Mode.REMIND), str(Mode.ENFORCE)],
        "conflicts": [_identity(one.id) for one in summary.waiting],
    }


def _identity(conflict: str) -> int:
    return int.from_bytes(hashlib.sha256(f"conflict {conflict}".encode()).digest()[:8], signed=True)


# What makes a summary news: a tenant that has come under a policy's drift, or is late there, or a conflict;
# not each finding of a tenant that is known to be out of line.
_CURRENT = """
WITH current AS MATERIALIZED (
    SELECT DISTINCT hashtextextended(
        format('%%s/%%s/%%s', f.tenant_id, f.policy_id, coalesce(f.due_at < %(at)s, false)), 0) AS identity
    FROM governance_finding f
    JOIN governance_rule r ON r.id = f.rule_id AND r.mode = ANY (%(modes)s)
    JOIN tenants_tenant t ON t.id = f.tenant_id AND t.active
    WHERE f.group_id = %(group)s AND f.policy_id = ANY (%(policies)s::bigint[])
        AND f.closed_at IS NULL AND f.status NOT IN ('accepted', 'set_aside')
    UNION
    SELECT unnest(%(conflicts)s::bigint[])
)
"""
_FRESH = f"""{_CURRENT}
SELECT u.id FROM unnest(%(users)s::bigint[]) AS u(id)
LEFT JOIN governance_told t ON t.user_id = u.id AND t.group_id = %(group)s
WHERE EXISTS (SELECT identity FROM current EXCEPT SELECT unnest(t.news))
"""
_REMEMBER = f"""{_CURRENT}
UPDATE governance_told t
SET news = ARRAY(
    SELECT identity FROM current
    UNION
    SELECT known FROM unnest(t.news) AS k(known) WHERE NOT %(whole)s)
WHERE t.group_id = %(group)s AND t.user_id = ANY (%(users)s::bigint[])
"""
_FORGET = f"""{_CURRENT}
UPDATE governance_told t
SET news = ARRAY(SELECT unnest(t.news) INTERSECT SELECT identity FROM current)
WHERE t.group_id = %(group)s AND t.user_id = ANY (%(users)s::bigint[])
"""
