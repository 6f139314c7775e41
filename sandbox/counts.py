"""What the sandbox counted, by which a caller proves that it handed nothing over twice."""

from __future__ import annotations

from typing import Any

from sandbox.database import Database
from sandbox.faults import FAULT_PREFIX, Fault


def counts(database: Database) -> dict[str, Any]:
    """Orders and their ends, repetitions, faults, and per tenant what was ordered and carried out."""
    totals = database.rows(
        "SELECT count(*) AS orders, count(DISTINCT task) AS tasks,"
        " coalesce(sum(executions), 0) AS executions FROM orders"
    )[0]
    tenants = database.rows(
        'SELECT group_slug AS "group", tenant, count(*) AS orders, sum(executions) AS executions'
        " FROM orders GROUP BY group_slug, tenant ORDER BY group_slug, tenant"
    )
    counters = _pairs(database, "SELECT name, value FROM counters")
    return {
        **dict(totals),
        **{name: counters[name] for name in ("duplicates", "key_conflicts")},
        "faults": {fault.value: counters.get(f"{FAULT_PREFIX}{fault}", 0) for fault in Fault},
        "statuses": _pairs(database, "SELECT status, count(*) FROM orders GROUP BY status ORDER BY status"),
        "callbacks": _pairs(database, "SELECT state, count(*) FROM callbacks GROUP BY state ORDER BY state"),
        "tenants": [dict(row) for row in tenants],
    }


def _pairs(database: Database, sql: str) -> dict[str, int]:
    return {row[0]: row[1] for row in database.rows(sql)}
