"""What a group wrote instead of the texts that ship."""

from __future__ import annotations

from django.db import models

from governance.messages.kinds import LONGEST_SUBJECT, Kind
from governance.models.scoping import GroupQuerySet
from tenants.models import Group, Language


class MessageTemplate(models.Model):
    """One kind of message in one language, in the language of `governance.messages.language`."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind)
    language = models.CharField(max_length=8, choices=Language)
    subject = models.CharField(max_length=LONGEST_SUBJECT)
    text = models.TextField()
    html = models.TextField()
    changed_by_name = models.CharField(max_length=200)
    changed_at = models.DateTimeField()

    objects = GroupQuerySet["MessageTemplate"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "kind", "language"], name="message_template_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_language_display()})"
