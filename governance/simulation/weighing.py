"""How things stand under the rules as they are compiled, weighed and compared as sets in the database.

A weighing is temporary; it goes with the savepoint that it was made in.
"""

from __future__ import annotations

import gzip
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db import connection

from governance.models import Installation, Rule
from governance.simulation.tallying import Tally, tally
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


@dataclass(frozen=True)
class Weighing:
    """What breaks the rules: the rows under that name, a table or a view.

    `since` is the weighing of which all tenants but `anew`, a query of tenants, are as they were.
    """

    name: str
    since: Weighing | None = None
    anew: str = ""

    @cached_property
    def tally(self) -> Tally:
        """How much it is."""
        if self.since is None:
            return tally(self.name)
        return self.since.tally.with_others(tally(self.among(self.since)), tally(self.among(self)))

    def among(self, other: Weighing) -> str:
        """The rows of the other one that are of the tenants weighed anew here."""
        return f"(SELECT * FROM {other.name} WHERE tenant_id IN ({self.anew}))"

    def against(self, before: Weighing) -> tuple[str, str]:
        """The rows of both, before and here, without tenants that are as they were."""
        if self.since is before:
            return self.among(before), self.among(self)
        return before.name, self.name


def weigh(scene: Scene, name: str, *, tenant_ids: Collection[int] | None = None) -> Weighing:
    """Put what breaks the rules into the table of that name, by the query that detection asks too."""
    chosen = scene.tenant_ids if tenant_ids is None else scene.among(tenant_ids)
    query = violations_query(
        scene.rule_ids(), chosen, scene.at, group_id=scene.group.pk, snapshot=scene.snapshot
    )
    with connection.cursor() as cursor:
        cursor.execute(_WEIGH.format(name=name, found=query.text), query.parameters)
        # What tells the planner most; the other columns would take as long again.
        cursor.execute(f"ANALYZE {name} (tenant_id, plugin_id)")
    return Weighing(name)


def weigh_again(scene: Scene, name: str, before: Weighing, tenant_ids: Collection[int]) -> Weighing:
    """Weigh these tenants, and take all others from the weighing before."""
    weigh(scene, f"{name}_there", tenant_ids=tenant_ids)
    anew = f"SELECT tenant_id FROM {name}_anew"
    with connection.cursor() as cursor:
        cursor.execute(_ANEW.format(name=name), {"tenants": list(tenant_ids)})
        cursor.execute(_INSTEAD.format(name=name, before=before.name, anew=anew))
    return Weighing(name, before, anew)


def drifting(before: Weighing, after: Weighing) -> frozenset[int]:
    """The tenants with drift that no exemption covers, before or after; only those weighed anew."""
    union = " UNION ".join(
        f"SELECT tenant_id FROM {rows} AS weighed WHERE NOT accepted" for rows in after.against(before)
    )
    with connection.cursor() as cursor:
        cursor.execute(union)
        return frozenset(tenant for (tenant,) in cursor.fetchall())


def compare(before: Weighing, after: Weighing) -> dict[str, Any]:
    """What drift opens and closes from one weighing to the other; the rows stay in the table `differing`."""
    then, now = after.against(before)
    with connection.cursor() as cursor:
        cursor.execute(_COMPARE.format(before=then, after=now))
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
SELECT tenant_id, plugin_id, policy_id, key, release_id, exemption_id IS NOT NULL AS accepted
FROM ({found}) AS found
"""

_ANEW = """
CREATE TEMPORARY TABLE {name}_anew ON COMMIT DROP AS
SELECT tenant_id FROM unnest(%(tenants)s::bigint[]) AS one (tenant_id)
"""
_INSTEAD = """
CREATE TEMPORARY VIEW {name} AS
SELECT * FROM {before} WHERE tenant_id NOT IN ({anew})
UNION ALL
SELECT * FROM {name}_there
"""

_COMPARE = """
CREATE TEMPORARY TABLE differing ON COMMIT DROP AS
SELECT CASE WHEN b.tenant_id IS NULL THEN 'opened' ELSE 'closed' END AS kind,
    tenant_id, plugin_id, policy_id, key, coalesce(a.release_id, b.release_id) AS release_id
FROM (SELECT * FROM {before} AS weighed WHERE NOT accepted) AS b
FULL JOIN (SELECT * FROM {after} AS weighed WHERE NOT accepted) AS a
    USING (tenant_id, plugin_id, policy_id, key)
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
