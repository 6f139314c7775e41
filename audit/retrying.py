"""All that was given up, tried again in one statement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection


@dataclass(frozen=True, slots=True)
class Retried:
    """A message with another round of attempts before it; `about` is what its payload is named by."""

    id: UUID
    destination: str
    idempotency_key: str
    last_error: str
    about: str | None


def retry_all(group_id: int, *, named: Mapping[str, str], at: datetime) -> list[Retried]:
    """Give all of a group's messages that were given up another round, and say which, the oldest first.

    `named` are the destinations meant, each with the entry of its payloads that names what one is about.
    What somebody else retries at the same time is theirs.
    """
    parameters: dict[str, Any] = {"group": group_id, "named": json.dumps(dict(named)), "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_RETRY_ALL, parameters)
        return [Retried(*row) for row in cursor.fetchall()]


_RETRY_ALL = """
WITH retried AS (
    UPDATE audit_outboxmessage m
    SET status = 'pending', attempts = 0, next_attempt_at = %(at)s, lease_until = NULL
    FROM jsonb_each_text(%(named)s) AS named (destination, entry)
    WHERE m.group_id = %(group)s AND m.status = 'dead' AND m.destination = named.destination
    RETURNING m.id, m.destination, m.idempotency_key, m.last_error, m.created_at,
        m.payload ->> named.entry AS about
)
SELECT id, destination, idempotency_key, last_error, about FROM retried ORDER BY created_at, id
"""
