"""Messages to the people concerned."""

from __future__ import annotations

import uuid
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models

from config.access import Access
from governance.models.scoping import GroupQuerySet
from tenants.models import Group, Tenant, User


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Reads of notifications."""

    def within(self, access: Access) -> Self:
        """The actor's own messages in the group."""
        return self.filter(group_id=access.group_id, user_id=access.actor.id)

    def unread(self) -> Self:
        """Not read yet."""
        return self.filter(read_at__isnull=True)


class Notification(models.Model):
    """One digest to one person, in the console's inbox and by mail. `key` makes a repetition impossible.

    `content`: {"lines": [{"tenant", "plugin", "from", "to", "due_at", "policy", "status", "says"}]}; where
    there are too many, `body` tells how many are left out.
    """

    class Kind(models.TextChoices):
        """What it is about."""

        REMINDER = "reminder", "Reminder"
        DECISION = "decision", "Decision needed"
        REPORT = "report", "Report ready"
        EXEMPTION = "exemption", "Exemption"
        ALERT = "alert", "Alert"
        ESCALATION = "escalation", "Escalation"
        DEPUTY = "deputy", "Deputy"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications")
    tenant = models.ForeignKey(Tenant, on_delete=models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.CharField(max_length=160, unique=True)
    subject = models.CharField(max_length=300)
    body = models.TextField()
    link = models.CharField(max_length=500, blank=True)
    content = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["user", "group", "-created_at"])]

    def __str__(self) -> str:
        return self.subject


class Told(models.Model):
    """When a person was last told of a group, and until when the next digest is held back.

    `news` are the identities of what the group's summary told that is still so, as signed 64-bit hashes;
    findings that were told one by one are mentions.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    news = ArrayField(models.BigIntegerField(), default=list)
    told_at = models.DateTimeField(null=True)
    held_until = models.DateTimeField(null=True)
    held_because = models.CharField(max_length=8, blank=True)  # governance.pacing.Because

    class Meta:
        verbose_name = "news told"
        verbose_name_plural = "news told"
        constraints = [models.UniqueConstraint(fields=["group", "user"], name="told_once")]
        indexes = [
            models.Index(
                fields=["group", "held_until"], condition=models.Q(held_until__isnull=False), name="told_held"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.group_id}"


class WebhookSubscription(models.Model):
    """An address that wants the group's events as CloudEvents, signed with its secret."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="webhooks")
    name = models.CharField(max_length=100)
    url = models.URLField(max_length=500)
    secret = models.CharField(max_length=200)
    active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = GroupQuerySet["WebhookSubscription"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="webhook_name_once")]

    def __str__(self) -> str:
        return self.name
