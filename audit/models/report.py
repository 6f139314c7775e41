"""A frozen report and its files."""

from __future__ import annotations

import uuid

from django.db import models

from config.access import Access, Permission
from config.lifecycle import Transitions


class ReportStatus(models.TextChoices):
    """Where a report stands."""

    QUEUED = "queued", "Queued"
    BUILDING = "building", "Being built"
    READY = "ready", "Ready"
    FAILED = "failed", "Failed"


class ReportQuerySet(models.QuerySet["Report"]):
    """Reads of reports."""

    def within(self, access: Access) -> ReportQuerySet:
        """The group's reports; they speak of all tenants, so only for those who reach all of them."""
        if not access.whole_group or not access.allows(Permission.REPORT_VIEW):
            return self.none()
        return self.filter(group_id=access.group_id)


class Report(models.Model):
    """What was reported when. Triggers refuse to change one that is ready, and its files."""

    TRANSITIONS: Transitions = {
        ReportStatus.QUEUED: frozenset({ReportStatus.BUILDING}),
        # A builder may have been killed: it is begun anew.
        ReportStatus.BUILDING: frozenset({ReportStatus.BUILDING, ReportStatus.READY, ReportStatus.FAILED}),
        ReportStatus.READY: frozenset(),
        ReportStatus.FAILED: frozenset({ReportStatus.BUILDING}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group_id = models.BigIntegerField()
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=40, default="compliance")
    title = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=ReportStatus, default=ReportStatus.QUEUED)
    snapshot_number = models.PositiveIntegerField(null=True)
    run_id = models.UUIDField(null=True)
    requested_by = models.CharField(max_length=200)
    requested_by_id = models.BigIntegerField(null=True)  # a person's
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    data = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group_id", "number"], name="report_number_once")]
        indexes = [models.Index(fields=["group_id", "-created_at"])]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"


class ReportFile(models.Model):
    """One format of a report, with the SHA-256 of its bytes."""

    report = models.ForeignKey(Report, on_delete=models.CASCADE, related_name="files")
    format = models.CharField(max_length=8)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["report", "format"], name="report_file_format_once")]

    def __str__(self) -> str:
        return self.name
