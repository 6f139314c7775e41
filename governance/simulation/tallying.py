"""What a weighing comes to, counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Self

from django.db import connection

from governance.compliance import Rate


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of drift; those of tenants that are told apart add up.

    `drift` no exemption covers, `accepted` one does; `tenants` and `installations` have such drift.
    """

    drift: int
    accepted: int
    tenants: int
    installations: int
    by_policy: Counter[str]

    def with_others(self, gone: Self, come: Self) -> Tally:
        """The same where some tenants are counted otherwise than they were."""
        by_policy = Counter(self.by_policy)
        by_policy.subtract(gone.by_policy)
        by_policy.update(come.by_policy)
        return Tally(
            self.drift - gone.drift + come.drift,
            self.accepted - gone.accepted + come.accepted,
            self.tenants - gone.tenants + come.tenants,
            self.installations - gone.installations + come.installations,
            +by_policy,
        )

    def figures(self, size: tuple[int, int]) -> dict[str, Any]:
        """The counts as an outcome shows them; `size` is of how many tenants and installations in all."""
        total, installed = size
        rate = Rate(total, total - self.tenants, installed, self.installations)
        return {
            "drift": self.drift,
            "accepted": self.accepted,
            "tenants": total,
            "drifting_tenants": self.tenants,
            "compliant_tenants": rate.compliant_tenants,
            "compliance_rate": round(rate.share, 6),
            "installations": installed,
            "drifting_installations": self.installations,
            "installation_rate": round(rate.installation_share, 6),
            "by_policy": dict(sorted(self.by_policy.items())),
        }


def tally(rows: str) -> Tally:
    """Count what is in these rows, a table or a query with the columns of a weighing."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNTS.format(rows=rows))
        drift, accepted, tenants, installations = cursor.fetchone()
        cursor.execute(_BY_POLICY.format(rows=rows))
        return Tally(drift, accepted, tenants, installations, Counter(dict(cursor.fetchall())))


# Pairs of tenant and plugin as one number each, which tells them apart as long as neither needs 32 bits:
# PostgreSQL counts distinct numbers three times as fast as it groups by both.
_COUNTS = """
SELECT count(*) FILTER (WHERE NOT accepted), count(*) FILTER (WHERE accepted),
    count(DISTINCT tenant_id) FILTER (WHERE NOT accepted),
    count(DISTINCT tenant_id << 32 | plugin_id) FILTER (WHERE NOT accepted)
FROM {rows} AS weighed
"""

_BY_POLICY = """
SELECT p.name, n.findings
FROM (
    SELECT policy_id, count(*) AS findings FROM {rows} AS weighed WHERE NOT accepted GROUP BY policy_id
) AS n
JOIN governance_policy p ON p.id = n.policy_id
"""
