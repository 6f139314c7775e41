"""That a person was told of a finding."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from governance.models.finding import Finding
from tenants.models import Group, User


class Mention(models.Model):
    """By which steps a person was told of a finding, and how it stood: the same news is told once.

    Written set-wise, so without a check of each row. It goes when the finding closes or is accepted.
    """

    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    user = models.ForeignKey(
        User, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    finding = models.ForeignKey(
        Finding, on_delete=models.CASCADE, db_constraint=False, related_name="mentions"
    )
    steps = ArrayField(models.CharField(max_length=40), default=list)
    due_at = models.DateTimeField(null=True)
    need = models.CharField(max_length=16, blank=True)  # the status that wanted a person then
    told_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "finding"], name="mention_once")]

    def __str__(self) -> str:
        return f"{self.finding_id} to {self.user_id}"
