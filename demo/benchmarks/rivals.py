"""What people would do instead: read the rows into DuckDB or Polars, join there, and write the findings back.

Both read what PostgreSQL copies out as CSV and write what it copies in. DuckDB's own way in is an extension
that it downloads when it is used first, Polars' are packages of their own; CSV is what both read fastest
without. The rows are the fewest that will do: ids alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import polars
from django.db import connection
from django.db.backends.utils import CursorWrapper

from demo.benchmarks import filling
from demo.benchmarks.world import AT
from tenants.models import Group

Figures = dict[str, Any]

# The rows that the join needs, by name.
_READ = {
    "installations": "SELECT tenant_id, plugin_id, release_id FROM governance_installation"
    " WHERE group_id = {group} AND until IS NULL",
    "violations": "SELECT rule_id, release_id FROM governance_violation",
    "rules": "SELECT r.id AS rule_id, r.policy_id, r.key, r.selection_id, r.severity, r.sla_days"
    " FROM governance_rule r JOIN governance_policy p ON p.current_id = r.version_id"
    " WHERE r.group_id = {group} AND r.kind <> 'hold'",
    "members": "SELECT selection_id, tenant_id FROM governance_selectiontenant",
    "exemptions": "SELECT id AS exemption_id, tenant_id, policy_id, rule_key, plugin_id"
    " FROM governance_exemption WHERE group_id = {group} AND status = 'approved'"
    " AND starts_at <= '{at}' AND expires_at > '{at}'",
}
# What a later run has to read as well, to write what is new and nothing twice.
_KNOWN = {
    "known": "SELECT tenant_id, plugin_id, policy_id, rule_key, rule_id, release_id, status"
    " FROM rival_finding WHERE closed_at IS NULL"
}
_KEY = ("tenant_id", "plugin_id", "policy_id", "rule_key")
_TYPES = {"exemptions": {"exemption_id": polars.String, "rule_key": polars.String, "plugin_id": polars.Int64}}
_COLUMNS = (
    "tenant_id, plugin_id, policy_id, rule_key, rule_id, release_id, severity, exemption_id, status, due_at"
)
# A table like that of the findings, with its indexes, its checks and the room that it leaves; what is the
# same in every row isn't sent.
_TARGET = """
DROP TABLE IF EXISTS rival_finding;
CREATE TABLE rival_finding (LIKE governance_finding INCLUDING ALL) WITH ({room});
ALTER TABLE rival_finding
    ALTER group_id SET DEFAULT {group},
    ALTER opened_at SET DEFAULT '{at}',
    ALTER opened_snapshot SET DEFAULT 2
"""
_DIFFERING = """
SELECT count(*) FROM rival_finding rival
FULL JOIN (SELECT * FROM governance_finding WHERE closed_at IS NULL) own
  ON own.tenant_id = rival.tenant_id AND own.plugin_id = rival.plugin_id
    AND own.policy_id = rival.policy_id AND own.rule_key = rival.rule_key
WHERE (own.rule_id, own.release_id, own.exemption_id, own.status, own.due_at)
    IS DISTINCT FROM (rival.rule_id, rival.release_id, rival.exemption_id, rival.status, rival.due_at)
"""
_DUCKDB = """
SELECT i.tenant_id, i.plugin_id, r.policy_id, r.key AS rule_key, r.rule_id, i.release_id, r.severity,
    e.exemption_id, CASE WHEN e.exemption_id IS NULL THEN 'new' ELSE 'accepted' END AS status,
    CASE WHEN e.exemption_id IS NULL THEN '{at}'::TIMESTAMPTZ + to_days(r.sla_days) END AS due_at
FROM installations i
JOIN violations v USING (release_id)
JOIN rules r ON r.rule_id = v.rule_id
JOIN members m ON m.selection_id = r.selection_id AND m.tenant_id = i.tenant_id
LEFT JOIN exemptions e ON e.tenant_id = i.tenant_id AND e.policy_id = r.policy_id
    AND coalesce(e.rule_key, '') IN ('', r.key) AND coalesce(e.plugin_id::BIGINT, i.plugin_id) = i.plugin_id
"""
_NEWS = """
SELECT count(*) FROM found FULL JOIN known USING (tenant_id, plugin_id, policy_id, rule_key)
WHERE (found.rule_id, found.release_id, found.status)
    IS DISTINCT FROM (known.rule_id, known.release_id, known.status)
"""


def with_duckdb() -> Figures:
    """The same drift found by DuckDB."""
    return _checked(_duckdb, _duckdb_again)


def with_polars() -> Figures:
    """The same drift found by Polars."""
    return _checked(_polars, _polars_again)


def _checked(run: Callable[[Path], Figures], again: Callable[[Path], int]) -> Figures:
    """The figures of one run into an empty table, of the same with nothing new, and of the first once more.

    Raises AssertionError where the findings aren't those of Plumbline.
    """
    with connection.cursor() as cursor, TemporaryDirectory() as folder:
        _empty_target(cursor)
        figures = run(Path(folder))
        cursor.execute(_DIFFERING)
        if differing := cursor.fetchone()[0]:
            raise AssertionError(f"{differing} findings aren't those that Plumbline has found.")
        begun = time.perf_counter()
        if news := again(Path(folder)):
            raise AssertionError(f"{news} findings would be written twice.")
        figures["again"] = round(time.perf_counter() - begun, 3)
        _empty_target(cursor)
        once_more = run(Path(folder))
        if once_more["findings"] != figures["findings"]:
            raise AssertionError(
                f"{once_more['findings']} findings, where {figures['findings']} were before."
            )
        return {**figures, "warm": once_more["seconds"]}


def _empty_target(cursor: CursorWrapper) -> None:
    cursor.execute("SELECT reloptions FROM pg_class WHERE oid = 'governance_finding'::regclass")
    room = ", ".join(cursor.fetchone()[0])
    cursor.execute(_TARGET.format(group=_group(), at=AT.isoformat(), room=room))


def _duckdb(folder: Path) -> Figures:
    begun = time.perf_counter()
    files = _copied_out(folder)
    with duckdb.connect() as memory:
        for name, file in files.items():
            memory.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{file}', header = true)")
        read = time.perf_counter()
        memory.execute(f"CREATE TABLE found AS {_DUCKDB.format(at=AT.isoformat())}")
        computed = time.perf_counter()
        memory.execute(f"COPY found TO '{folder / 'found.csv'}' (HEADER false)")
    findings = _copied_in(folder / "found.csv")
    return _figures(begun, read, computed, findings)


def _duckdb_again(folder: Path) -> int:
    """How many findings a later run would have to write."""
    with duckdb.connect() as memory:
        for name, file in _copied_out(folder, _READ | _KNOWN).items():
            memory.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{file}', header = true)")
        memory.execute(f"CREATE TABLE found AS {_DUCKDB.format(at=AT.isoformat())}")
        row = memory.execute(_NEWS).fetchone()
    return int(row[0]) if row else 0


def _polars(folder: Path) -> Figures:
    begun = time.perf_counter()
    frames = _frames(_copied_out(folder))
    read = time.perf_counter()
    found = _join(frames)
    computed = time.perf_counter()
    found.select(_COLUMNS.split(", ")).write_csv(folder / "found.csv", include_header=False)
    findings = _copied_in(folder / "found.csv")
    return _figures(begun, read, computed, findings)


def _polars_again(folder: Path) -> int:
    """The same of Polars."""
    frames = _frames(_copied_out(folder, _READ | _KNOWN))
    both = _join(frames).join(frames["known"], on=_KEY, how="full", suffix="_known")
    same = (
        polars.col(name).eq_missing(polars.col(f"{name}_known"))
        for name in ("rule_id", "release_id", "status")
    )
    return both.filter(~polars.all_horizontal(same)).height


def _frames(files: Mapping[str, Path]) -> dict[str, polars.DataFrame]:
    return {name: polars.read_csv(file, schema_overrides=_TYPES.get(name)) for name, file in files.items()}


def _join(frames: dict[str, polars.DataFrame]) -> polars.DataFrame:
    broken = (
        frames["installations"]
        .lazy()
        .join(frames["violations"].lazy().join(frames["rules"].lazy(), on="rule_id"), on="release_id")
        .join(frames["members"].lazy(), on=["selection_id", "tenant_id"])
        .collect()
    )
    exempt = frames["exemptions"].rename({"plugin_id": "exempt_plugin", "rule_key": "exempt_key"})
    joined = broken.join(exempt, on=["tenant_id", "policy_id"], how="left")
    column = polars.col
    of_rule = (column("exempt_key").fill_null("") == "") | (column("exempt_key") == column("key"))
    of_plugin = column("exempt_plugin").fill_null(column("plugin_id")) == column("plugin_id")
    exemption = polars.when(of_rule & of_plugin).then(column("exemption_id"))
    return joined.with_columns(exemption_id=exemption).with_columns(
        status=polars.when(column("exemption_id").is_null())
        .then(polars.lit("new"))
        .otherwise(polars.lit("accepted")),
        due_at=polars.when(column("exemption_id").is_null()).then(
            polars.lit(AT) + polars.duration(days=column("sla_days"))
        ),
        rule_key=column("key"),
    )


def _group() -> int:
    return Group.objects.values_list("pk", flat=True).get(slug=filling.SLUG)


def _copied_out(folder: Path, queries: Mapping[str, str] = _READ) -> dict[str, Path]:
    group = _group()
    files: dict[str, Path] = {}
    with connection.cursor() as cursor:
        for name, query in queries.items():
            files[name] = folder / f"{name}.csv"
            text = query.format(group=group, at=AT.isoformat())
            with (
                files[name].open("wb") as file,
                cursor.copy(f"COPY ({text}) TO STDOUT (FORMAT csv, HEADER)") as copy,
            ):
                for block in copy:
                    file.write(block)
    return files


def _copied_in(file: Path) -> int:
    """Write the findings; how many there are."""
    with connection.cursor() as cursor:
        with (
            cursor.copy(f"COPY rival_finding ({_COLUMNS}) FROM STDIN (FORMAT csv)") as copy,
            file.open("rb") as given,
        ):
            while block := given.read(1 << 16):
                copy.write(block)
        cursor.execute("SELECT count(*) FROM rival_finding")
        return int(cursor.fetchone()[0])


def _figures(begun: float, read: float, computed: float, findings: int) -> Figures:
    return {
        "seconds": round(time.perf_counter() - begun, 3),
        "read": round(read - begun, 3),
        "compute_in_memory": round(computed - read, 3),
        "write_back": round(time.perf_counter() - computed, 3),
        "findings": findings,
        "way": "COPY TO and FROM csv",
    }
