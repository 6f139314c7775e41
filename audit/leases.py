"""Who holds a message: its row says until when, and a lock of the holder's session whether that one lives.

A process that is killed loses its session at once, so that nobody has to wait for the end of its lease.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection

from audit.models import OutboxMessage
from audit.models.outbox import OutboxStatus

_MOMENT = timedelta(microseconds=1)


def take(message_id: UUID) -> bool:
    """Hold the message for as long as this session lives; False while somebody else does."""
    return _ask("SELECT pg_try_advisory_lock(%s)", message_id)


def give_back(message_id: UUID) -> None:
    """Hold it no longer."""
    _ask("SELECT pg_advisory_unlock(%s)", message_id)


def end_abandoned(*, at: datetime) -> int:
    """End the leases of those that were killed with a message in hand; how many."""
    leased = OutboxMessage.objects.filter(status=OutboxStatus.PENDING, lease_until__gt=at)
    return sum(_end(message, at) for message in leased.only("lease_until"))


def key(message_id: UUID) -> int:
    """The number of the message's lock."""
    return int.from_bytes(message_id.bytes[:8], signed=True)


def _end(message: OutboxMessage, at: datetime) -> int:
    """Over, and not gone: that it was there shows whoever comes next that somebody was stopped."""
    if not take(message.pk):
        return 0
    try:
        # Unless its holder was done with it a moment ago.
        as_seen = OutboxMessage.objects.filter(pk=message.pk, lease_until=message.lease_until)
        return as_seen.filter(status=OutboxStatus.PENDING).update(lease_until=at - _MOMENT)
    finally:
        give_back(message.pk)


def _ask(statement: str, message_id: UUID) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, [key(message_id)])
        return bool(cursor.fetchone()[0])
