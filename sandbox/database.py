"""The one SQLite file that holds the sandbox's whole state, and the transactions on it."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

BUSY_SECONDS = 30

SCHEMA = """
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT OR IGNORE INTO counters VALUES ('changes', 0), ('duplicates', 0), ('key_conflicts', 0);

CREATE TABLE IF NOT EXISTS settings (id INTEGER PRIMARY KEY CHECK (id = 1), document TEXT NOT NULL);

CREATE TABLE IF NOT EXISTS tenants (
    group_slug TEXT NOT NULL,
    tenant TEXT NOT NULL,
    host_name TEXT NOT NULL,
    host_version TEXT NOT NULL,
    plugins TEXT NOT NULL,
    observed_at TEXT NOT NULL,
    change INTEGER NOT NULL,
    PRIMARY KEY (group_slug, tenant)
) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS tenants_by_change ON tenants (group_slug, change);

CREATE TABLE IF NOT EXISTS orders (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    idempotency_key TEXT NOT NULL UNIQUE,
    request TEXT NOT NULL,
    group_slug TEXT NOT NULL,
    tenant TEXT NOT NULL,
    task TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('accepted', 'running', 'succeeded', 'failed', 'cancelled')),
    detail TEXT NOT NULL DEFAULT '',
    claimed INTEGER NOT NULL DEFAULT 0,
    executions INTEGER NOT NULL DEFAULT 0,
    accepted_at TEXT NOT NULL,
    finished_at TEXT,
    CHECK ((finished_at IS NULL) = (status IN ('accepted', 'running')))
);
CREATE INDEX IF NOT EXISTS orders_unfinished ON orders (sequence) WHERE finished_at IS NULL;
CREATE INDEX IF NOT EXISTS orders_unfinished_by_tenant
    ON orders (group_slug, tenant, sequence) WHERE finished_at IS NULL;

CREATE TABLE IF NOT EXISTS callbacks (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id TEXT NOT NULL UNIQUE,
    order_id TEXT NOT NULL REFERENCES orders (id),
    url TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sending', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS callbacks_waiting ON callbacks (next_at) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS callbacks_open
    ON callbacks (order_id, sequence) WHERE state IN ('waiting', 'sending');
"""

Values = Sequence[str | int | float | None]


class Database:
    """One connection shared by all threads, one at a time.

    A connection per thread would only move the queue into SQLite's busy handler, which polls.
    Other processes (the demo loader) are kept apart by SQLite's own locks.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA journal_mode = WAL")
        # With WAL this loses nothing when the process is killed, only perhaps when the machine is.
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def rows(self, sql: str, values: Values = ()) -> list[sqlite3.Row]:
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def row(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        with self._lock:
            found: sqlite3.Row | None = self._connection.execute(sql, values).fetchone()
            return found

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A write transaction: all of the block, or nothing when it raises. One inside another joins it."""
        with self._lock:
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    def next_count(self, name: str) -> int:
        """Raise a counter by one, inside a write transaction, and return it."""
        [row] = self.rows(
            "INSERT INTO counters VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            (name,),
        )
        return int(row["value"])
