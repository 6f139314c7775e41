"""What was found when all that should agree was compared."""

from __future__ import annotations

import uuid

from django.db import models

from governance.models.scoping import GroupQuerySet
from tenants.models import Group


class Reconciliation(models.Model):
    """One comparison of installations, findings, tasks, orchestrator, outbox and ledger.

    `disagreements`: [{"kind", "subject", "says": {side: text}, "remedy", "mends": whether it has one right
    answer, "repaired": whether that was carried out, "hindered": why it wasn't}]. `unanswered` counts the
    open tasks that the orchestrator could not be asked about. `mark`: {"sequence", "hash"} of the ledger's
    last entry when it began, the "exemptions" that were open, and the last entry looked at for whether it
    was "reported", where nothing was left: the next one needn't look at what was over by then.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="reconciliations")
    at = models.DateTimeField()
    actor_name = models.CharField(max_length=200)
    applied = models.BooleanField()
    disagreements = models.JSONField(default=list)
    compared = models.JSONField(default=dict)  # how many of each kind of thing were looked at
    whole = models.BooleanField(default=True)  # or only what is open, or changed since one that left nothing
    mark = models.JSONField(null=True)
    unanswered = models.PositiveIntegerField(default=0)

    objects = GroupQuerySet["Reconciliation"].as_manager()

    class Meta:
        indexes = [models.Index(fields=["group", "-at"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"

    @property
    def left(self) -> int:
        """How many disagreements are still there."""
        return sum(not one["repaired"] for one in self.disagreements)
