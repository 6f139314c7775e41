"""The sealed states of a group, and the temporal rows that they are conditions on."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q

from governance.models.catalogue import Plugin, Release
from governance.models.scoping import GroupQuerySet, TenantRowQuerySet
from tenants.models import Group, Tenant


class Trigger(models.TextChoices):
    """What made a snapshot or a run."""

    SCHEDULE = "schedule", "Schedule"
    HAND = "hand", "On request"
    ENDPOINT = "endpoint", "Endpoint"
    COMMAND = "command", "Command"
    HISTORY = "history", "History"
    RUN = "run", "Run"


class Snapshot(models.Model):
    """A number, a time, a digest and counts. Its content is a range condition on Installation.

    `digest` chains the changes: SHA-256 over the previous snapshot's digest and this one's opened and closed
    rows in canonical order, so that sealing costs what changed.
    The compliance figures are measured at the seal under the rules then in force; null until measured.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="snapshots")
    number = models.PositiveIntegerField()
    sealed_at = models.DateTimeField()
    trigger = models.CharField(max_length=10, choices=Trigger)
    actor_name = models.CharField(max_length=200)
    digest = models.CharField(max_length=64)
    tenants = models.PositiveIntegerField()
    installations = models.PositiveIntegerField()
    opened = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()
    drifting = models.PositiveIntegerField(null=True)  # installations in drift that no exemption covers
    compliant_tenants = models.PositiveIntegerField(null=True)

    objects = GroupQuerySet["Snapshot"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "number"], name="snapshot_number_once")]
        indexes = [models.Index(fields=["group", "-sealed_at"])]

    def __str__(self) -> str:
        return f"#{self.number}"


class InstallationQuerySet(TenantRowQuerySet["Installation"]):
    """Reads of installations."""

    def current(self) -> Self:
        """What is installed now, sealed or not."""
        return self.filter(until__isnull=True)

    def at(self, number: int) -> Self:
        """What was installed in the snapshot of that number."""
        return self.filter(Q(until__isnull=True) | Q(until__gt=number), since__lte=number)


class Installation(models.Model):
    """One release in one tenant from snapshot `since` up to, without, snapshot `until`; the host is one too.

    References are checked set-wise on ingest: three foreign keys a row make bulk ingest twelve times slower.
    """

    group = models.ForeignKey(
        Group, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="installations"
    )
    plugin = models.ForeignKey(
        Plugin, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="installations"
    )
    release = models.ForeignKey(
        Release,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="installations",
    )
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True)

    objects = InstallationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "plugin"], condition=Q(until__isnull=True), name="installation_one_current"
            ),
            models.UniqueConstraint(fields=["tenant", "plugin", "since"], name="installation_since_once"),
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gt=models.F("since")),
                name="installation_until_after",
            ),
        ]
        indexes = [
            models.Index(
                fields=["group", "release"],
                include=["tenant", "plugin"],
                condition=Q(until__isnull=True),
                name="installation_by_release",
            ),
            models.Index(
                fields=["group", "plugin"],
                include=["tenant", "release"],
                condition=Q(until__isnull=True),
                name="installation_by_plugin",
            ),
            models.Index(fields=["group", "since"]),
            models.Index(
                fields=["group", "until"], condition=Q(until__isnull=False), name="installation_until"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant_id}/{self.plugin_id} {self.release_id}"
