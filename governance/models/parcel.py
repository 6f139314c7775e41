"""A message on its way to its reader outside of the console."""

from __future__ import annotations

from typing import Self

from django.db import models

from governance.models.notification import Notification
from tenants.models import Group, User
from tenants.models.preferences import Channel


class ParcelQuerySet(models.QuerySet["Parcel"]):
    """Reads of parcels."""

    def waiting(self) -> Self:
        """Those that haven't been sent."""
        return self.filter(sent_at__isnull=True)


class Parcel(models.Model):
    """One message by one channel. What waits for one reader there goes as one message."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="parcels")
    channel = models.CharField(max_length=8, choices=Channel)
    urgent = models.BooleanField(default=False)  # doesn't wait for the end of quiet hours
    created_at = models.DateTimeField()
    held_until = models.DateTimeField()
    held_because = models.CharField(max_length=8, blank=True)  # governance.pacing.Because
    sent_at = models.DateTimeField(null=True)

    objects = ParcelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notification", "channel"], name="parcel_once"),
        ]
        indexes = [
            models.Index(
                fields=["held_until"], condition=models.Q(sent_at__isnull=True), name="parcel_waiting"
            ),
            models.Index(fields=["channel", "user", "sent_at"], name="parcel_sent"),
            models.Index(fields=["channel", "sent_at"], name="parcel_sent_lately"),
        ]

    def __str__(self) -> str:
        return f"{self.notification_id} by {self.channel}"
