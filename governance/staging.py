"""Rows on their way into the database: copied to a temporary table, then worked on as a set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import Model

# The planner knows nothing of a fresh temporary table; from this size on that costs more than to look.
_LARGE = 5_000
_MAKE_AND_LOOK = """
CREATE TEMPORARY TABLE IF NOT EXISTS {table} ({described}) ON COMMIT DELETE ROWS;
SELECT EXISTS (SELECT FROM {table})
"""


def fill(table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Fill the temporary table with the rows alone and say how many; it is empty again after the transaction.

    It is made once per connection: making it anew each time would swell PostgreSQL's own catalogue. The names
    go into the statements as they are, so they come from the code alone.
    """
    described = ", ".join(f"{column} {kind}" for column, kind in columns.items())
    with connection.cursor() as cursor:
        cursor.execute(_MAKE_AND_LOOK.format(table=table, described=described))
        cursor.nextset()  # of the making, which says nothing
        if cursor.fetchone()[0]:  # filled before in this transaction
            cursor.execute(f"TRUNCATE {table}")
        count = 0
        with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        if count > _LARGE:
            cursor.execute(f"ANALYZE {table}")
    return count


def look_again(*models: type[Model]) -> None:
    """Let the planner know what a load has made of these tables; by itself it finds out minutes later."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(model._meta.db_table for model in models)}")
