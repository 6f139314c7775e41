"""What each tenant of the pretended fleet runs now."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.database import Database


@dataclass(frozen=True, slots=True)
class TenantState:
    """One tenant as its manifest would describe it."""

    group: str
    tenant: str
    host_name: str
    host_version: str
    plugins: Mapping[str, str]
    observed_at: datetime


@dataclass(frozen=True, slots=True)
class ManifestPage:
    """Tenants in the order of their last change, and the cursor to ask on with."""

    cursor: int
    manifests: tuple[TenantState, ...]


class FleetState:
    """The tenants in a state file; the demo loader fills it with or without a server running on it."""

    def __init__(self, path: str | Path) -> None:
        self.database = Database(Path(path))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self.database.close()

    def put(
        self,
        group: str,
        tenant: str,
        host_name: str,
        host_version: str,
        plugins: Mapping[str, str],
        observed_at: datetime,
    ) -> None:
        """Set what a tenant runs; the plugins are all it has."""
        self.put_many([TenantState(group, tenant, host_name, host_version, plugins, observed_at)])

    def put_many(self, states: Iterable[TenantState]) -> None:
        """Set many tenants in one transaction. A tenant that already is so doesn't count as changed."""
        with self.database.writing() as connection:
            for state in states:
                if self.find(state.group, state.tenant) != state:
                    self.set(connection, state)

    def set(self, connection: sqlite3.Connection, state: TenantState) -> None:
        """Set what a tenant runs, in the caller's transaction."""
        connection.execute(
            "INSERT OR REPLACE INTO tenants VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                state.group,
                state.tenant,
                state.host_name,
                state.host_version,
                json.dumps(dict(state.plugins), sort_keys=True),
                state.observed_at.isoformat(),
                self.database.next_count("changes"),
            ),
        )

    def find(self, group: str, tenant: str) -> TenantState | None:
        row = self.database.row("SELECT * FROM tenants WHERE group_slug = ? AND tenant = ?", (group, tenant))
        return None if row is None else _state(dict(row))

    def has_group(self, group: str) -> bool:
        return self.database.row("SELECT 1 FROM tenants WHERE group_slug = ? LIMIT 1", (group,)) is not None

    def manifests(self, group: str, since: int = 0, limit: int = 500) -> ManifestPage:
        """The tenants that changed after the cursor, at most `limit` of them.

        A change becomes visible in the order of its number, since SQLite has one writer: none is skipped.
        """
        rows = self.database.rows(
            "SELECT * FROM tenants WHERE group_slug = ? AND change > ? ORDER BY change LIMIT ?",
            (group, since, limit),
        )
        cursor = rows[-1]["change"] if rows else since
        return ManifestPage(cursor, tuple(_state(dict(row)) for row in rows))


def _state(row: Mapping[str, str]) -> TenantState:
    return TenantState(
        group=row["group_slug"],
        tenant=row["tenant"],
        host_name=row["host_name"],
        host_version=row["host_version"],
        plugins=json.loads(row["plugins"]),
        observed_at=datetime.fromisoformat(row["observed_at"]),
    )
