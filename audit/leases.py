"""Who holds a message: its row says until when, and a lock of the holder's session whether that one lives.

A process that is killed loses its session at once, so that nobody has to wait for the end of its lease.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from audit.models import OutboxMessage
from audit.models.outbox import OutboxStatus

_MOMENT = timedelta(microseconds=1)


def take_all(message_ids: Collection[UUID]) -> set[UUID]:
    """Hold those of the messages that nobody else does; which."""
    mine = _ask_all("pg_try_advisory_lock", message_ids)
    return {message_id for message_id in message_ids if key(message_id) in mine}


def give_back_all(message_ids: Iterable[UUID]) -> None:
    """Hold these no longer."""
    _ask_all("pg_advisory_unlock", message_ids)


def end_abandoned(*, at: datetime) -> int:
    """End the leases of those that were killed with messages in hand; how many.

    Over, and not gone: that it was there shows whoever comes next that somebody was stopped.
    """
    leased = OutboxMessage.objects.filter(status=OutboxStatus.PENDING, lease_until__gt=at)
    seen = dict(leased.values_list("pk", "lease_until"))
    left = take_all(seen) if seen else set()
    try:
        return sum(_end(message_id, seen[message_id], at) for message_id in left)
    finally:
        give_back_all(left)


def key(message_id: UUID) -> int:
    """The number of the message's lock."""
    return int.from_bytes(message_id.bytes[:8], signed=True)


def _end(message_id: UUID, lease_until: datetime | None, at: datetime) -> int:
    # Unless its holder was done with it a moment ago.
    as_seen = OutboxMessage.objects.filter(pk=message_id, lease_until=lease_until)
    return as_seen.filter(status=OutboxStatus.PENDING).update(lease_until=at - _MOMENT)


def _ask_all(function: str, message_ids: Iterable[UUID]) -> set[int]:
    """The keys to which the function says yes. It is asked once for each."""
    keys = [key(message_id) for message_id in message_ids]
    if not keys:
        return set()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key FROM unnest(%s::bigint[]) AS key WHERE {function}(key)",
            [keys],
        )
        return {row[0] for row in cursor.fetchall()}
