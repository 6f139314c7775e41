"""The only way out: messages stored with the decision, delivered later, more than once if need be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from audit.models.outbox import Destination, OutboxMessage


def post(
    destination: Destination,
    payload: Mapping[str, Any],
    *,
    group_id: int,
    idempotency_key: str,
    at: datetime,
    address: str = "",
) -> None:
    """Store a message in the caller's transaction. The same key again changes nothing."""
    OutboxMessage.objects.bulk_create(
        [
            OutboxMessage(
                group_id=group_id,
                destination=destination,
                address=address,
                payload=dict(payload),
                idempotency_key=idempotency_key,
                created_at=at,
                next_attempt_at=at,
            )
        ],
        ignore_conflicts=True,
    )


def post_audit(document: Mapping[str, Any], *, group_id: int, at: datetime) -> None:
    """Store the outbound audit record of one ledger entry; its hash is its key.

    While no other audit service is named, the contract's receiver is this very ledger, which has the entry.
    """
    if not settings.AUDIT_URL:
        return
    post(Destination.AUDIT, document, group_id=group_id, idempotency_key=f"audit-{document['hash']}", at=at)
