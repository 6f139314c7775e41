"""What evaluation made of each distinct situation."""

from __future__ import annotations

import uuid

from django.db import models

from governance.models.scoping import GroupQuerySet, TenantRowQuerySet
from tenants.models import Group, Tenant


class Decision(models.Model):
    """The outcome of one distinct situation, decided once for all tenants in it.

    `changes`: [{"plugin", "from": release id | null, "to": release id | null, "because": text}], in no order;
    `unsettled`: [{"plugins": [id], "reason": text, "rules": [{"policy", "key"}]}], which become conflicts.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)  # of the situation
    changes = models.JSONField(default=list)
    unsettled = models.JSONField(default=list)
    decided_at = models.DateTimeField()

    objects = GroupQuerySet["Decision"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "digest"], name="decision_situation_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class TenantDecision(models.Model):
    """The situation that a tenant is in now, by its decision."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="decision")
    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="tenants")
    evaluated_at = models.DateTimeField()

    objects = TenantRowQuerySet["TenantDecision"].as_manager()

    class Meta:
        verbose_name = "decision of a tenant"

    def __str__(self) -> str:
        return f"{self.tenant_id} {self.decision_id}"
