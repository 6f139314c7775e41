"""What tenants say they run."""

from __future__ import annotations

from django.db import models

from governance.models.scoping import GroupQuerySet, TenantRowQuerySet
from tenants.models import Group, Tenant


class Inventory(models.Model):
    """A content-addressed set of versions: many manifests, of many tenants, share few of them.

    `digest` is the SHA-256 of the canonical JSON of host version and plugins.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    host_version = models.CharField(max_length=200, blank=True)
    plugins = models.JSONField()  # {name: version}
    size = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "inventories"

    def __str__(self) -> str:
        return self.digest[:12]


class Manifest(models.Model):
    """What one tenant ran at one moment. The newest by (observed_at, inventory) is the current one."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="manifests")
    inventory = models.ForeignKey(Inventory, on_delete=models.PROTECT, related_name="+")
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    source = models.CharField(max_length=40)  # endpoint, file, collector, history
    # The list is whole: what it doesn't name isn't there, transitive dependencies included.
    complete = models.BooleanField(default=True)

    objects = TenantRowQuerySet["Manifest"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "observed_at", "inventory"], name="manifest_once")
        ]
        indexes = [models.Index(fields=["tenant", "-observed_at", "-inventory"])]

    def __str__(self) -> str:
        return f"{self.tenant_id} at {self.observed_at:%Y-%m-%d %H:%M}"


class ManifestSource(models.Model):
    """Where a group's manifests are collected from, and how far it has been read."""

    class Kind(models.TextChoices):
        """How a source is read."""

        SANDBOX = "sandbox", "Sandbox orchestrator"
        HTTP = "http", "HTTP"
        FOLDER = "folder", "Folder of files"

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="manifest_sources")
    kind = models.CharField(max_length=10, choices=Kind)
    address = models.CharField(max_length=500, blank=True)
    cursor = models.BigIntegerField(default=0)
    last_collected_at = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)

    objects = GroupQuerySet["ManifestSource"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "kind", "address"], name="manifest_source_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.address}".strip()
