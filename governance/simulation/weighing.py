"""How things stand under the rules as they are compiled, weighed and compared as sets in the database.

A weighing is a temporary table of what breaks the rules; it goes with the savepoint that it was made in.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection

from governance.compliance import Rate
from governance.models import Installation, Rule
from governance.violations import violations_query
from tenants.models import Group, Tenant

EXAMPLES = 500  # findings that an outcome shows one by one; all are counted
LISTED = 100  # tenants and plugins that it counts one by one
KEPT = 200_000  # findings that are kept in the file


@dataclass(frozen=True)
class Scene:
    """Of whom and when it is asked. `snapshot` None stands for what the tenants run now.

    `acting` are the only policies that are acted on; none named stands for all that enforce.
    """

    group: Group
    at: datetime
    snapshot: int | None = None
    acting: tuple[str, ...] = ()

    @cached_property
    def tenant_ids(self) -> frozenset[int] | None:
        """The tenants that there were in the snapshot; None for all, in the present."""
        if self.snapshot is None:
            return None
        there = Installation.objects.filter(group=self.group).at(self.snapshot)
        return frozenset(there.order_by().values_list("tenant_id", flat=True).distinct())

    def among(self, tenant_ids: Collection[int]) -> Collection[int]:
        """Those of the tenants that there were."""
        return tenant_ids if self.tenant_ids is None else self.tenant_ids.intersection(tenant_ids)

    @cached_property
    def size(self) -> tuple[int, int]:
        """How many active tenants there are, and how much they run."""
        tenants = Tenant.objects.filter(group=self.group).active()
        if self.tenant_ids is not None:
            tenants = tenants.filter(pk__in=self.tenant_ids)
        rows = Installation.objects.filter(group=self.group, tenant__in=tenants)
        rows = rows.current() if self.snapshot is None else rows.at(self.snapshot)
        return tenants.count(), rows.count()

    def rule_ids(self) -> list[int]:
        """The rules in force then, as they are compiled now."""
        rules = Rule.objects.filter(group=self.group).in_force(self.at)
        return list(rules.order_by("pk").values_list("pk", flat=True))


def weigh(scene: Scene, name: str, *, tenant_ids: Collection[int] | None = None) -> None:
    """Put what breaks the rules into the table of that name, by the query that detection asks too."""
    chosen = scene.tenant_ids if tenant_ids is None else scene.among(tenant_ids)
    query = violations_query(
        scene.rule_ids(), chosen, scene.at, group_id=scene.group.pk, snapshot=scene.snapshot
    )
    with connection.cursor() as cursor:
        cursor.execute(_WEIGH.format(name=name, found=query.text), query.parameters)
        cursor.execute(f"ANALYZE {name}")


def weigh_again(scene: Scene, name: str, before: str, tenant_ids: Collection[int]) -> None:
    """Weigh these tenants, and take all others from the weighing before."""
    weigh(scene, f"{name}_there", tenant_ids=tenant_ids)
    parameters = {"tenants": list(tenant_ids)}
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE.format(name=name, of=before, by=f"{name}_there"), parameters)
        cursor.execute(f"ANALYZE {name}")


def figures(scene: Scene, name: str) -> dict[str, Any]:
    """The counts of a weighing."""
    with connection.cursor() as cursor:
        cursor.execute(_FIGURES.format(name=name))
        drift, accepted, tenants, installations = cursor.fetchone()
        cursor.execute(_BY_POLICY.format(name=name))
        by_policy = dict(cursor.fetchall())
    total, installed = scene.size
    rate = Rate(total, total - tenants, installed, installations)
    return {
        "drift": drift,
        "accepted": accepted,
        "tenants": total,
        "drifting_tenants": tenants,
        "compliant_tenants": rate.compliant_tenants,
        "compliance_rate": round(rate.share, 6),
        "installations": installed,
        "drifting_installations": installations,
        "installation_rate": round(rate.installation_share, 6),
        "by_policy": by_policy,
    }


def drifting(*names: str) -> frozenset[int]:
    """The tenants with drift that no exemption covers, in any of these weighings."""
    union = " UNION ".join(f"SELECT tenant_id FROM {name} WHERE NOT accepted" for name in names)
    with connection.cursor() as cursor:
        cursor.execute(union)
        return frozenset(tenant for (tenant,) in cursor.fetchall())


def compare(before: str, after: str) -> dict[str, Any]:
    """What drift opens and closes from one weighing to the other; the rows stay in the table `differing`."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE.format(before=before, after=after))
        cursor.execute("ANALYZE differing")
        cursor.execute(f"SELECT {_COUNTS} FROM differing d")
        opened, closed = cursor.fetchone()
        counts = {
            f"by_{noun}": _counted(cursor, statement)
            for noun, statement in (("policy", _POLICIES), ("plugin", _PLUGINS), ("tenant", _TENANTS))
        }
        cursor.execute(f"{_NAMED} LIMIT {EXAMPLES}")
        examples = [dict(zip(_COLUMNS, row, strict=True)) for row in cursor.fetchall()]
    return {
        "opened": opened,
        "closed": closed,
        **counts,
        "findings": examples,
        "findings_left_out": opened + closed - len(examples),
    }


def differing_file() -> bytes:
    """Every finding that opens or closes as CSV in gzip, straight from the database."""
    chunks: list[bytes] = []
    rows = _INERT.format(rows=f"{_NAMED} LIMIT {KEPT}")
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({rows}) TO STDOUT (FORMAT csv, HEADER)") as copy,
    ):
        chunks.extend(bytes(chunk) for chunk in copy)
    return gzip.compress(b"".join(chunks), compresslevel=5, mtime=0)


@dataclass(frozen=True, slots=True)
class Differing:
    """The tenants and plugins of findings that open or close."""

    tenants: frozenset[int]
    plugins: frozenset[int]


def differing() -> Differing:
    """Of whom and of what findings open or close."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(DISTINCT tenant_id), array_agg(DISTINCT plugin_id) FROM differing")
        tenants, plugins = cursor.fetchone()
    return Differing(frozenset(tenants or ()), frozenset(plugins or ()))


def _counted(cursor: Any, statement: str) -> dict[str, dict[str, int]]:
    cursor.execute(statement)
    return {name: {"opened": opened, "closed": closed} for name, opened, closed in cursor.fetchall()}


# A finding's identity is tenant, plugin, policy and rule key, as findings have it too.
_WEIGH = """
CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS
SELECT found.tenant_id, found.plugin_id, r.policy_id, r.key, found.release_id,
    found.exemption_id IS NOT NULL AS accepted
FROM ({found}) AS found JOIN governance_rule r ON r.id = found.rule_id
"""

_REPLACE = """
CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS
SELECT * FROM {of} WHERE tenant_id <> ALL (%(tenants)s::bigint[])
UNION ALL
SELECT * FROM {by}
"""

_FIGURES = """
SELECT count(*) FILTER (WHERE NOT accepted), count(*) FILTER (WHERE accepted),
    count(DISTINCT tenant_id) FILTER (WHERE NOT accepted),
    (SELECT count(*) FROM (SELECT DISTINCT tenant_id, plugin_id FROM {name} WHERE NOT accepted) AS one)
FROM {name}
"""

_BY_POLICY = """
SELECT p.name, count(*) FROM {name} n JOIN governance_policy p ON p.id = n.policy_id
WHERE NOT n.accepted GROUP BY p.name ORDER BY p.name
"""

_COMPARE = """
CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT CASE WHEN b.tenant_id IS NULL THEN 'opened' ELSE 'closed' END AS kind,
    tenant_id, plugin_id, policy_id, key, coalesce(a.release_id, b.release_id) AS release_id
FROM (SELECT * FROM {before} WHERE NOT accepted) AS b
FULL JOIN (SELECT * FROM {after} WHERE NOT accepted) AS a USING (tenant_id, plugin_id, policy_id, key)
WHERE a.tenant_id IS NULL OR b.tenant_id IS NULL
"""

_COLUMNS = ("kind", "tenant", "plugin", "version", "policy", "rule")
_NAMED = """
SELECT d.kind, t.key AS tenant, plugin.name AS plugin, release.version, policy.name AS policy, d.key AS rule
FROM differing d
JOIN tenants_tenant t ON t.id = d.tenant_id
JOIN governance_plugin plugin ON plugin.id = d.plugin_id
JOIN governance_policy policy ON policy.id = d.policy_id
LEFT JOIN governance_release release ON release.id = d.release_id
ORDER BY d.kind DESC, t.key, plugin.name, policy.name, d.key
"""

# No cell that a spreadsheet would take for a formula.
_CELLS = ", ".join(f"regexp_replace({name}, '^[=+@\\t\\r-]', E'\\'\\\\&') AS {name}" for name in _COLUMNS)
_INERT = f"SELECT {_CELLS} FROM ({{rows}}) AS named"

_COUNTS = "count(*) FILTER (WHERE d.kind = 'opened'), count(*) FILTER (WHERE d.kind = 'closed')"
_POLICIES = f"""
SELECT p.name, {_COUNTS} FROM differing d JOIN governance_policy p ON p.id = d.policy_id
GROUP BY p.name ORDER BY p.name
"""
_PLUGINS = f"""
SELECT p.name, {_COUNTS} FROM differing d JOIN governance_plugin p ON p.id = d.plugin_id
GROUP BY p.name ORDER BY count(*) DESC, p.name LIMIT {LISTED}
"""
_TENANTS = f"""
SELECT t.key, {_COUNTS} FROM differing d JOIN tenants_tenant t ON t.id = d.tenant_id
GROUP BY t.key ORDER BY count(*) DESC, t.key LIMIT {LISTED}
"""
