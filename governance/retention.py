"""What is deleted once nobody asks for it again; the ledger, reports and history never are."""

from __future__ import annotations

from datetime import datetime

import structlog
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet

from audit import circuits
from audit.models import OutboxMessage
from audit.models.outbox import OutboxStatus
from governance.models import IdempotentAnswer, Parcel, Rollback, Simulation

log = structlog.get_logger("plumbline.retention")


def prune(*, at: datetime) -> dict[str, int]:
    """Delete delivered messages, answers to repeated requests, old simulations, and ended sessions.

    The same of what is known of receivers that failed and that nothing is to go to any more. A message that
    was given up stays until somebody has seen to it; a simulation that was applied stays.
    """
    before = at - settings.KEEP
    delivered = OutboxMessage.objects.filter(status=OutboxStatus.DELIVERED, delivered_at__lt=before)
    counts = {
        "messages": delivered.delete()[0],
        "answers": IdempotentAnswer.objects.filter(answered_at__lt=before).delete()[0],
        "simulations": _simulations(before).delete()[0],
        "circuits": circuits.forget_idle(at=at),
        "parcels": Parcel.objects.filter(sent_at__lt=before).delete()[0],
        "sessions": Session.objects.filter(expire_date__lt=at).delete()[0],
    }
    log.info("retention.pruned", before=before.isoformat(), **counts)
    return counts


def _simulations(before: datetime) -> QuerySet[Simulation]:
    """Those that were never applied, but for each group's last and its last rollback's, which would go with
    it: no number is to be given twice."""
    later = Simulation.objects.filter(group=OuterRef("group"), number__gt=OuterRef("number"))
    old = Simulation.objects.exclude(status=Simulation.Status.APPLIED).filter(created_at__lt=before)
    rolled_back_later = Rollback.objects.filter(
        group=OuterRef("group"), number__gt=OuterRef("rollback__number")
    )
    return old.filter(Exists(later)).filter(Q(rollback=None) | Exists(rolled_back_later))
