"""One tenant of a group."""

from __future__ import annotations

from django.db import models

from config.access import Access
from tenants.models.group import Group


class TenantQuerySet(models.QuerySet["Tenant"]):
    """Reads of tenants."""

    def within(self, access: Access) -> TenantQuerySet:
        """The tenants that the actor reaches."""
        tenants = self.filter(group_id=access.group_id)
        return tenants if access.tenant_ids is None else tenants.filter(pk__in=access.tenant_ids)

    def active(self) -> TenantQuerySet:
        """Those that take part."""
        return self.filter(active=True)


class Tenant(models.Model):
    """Runs a host with plugins. `key` is the name that manifests and policies use."""

    group = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="tenants")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=40, default="standard")
    labels = models.JSONField(default=dict, blank=True)  # {"ring": "pilot", "region": "eu"}: text to text
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "key"], name="tenant_key_once")]

    def __str__(self) -> str:
        return self.key
