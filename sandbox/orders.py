"""Orders from arrival to end, each in the state file before anyone hears of it."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sandbox import callbacks
from sandbox.contract import OrderRequest, steps_of
from sandbox.faults import LATE_SECONDS, Fault, Outcome, SettingsStore, is_reordered, outcome
from sandbox.problems import conflict, not_found
from sandbox.state import FleetState
from sandbox.steps import StepsDiffer, carry_out

_FAULTS = {
    Outcome.FAILED: Fault.FAILURES,
    Outcome.PARTIAL: Fault.PARTIAL_UPGRADES,
    Outcome.FALSE_SUCCESS: Fault.FALSE_SUCCESSES,
}


@dataclass(frozen=True, slots=True)
class Order:
    sequence: int
    id: str
    group: str
    task: str
    tenant: str
    status: str
    detail: str
    finished_at: str | None
    request: dict[str, Any]


class OrderBook:
    """Every order ever placed, and the only code that changes one."""

    def __init__(self, fleet: FleetState, settings: SettingsStore) -> None:
        self._fleet = fleet
        self._settings = settings
        self._database = fleet.database

    def place(self, request: OrderRequest, key: str) -> str:
        """Accept an order and return its id; the same request under the same key gets the first one's.

        Raises Problem: 409 for the key with another request, 404 for a tenant that isn't there.
        """
        with self._database.writing() as connection:
            row = self._database.row("SELECT id, request FROM orders WHERE idempotency_key = ?", (key,))
            if row is None:
                return self._insert(connection, request, key)
            repeated = row["request"] == request.document
            self._database.next_count("duplicates" if repeated else "key_conflicts")
        if not repeated:
            raise conflict("This Idempotency-Key came with another request before")
        return str(row["id"])

    def get(self, order_id: str) -> Order:
        """Raises a 404 Problem."""
        row = self._database.row("SELECT * FROM orders WHERE id = ?", (order_id,))
        if row is None:
            raise not_found(f"There is no order {order_id}")
        return _order(row)

    def cancel(self, order_id: str) -> Order:
        """Stop an order that hasn't finished; one that is cancelled already stays so. Raises Problem."""
        with self._database.writing() as connection:
            order = self.get(order_id)
            if order.status in {"succeeded", "failed"}:
                raise conflict(f"The order has {order.status} already")
            if order.status != "cancelled":
                _finish(connection, order, "cancelled", "cancelled by the caller")
        return self.get(order_id)

    def resume(self) -> None:
        """Let go of the orders that a killed process held, so that they are claimed anew."""
        with self._database.writing() as connection:
            connection.execute("UPDATE orders SET claimed = 0 WHERE finished_at IS NULL")

    def claim(self) -> Order | None:
        """Take the oldest order that no earlier one of its tenant is before, and say that it runs."""
        with self._database.writing() as connection:
            row = self._database.row(
                "SELECT * FROM orders AS mine WHERE finished_at IS NULL AND claimed = 0"
                " AND NOT EXISTS (SELECT 1 FROM orders AS earlier WHERE earlier.finished_at IS NULL"
                "   AND earlier.group_slug = mine.group_slug AND earlier.tenant = mine.tenant"
                "   AND earlier.sequence < mine.sequence)"
                " ORDER BY sequence LIMIT 1"
            )
            if row is None:
                return None
            connection.execute(
                "UPDATE orders SET claimed = 1, status = 'running' WHERE sequence = ?", (row["sequence"],)
            )
            order = _order(row)
            if order.status == "accepted":  # a resumed order has said so before
                self._announce(connection, order, "running", "")
            return order

    def is_running(self, order: Order) -> bool:
        return self.get(order.id).status == "running"

    def finish(self, order: Order) -> None:
        """Carry the order out and end it, in one transaction; nothing if it has ended meanwhile."""
        with self._database.writing() as connection:
            if not self.is_running(order):
                return
            status, detail = self._execute(connection, order)
            _finish(connection, order, status, detail)
            self._announce(connection, order, status, detail)

    def _insert(self, connection: sqlite3.Connection, request: OrderRequest, key: str) -> str:
        if self._fleet.find(request.group, request.tenant) is None:
            raise not_found(f"There is no tenant {request.tenant} in group {request.group}")
        order_id = uuid4().hex
        connection.execute(
            "INSERT INTO orders (id, idempotency_key, request, group_slug, tenant, task, status, accepted_at)"
            " VALUES (?, ?, ?, ?, ?, ?, 'accepted', ?)",
            (order_id, key, request.document, request.group, request.tenant, request.task, _now()),
        )
        return order_id

    def _execute(self, connection: sqlite3.Connection, order: Order) -> tuple[str, str]:
        """Status and detail of the end; the steps are applied, or none of them is."""
        drawn = outcome(self._settings.load(), order.sequence)
        if fault := _FAULTS.get(drawn):
            self._settings.note(fault)
        if drawn is Outcome.FAILED:
            return "failed", "The sandbox was told to fail some orders"
        state = self._fleet.find(order.group, order.tenant)
        if state is None:
            return "failed", f"There is no tenant {order.tenant} any more"
        steps = steps_of(order.request)
        try:
            after = carry_out(state, steps, datetime.now(UTC))
        except StepsDiffer as difference:
            return "failed", str(difference)
        if drawn is Outcome.PARTIAL:
            done = len(steps) // 2
            self._fleet.set(connection, carry_out(state, steps[:done], datetime.now(UTC)))
            return "failed", f"Stopped after {done} of {len(steps)} steps"
        if drawn is Outcome.CARRIED_OUT:
            self._fleet.set(connection, after)
            connection.execute(
                "UPDATE orders SET executions = executions + 1 WHERE sequence = ?", (order.sequence,)
            )
        return "succeeded", f"{len(steps)} step{'' if len(steps) == 1 else 's'} carried out"

    def _announce(self, connection: sqlite3.Connection, order: Order, status: str, detail: str) -> None:
        url, settings = order.request.get("callback_url"), self._settings.load()
        if url is None or not settings.callback:
            return
        hold = 0.0
        if status == "running" and is_reordered(settings, order.sequence):
            self._settings.note(Fault.REORDERED_CALLBACKS)
            hold = settings.delay_seconds + LATE_SECONDS
        body = {
            "order": order.id,
            "task": order.task,
            "tenant": order.tenant,
            "group": order.group,
            "status": status,
            "detail": detail,
            "at": _now(),
        }
        callbacks.enqueue(connection, url, body, hold_seconds=hold)


def _finish(connection: sqlite3.Connection, order: Order, status: str, detail: str) -> None:
    connection.execute(
        "UPDATE orders SET status = ?, detail = ?, finished_at = ? WHERE sequence = ?",
        (status, detail, _now(), order.sequence),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _order(row: sqlite3.Row) -> Order:
    return Order(
        sequence=row["sequence"],
        id=row["id"],
        group=row["group_slug"],
        task=row["task"],
        tenant=row["tenant"],
        status=row["status"],
        detail=row["detail"],
        finished_at=row["finished_at"],
        request=json.loads(row["request"]),
    )
