"""Telling the caller how an order goes: an outbox in the state file, and its signed delivery."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_bytes
from uuid import uuid4

import httpx
from standardwebhooks import Webhook

from sandbox.database import Database
from sandbox.faults import Absence, Fault, SettingsStore, callback_faults

log = logging.getLogger("sandbox.callbacks")

TIMEOUT_SECONDS = 5.0
MOST_ATTEMPTS = 6
FIRST_PAUSE_SECONDS = 0.5  # doubled after each attempt: about a quarter of a minute in all


@dataclass(frozen=True, slots=True)
class Callback:
    sequence: int
    message_id: str
    url: str
    body: str
    attempts: int


class CallbackOutbox:
    """The callbacks to send. One order's leave one after the other; different orders' don't wait."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def resume(self) -> None:
        """Send again what a killed process was sending; the receiver knows it by its message id."""
        with self._database.writing() as connection:
            connection.execute("UPDATE callbacks SET state = 'waiting' WHERE state = 'sending'")

    def claim(self, now: float) -> Callback | None:
        with self._database.writing() as connection:
            row = connection.execute(
                "UPDATE callbacks SET state = 'sending', attempts = attempts + 1 WHERE sequence = ("
                "  SELECT sequence FROM callbacks AS mine WHERE state = 'waiting' AND next_at <= ?"
                "  AND NOT EXISTS (SELECT 1 FROM callbacks AS earlier WHERE earlier.order_id = mine.order_id"
                "    AND earlier.sequence < mine.sequence AND earlier.state IN ('waiting', 'sending')"
                # one that is held back on purpose, with no attempt made, lets the later ones pass
                "    AND (earlier.attempts > 0 OR earlier.next_at <= ?))"
                "  ORDER BY next_at, sequence LIMIT 1"
                ") RETURNING sequence, message_id, url, body, attempts",
                (now, now),
            ).fetchone()
        return None if row is None else Callback(**dict(row))

    def delivered(self, callback: Callback) -> None:
        self._set(callback, "delivered", 0)

    def failed(self, callback: Callback, now: float) -> None:
        pause = FIRST_PAUSE_SECONDS * 2 ** (callback.attempts - 1)
        self._set(callback, "given_up" if callback.attempts >= MOST_ATTEMPTS else "waiting", now + pause)

    def _set(self, callback: Callback, state: str, next_at: float) -> None:
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE callbacks SET state = ?, next_at = ? WHERE sequence = ?",
                (state, next_at, callback.sequence),
            )


def enqueue(
    connection: sqlite3.Connection, url: str, body: Mapping[str, str], *, hold_seconds: float = 0.0
) -> None:
    """Put a callback into the outbox, in the transaction that changes the order."""
    connection.execute(
        "INSERT INTO callbacks (message_id, order_id, url, body, next_at) VALUES (?, ?, ?, ?, ?)",
        (f"msg_{uuid4().hex}", body["order"], url, json.dumps(body), time.time() + hold_seconds),
    )


class Courier:
    """Takes callbacks from the outbox and posts them, signed."""

    def __init__(
        self, outbox: CallbackOutbox, secret: str, settings: SettingsStore, absence: Absence
    ) -> None:
        self._outbox = outbox
        self._settings = settings
        self._absence = absence
        self._webhook = Webhook(secret)
        # the machine's proxies are for the world outside, not for the product next door
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    def deliver_next(self) -> bool:
        """Try one callback; False when none is due."""
        callback = None if self._absence.seconds_left() else self._outbox.claim(time.time())
        if callback is None:
            return False
        faults = self._faults(callback)
        if Fault.FORGED_CALLBACKS in faults:
            self._post(_forged(callback), Webhook(token_bytes(24)))
        lost = Fault.LOST_CALLBACKS in faults  # as far as the sender can tell, it arrived
        objection = None if lost else self._post(callback, self._webhook)
        if Fault.DUPLICATED_CALLBACKS in faults and not lost:
            self._post(callback, self._webhook)
        if objection is None:
            self._outbox.delivered(callback)
        else:
            self._outbox.failed(callback, time.time())
            context = {"message_id": callback.message_id, "url": callback.url, "attempt": callback.attempts}
            log.warning("callback not delivered", extra={"context": {**context, "reason": objection}})
        return True

    def close(self) -> None:
        self._client.close()

    def _faults(self, callback: Callback) -> frozenset[Fault]:
        """What to do wrong, once for each callback."""
        if callback.attempts > 1:
            return frozenset()
        faults = callback_faults(self._settings.load(), callback.sequence)
        for fault in sorted(faults):
            self._settings.note(fault)
        return faults

    def _post(self, callback: Callback, webhook: Webhook) -> str | None:
        """Why it was not delivered, or None."""
        now = datetime.now(UTC)
        headers = {
            "content-type": "application/json",
            "webhook-id": callback.message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": webhook.sign(callback.message_id, now, callback.body),
        }
        try:
            answer = self._client.post(callback.url, content=callback.body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return f"{type(error).__name__}: {error}"
        return None if answer.is_success else f"answered {answer.status_code}"


def _forged(callback: Callback) -> Callback:
    """The opposite of what is so, under a name of its own; nobody who checks signatures believes it."""
    body = json.loads(callback.body)
    lie = "failed" if body["status"] == "succeeded" else "succeeded"
    return replace(callback, message_id=f"msg_{uuid4().hex}", body=json.dumps({**body, "status": lie}))
