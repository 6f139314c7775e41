"""What a person has said about a finding, so that reminders leave it out."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F, Q

from config.access import Access
from governance.models.finding import Finding
from tenants.models import Group, Tenant, User


class SilenceQuerySet(models.QuerySet["Silence"]):
    """Reads of silences."""

    def within(self, access: Access) -> Self:
        """The actor's own in the group."""
        return self.filter(group_id=access.group_id, user_id=access.actor.id)

    def holding(self, at: datetime) -> Self:
        """Those that keep reminders quiet now; `governance.silences.holds` is the same in Python."""
        found: Self = self.filter(
            Q(until__isnull=True) | Q(until__gt=at),
            Q(finding__due_at=F("due_at")) | Q(finding__due_at__isnull=True, due_at__isnull=True),
            Q(finding__target=F("target_id")) | Q(finding__target__isnull=True, target_id__isnull=True),
            finding__severity=F("severity"),
        )
        return found.exclude(due_at__isnull=False, due_at__gt=F("said_at"), due_at__lte=at)


class Silence(models.Model):
    """One person's own word on one finding: snoozed until a time, or acknowledged while it stays as it is.

    It is said of the finding as it was: `due_at`, `severity` and `target_id` are the finding's at that time.
    """

    class Kind(models.TextChoices):
        """What was said."""

        SNOOZED = "snoozed", "Snoozed"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="+")
    # Without a constraint, as all references from and to findings: these are written set-wise.
    finding = models.ForeignKey(
        Finding, on_delete=models.CASCADE, db_constraint=False, related_name="silences"
    )
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    until = models.DateTimeField(null=True)
    reason = models.CharField(max_length=1000)
    said_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    severity = models.CharField(max_length=10)
    target_id = models.BigIntegerField(null=True)

    objects = SilenceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["finding", "user"], name="silence_once"),
            models.CheckConstraint(
                condition=Q(kind="snoozed", until__isnull=False) | Q(kind="acknowledged", until__isnull=True),
                name="silence_snoozed_until",
                violation_error_message="A snooze needs an end; an acknowledgement has none.",
            ),
        ]

    def __str__(self) -> str:
        return str(self.finding)
