"""Rows on their way into the database, worked on as a set: in a temporary table, few in the statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Any

from django.db import connection
from django.db.models import Model

# The planner knows nothing of a fresh temporary table; from this size on that costs more than to look.
_LARGE = 5_000
_FEW = 300  # rows for which a table of their own takes longer than going along with the statement
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


@dataclass(frozen=True, slots=True)
class Given:
    """Rows for a statement: `text` goes behind FROM, the parameters belong to it."""

    text: str
    parameters: Mapping[str, Any]


def given(
    table: str, columns: Mapping[str, str], rows: Iterable[tuple[Any, ...]], *, few: int = _FEW
) -> Given:
    """The rows under that name: in the statement itself if they are few, else in a table as by `fill`."""
    rows = iter(rows)
    some = list(islice(rows, few + 1))
    if len(some) > few:
        fill(table, columns, chain(some, rows))
        return Given(table, {})
    return _one(table, columns, some[0]) if len(some) == 1 else _as_arrays(table, columns, some)


def _one(table: str, columns: Mapping[str, str], row: tuple[Any, ...]) -> Given:
    """The only row as values: a long document is read three times as fast so as out of an array."""
    values = {f"{table}_{name}": value for name, value in zip(columns, row, strict=True)}
    typed = (f"%({table}_{name})s::{kind}" for name, kind in columns.items())
    return Given(f"(VALUES ({', '.join(typed)})) AS {table} ({', '.join(columns)})", values)


def _as_arrays(table: str, columns: Mapping[str, str], rows: Sequence[tuple[Any, ...]]) -> Given:
    arrays = {
        f"{table}_{name}": _WORDED.get(kind, list)(row[place] for row in rows)
        for place, (name, kind) in enumerate(columns.items())
    }
    typed = (f"%({table}_{name})s::{kind}[]" for name, kind in columns.items())
    return Given(f"unnest({', '.join(typed)}) AS {table} ({', '.join(columns)})", arrays)


def texts(values: Iterable[str | None]) -> str:
    """The parameter for an array of texts, put into words at one go.

    psycopg does that one by one, which for the names and versions of a manifest takes longer than to look
    them up.
    """
    quoted = (
        "NULL" if one is None else '"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in values
    )
    return "{" + ",".join(quoted) + "}"


def numbers(values: Iterable[int | None]) -> str:
    """The same for an array of whole numbers."""
    return "{" + ",".join("NULL" if one is None else str(one) for one in values) + "}"


_WORDED: Mapping[str, Callable[[Iterable[Any]], Any]] = {"text": texts, "bigint": numbers, "integer": numbers}


def look_again(*models: type[Model], briefly: bool = False) -> None:
    """Let the planner know what a load has made of these tables; by itself it finds out minutes later.

    `briefly`, it looks at a tenth of the rows that it looks at otherwise: enough to know how many there are.
    """
    analyze = f"ANALYZE {', '.join(model._meta.db_table for model in models)}"
    with connection.cursor() as cursor:
        if briefly:
            before, after = (f"SET LOCAL default_statistics_target TO {to}" for to in ("10", "DEFAULT"))
            cursor.execute(f"{before}; {analyze}; {after}")
        else:
            cursor.execute(analyze)
