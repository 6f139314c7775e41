"""What is installed where, kept as temporal rows that always are the shortest account of what happened.

A row is opened and closed at the group's open snapshot number, and what comes and goes between two seals
leaves nothing behind. So the rows depend on what the tenants ran at each seal and on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection

from governance import staging


@dataclass(frozen=True, slots=True)
class Change:
    """How many rows were opened and closed, and in which tenants."""

    opened: int
    closed: int
    tenant_ids: frozenset[int]


def replace(
    group_id: int,
    inventories: Mapping[str, Iterable[tuple[int, int]]],
    tenants: Mapping[int, str],
) -> Change:
    """Let each tenant run what its inventory holds and nothing else, from the open snapshot on.

    `inventories` are plugin and release ids by digest, one release a plugin, `tenants` digests by tenant id.
    The caller holds the group's ingest lock and these tenants' rows.
    """
    places = {digest: place for place, digest in enumerate(inventories)}
    staged = staging.given(
        "staged_installed",
        {"place": "integer", "plugin_id": "bigint", "release_id": "bigint"},
        ((places[digest], *pair) for digest, pairs in inventories.items() for pair in pairs),
    )
    parameters: dict[str, Any] = {
        "group": group_id,
        "tenants": list(tenants),
        "places": [places[digest] for digest in tenants.values()],
        **staged.parameters,
    }
    with connection.cursor() as cursor:
        cursor.execute(_REPLACE.format(staged=staged.text), parameters)
        rows = cursor.fetchall()
    opened = sum(is_opened for _, is_opened in rows)
    return Change(opened, len(rows) - opened, frozenset(tenant_id for tenant_id, _ in rows))


# A row that was opened since the last seal is taken back: no snapshot has it. One that was closed since then
# goes on as if it hadn't been; it is looked up by tenant and plugin ("+ 0"): the planner takes all that were
# closed since the seal for few, which they aren't.
# What goes is gone before anything comes, since a tenant has a plugin once: counting the one waits for it.
_REPLACE = """
WITH wanted AS MATERIALIZED (
    SELECT tenant.id AS tenant_id, staged_installed.plugin_id, staged_installed.release_id
    FROM unnest(%(tenants)s::bigint[], %(places)s::integer[]) AS tenant (id, place)
    JOIN {staged} ON staged_installed.place = tenant.place
), opening AS MATERIALIZED (
    SELECT open_snapshot AS number FROM tenants_group WHERE id = %(group)s
), differing AS MATERIALIZED (
    SELECT row.id, row.since, wanted.*
    FROM wanted
    FULL JOIN (
        SELECT * FROM governance_installation WHERE tenant_id = ANY(%(tenants)s::bigint[]) AND until IS NULL
    ) AS row USING (tenant_id, plugin_id, release_id)
    WHERE row.id IS NULL OR wanted.tenant_id IS NULL
), dropped AS (
    DELETE FROM governance_installation AS row USING differing
    WHERE row.id = differing.id AND differing.since = (SELECT number FROM opening)
    RETURNING row.tenant_id
), closed AS (
    UPDATE governance_installation AS row SET until = (SELECT number FROM opening) FROM differing
    WHERE row.id = differing.id AND differing.since < (SELECT number FROM opening)
    RETURNING row.tenant_id
), gone AS MATERIALIZED (
    SELECT tenant_id FROM dropped UNION ALL SELECT tenant_id FROM closed
), missing AS (
    SELECT * FROM differing WHERE id IS NULL
        AND (SELECT count(*) FROM gone) >= 0  -- always, but not before all has gone
), resumed AS (
    UPDATE governance_installation AS row SET until = NULL FROM missing
    WHERE row.tenant_id = missing.tenant_id AND row.plugin_id = missing.plugin_id
        AND row.release_id = missing.release_id AND row.until + 0 = (SELECT number FROM opening)
    RETURNING row.tenant_id, row.plugin_id
), opened AS (
    INSERT INTO governance_installation (group_id, tenant_id, plugin_id, release_id, since)
    SELECT %(group)s, tenant_id, plugin_id, release_id, (SELECT number FROM opening)
    FROM missing
    WHERE (tenant_id, plugin_id) NOT IN (SELECT tenant_id, plugin_id FROM resumed)
    RETURNING tenant_id
)
SELECT tenant_id, FALSE FROM gone
UNION ALL SELECT tenant_id, TRUE FROM resumed
UNION ALL SELECT tenant_id, TRUE FROM opened
"""
