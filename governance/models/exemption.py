"""Approved, expiring permissions to break a rule."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from config.lifecycle import Transitions
from governance.models.catalogue import Plugin
from governance.models.policy import Policy
from governance.models.scoping import TenantRowQuerySet
from tenants.models import Group, Tenant


class ExemptionQuerySet(TenantRowQuerySet["Exemption"]):
    """Reads of exemptions."""

    def in_force(self, at: datetime) -> Self:
        """Approved ones whose time it is."""
        return self.filter(status=Exemption.Status.APPROVED, starts_at__lte=at, expires_at__gt=at)


class Exemption(models.Model):
    """Lets one tenant break a policy, or one rule of it, perhaps for one plugin only, until a time."""

    class Status(models.TextChoices):
        """Where it stands."""

        REQUESTED = "requested", "Requested"
        APPROVED = "approved", "Approved"
        REJECTED = "rejected", "Rejected"
        REVOKED = "revoked", "Revoked"
        EXPIRED = "expired", "Expired"

    TRANSITIONS: Transitions = {
        Status.REQUESTED: frozenset({Status.APPROVED, Status.REJECTED, Status.REVOKED}),
        Status.APPROVED: frozenset({Status.REVOKED, Status.EXPIRED}),
        Status.REJECTED: frozenset(),
        Status.REVOKED: frozenset(),
        Status.EXPIRED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="exemptions")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="exemptions")
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="exemptions")
    rule_key = models.SlugField(max_length=100, blank=True)  # blank: every rule of the policy
    plugin = models.ForeignKey(Plugin, on_delete=models.CASCADE, null=True, blank=True, related_name="+")
    reason = models.TextField()
    status = models.CharField(max_length=10, choices=Status, default=Status.REQUESTED)
    starts_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    requested_by_id = models.BigIntegerField(null=True)  # a person's id; null for a service or a file
    requested_by_name = models.CharField(max_length=200)
    requested_at = models.DateTimeField()
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_comment = models.TextField(blank=True)
    name = models.SlugField(max_length=100, blank=True)  # given in the YAML, keeps it the same on re-apply

    objects = ExemptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("starts_at")),
                name="exemption_expires_after_start",
                violation_error_message="An exemption must expire after it starts.",
            ),
            models.UniqueConstraint(
                fields=["group", "name"],
                condition=~Q(name="") & Q(status__in=["requested", "approved"]),
                name="exemption_name_once",
            ),
        ]
        indexes = [models.Index(fields=["group", "status", "expires_at"])]

    def __str__(self) -> str:
        return f"{self.tenant} from {self.policy}"
