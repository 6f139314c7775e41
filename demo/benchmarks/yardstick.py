"""How fast the machine itself is just now: work that has nothing to do with Plumbline's own.

The same figures on another machine, or in another hour, take as many times as long as these do.
"""

from __future__ import annotations

import time
from typing import Any

from django.db import connection

Figures = dict[str, Any]
ROWS = 2_000_000
SUMS = 10_000_000
_PLUGINS = 200  # that a tenant has; it only says what the rows look like
_CHUNK = 100_000  # rows sent at once
_COLUMNS = "tenant_id bigint, plugin_id bigint, release_id bigint"
_MERGE = """
MERGE INTO yardstick AS kept USING sent ON kept.tenant_id = sent.tenant_id AND kept.plugin_id = sent.plugin_id
WHEN MATCHED THEN UPDATE SET release_id = sent.release_id
WHEN NOT MATCHED THEN INSERT VALUES (sent.tenant_id, sent.plugin_id, sent.release_id)
"""


def measure(rows: int = ROWS, sums: int = SUMS) -> Figures:
    """Seconds that PostgreSQL and Python take for it, each on one core.

    PostgreSQL copies rows of three numbers into a temporary table and merges them into an empty one without
    indexes; Python adds numbers up in a loop.
    """
    figures = {**_merged(rows), "python_loop": _added(sums)}
    return {
        "seconds": round(sum(figures.values()), 3),
        **{name: round(value, 3) for name, value in figures.items()},
    }


def _merged(rows: int) -> dict[str, float]:
    chunks = [
        "".join(
            f"{number // _PLUGINS}\t{number % _PLUGINS}\t{number % 977}\n"
            for number in range(start, min(start + _CHUNK, rows))
        )
        for start in range(0, rows, _CHUNK)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS yardstick; CREATE TABLE yardstick ({_COLUMNS})")
        cursor.execute(f"CREATE TEMPORARY TABLE sent ({_COLUMNS})")
        try:
            begun = time.perf_counter()
            with cursor.copy("COPY sent FROM STDIN") as copy:
                for chunk in chunks:
                    copy.write(chunk)
            copied = time.perf_counter()
            cursor.execute(_MERGE)
            merged = time.perf_counter()
            if cursor.rowcount != rows:
                raise AssertionError(f"{cursor.rowcount} of {rows} rows were merged.")
        finally:
            cursor.execute("DROP TABLE sent; DROP TABLE yardstick")
    return {"copy": copied - begun, "merge": merged - copied}


def _added(sums: int) -> float:
    begun = time.perf_counter()
    total = 0
    for number in range(sums):
        total += number * number % 7
    return time.perf_counter() - begun
