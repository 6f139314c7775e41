"""What leaves the house, stored in the transaction that decided it."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from config.access import Access
from config.lifecycle import Transitions


class Destination(models.TextChoices):
    """Where a message goes."""

    ORCHESTRATOR = "orchestrator", "Upgrade orchestrator"
    CANCELLATION = "cancellation", "Cancelled upgrade"
    NOTIFY = "notify", "Notification service"
    AUDIT = "audit", "Audit service"
    EMAIL = "email", "E-mail"
    WEBHOOK = "webhook", "Webhook"
    CHAT = "chat", "Chat"


class OutboxStatus(models.TextChoices):
    """Where a message stands."""

    PENDING = "pending", "Pending"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Given up"


class Cause(models.TextChoices):
    """Why a message didn't get through at its last attempt, by what a person can do about it."""

    AWAY = "away", "Can’t be reached"
    FULL = "full", "Takes no more"
    CLOCK = "clock", "A clock is wrong"
    REFUSED = "refused", "Refuses it"
    FAULT = "fault", "Fails on it"
    HELD = "held", "Left alone for now"


class OutboxQuerySet(models.QuerySet["OutboxMessage"]):
    """Reads of the outbox."""

    def within(self, access: Access) -> OutboxQuerySet:
        """The messages of the group; only for those who reach all of it."""
        return self.filter(group_id=access.group_id) if access.whole_group else self.none()

    def undelivered(self) -> OutboxQuerySet:
        """Those that still have a way to go, and those that were given up."""
        return self.exclude(status=OutboxStatus.DELIVERED)

    def given_up(self) -> OutboxQuerySet:
        """The dead letters: nobody tries these again unless a person says so."""
        return self.filter(status=OutboxStatus.DEAD)

    def due(self, at: datetime) -> OutboxQuerySet:
        """Pending messages whose time has come and that nobody holds."""
        return self.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=at),
            status=OutboxStatus.PENDING,
            next_attempt_at__lte=at,
        )


class OutboxMessage(models.Model):
    """One outbound call. `idempotency_key` goes along, so that the receiver can tell a repetition."""

    TRANSITIONS: Transitions = {
        OutboxStatus.PENDING: frozenset({OutboxStatus.DELIVERED, OutboxStatus.DEAD}),
        OutboxStatus.DELIVERED: frozenset(),
        OutboxStatus.DEAD: frozenset({OutboxStatus.PENDING}),  # a person had the cause seen to
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group_id = models.BigIntegerField()
    destination = models.CharField(max_length=16, choices=Destination)
    address = models.CharField(
        max_length=500, blank=True
    )  # webhook subscription id, mail address, or whose chat
    payload = models.JSONField()
    idempotency_key = models.CharField(max_length=120, unique=True)
    status = models.CharField(max_length=16, choices=OutboxStatus, default=OutboxStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    next_attempt_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    cause = models.CharField(max_length=8, choices=Cause, blank=True)  # of the last error
    response = models.JSONField(null=True)

    objects = OutboxQuerySet.as_manager()

    class Meta:
        verbose_name = "outbox message"
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(status="pending"), name="outbox_due"),
            models.Index(fields=["group_id", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.destination} {self.idempotency_key}"
