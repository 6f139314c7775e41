"""Who has to wait for whom: advisory locks of a group, held until the transaction ends.

Taken in this order, so that no two transactions wait for each other: the group's ingest or seal lock, rows of
tenants, the catalogue's lock, the group's own row, and last the ledger's.
"""

from __future__ import annotations

from django.db import connection

_SNAPSHOT = 0x736E6170  # "snap": the lock's first key, the group is the second
_CATALOGUE = 0x63617461  # "cata"


def ingesting(group_id: int) -> None:
    """Keep the group from being sealed while this transaction changes what is installed."""
    _take("SELECT pg_advisory_xact_lock_shared(%s, %s)", _SNAPSHOT, group_id)


def sealing(group_id: int) -> None:
    """Wait for every ingest of the group that has begun, and keep new ones waiting."""
    _take("SELECT pg_advisory_xact_lock(%s, %s)", _SNAPSHOT, group_id)


def cataloguing(group_id: int) -> None:
    """Keep others from adding releases: a rank is given in view of all releases of a plugin."""
    _take("SELECT pg_advisory_xact_lock(%s, %s)", _CATALOGUE, group_id)


def _take(statement: str, key: int, group_id: int) -> None:
    if not connection.in_atomic_block:
        raise RuntimeError("A lock of a group ends with its transaction, and there is none.")
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, group_id])
