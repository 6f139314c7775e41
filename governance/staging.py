"""Rows on their way into the database: copied to a temporary table, then worked on as a set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection
from psycopg import sql

# The planner knows nothing of a fresh temporary table; from this size on that costs more than to look.
_LARGE = 5_000


def fill(table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]]) -> int:
    """Fill the temporary table with the rows alone and say how many; it is empty again after the transaction.

    It is made once per connection: making it anew each time would swell PostgreSQL's own catalogue.
    """
    name = sql.Identifier(table)
    described = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(kind)) for column, kind in columns.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS").format(
                name, described
            )
        )
        cursor.execute(sql.SQL("DELETE FROM {}").format(name))
        count = 0
        with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, _names(columns))) as copy:
            for row in rows:
                copy.write_row(row)
                count += 1
        if count > _LARGE:
            cursor.execute(sql.SQL("ANALYZE {}").format(name))
    return count


def _names(columns: Iterable[str]) -> sql.Composed:
    return sql.SQL(", ").join(map(sql.Identifier, columns))
