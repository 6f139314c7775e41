"""What is deleted once nobody asks for it again; the ledger, reports and history never are."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session

from audit.models import OutboxMessage
from audit.models.outbox import OutboxStatus
from governance.models import IdempotentAnswer

log = structlog.get_logger("plumbline.retention")


def prune(*, at: datetime) -> dict[str, int]:
    """Delete delivered messages, answers kept for repeated requests, and sessions that have ended.

    A message that was given up stays until somebody has seen to it.
    """
    before = at - settings.KEEP
    delivered = OutboxMessage.objects.filter(status=OutboxStatus.DELIVERED, delivered_at__lt=before)
    counts = {
        "messages": delivered.delete()[0],
        "answers": IdempotentAnswer.objects.filter(answered_at__lt=before).delete()[0],
        "sessions": Session.objects.filter(expire_date__lt=at).delete()[0],
    }
    log.info("retention.pruned", before=before.isoformat(), **counts)
    return counts
