"""Upgrade plans that were handed to Plumbline itself, to be carried out by people."""

from __future__ import annotations

import uuid

from django.db import models

from config.lifecycle import Transitions
from governance.models.scoping import TenantRowQuerySet
from tenants.models import Group, Tenant


class UpgradeOrder(models.Model):
    """The receiving end of the outbound contract where no other orchestrator is named.

    A person carries it out by hand and says so; the tenant's next manifest decides, as for any other.
    """

    class Status(models.TextChoices):
        """Where it stands, in the contract's words."""

        ACCEPTED = "accepted", "Accepted"
        SUCCEEDED = "succeeded", "Said to be done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS: Transitions = {
        Status.ACCEPTED: frozenset({Status.SUCCEEDED, Status.FAILED, Status.CANCELLED}),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(),
        Status.CANCELLED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="upgrade_orders")
    idempotency_key = models.CharField(max_length=200)
    # The task's id as the caller names it; the caller may be another installation, so no reference.
    task_id = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACCEPTED)
    steps = models.JSONField()
    callback_url = models.CharField(max_length=500, blank=True)
    due_at = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)
    received_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    objects = TenantRowQuerySet["UpgradeOrder"].as_manager()

    class Meta:
        verbose_name = "upgrade order"
        constraints = [
            models.UniqueConstraint(fields=["group", "idempotency_key"], name="upgrade_order_once")
        ]

    def __str__(self) -> str:
        return f"{self.tenant} by hand"
