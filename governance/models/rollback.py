"""What takes tenants back to an earlier state."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q

from governance.models.plan import Plan
from governance.models.policy import Policy
from governance.models.scoping import GroupQuerySet
from governance.models.simulation import Simulation
from tenants.models import Group


class RollbackQuerySet(GroupQuerySet["Rollback"]):
    """Reads of rollbacks."""

    def in_force(self, at: datetime) -> RollbackQuerySet:
        """Those whose baseline binds still."""
        return self.filter(simulation__status=Simulation.Status.APPLIED, ended_at__isnull=True, until__gt=at)

    def that_paused(self, policy: str) -> RollbackQuerySet:
        """Those for which this policy was paused; of older ones all gave way alike."""
        alike = Q(way=Rollback.Way.PAUSE, policies__contains=[{"policy": policy}])
        exempt = Q(policies__contains=[{"policy": policy, "way": Rollback.Way.EXEMPT}])
        paused = Q(policies__contains=[{"policy": policy, "way": Rollback.Way.PAUSE}])
        return self.filter(paused | (alike & ~exempt))


class Rollback(models.Model):
    """A snapshot wanted back: what is restored where, and which policies give way to it.

    Where it stands is where its simulation stands, whose application puts it in force. `policies`:
    [{"policy", "rule", "says", "acts", "plugins": [name], "tenants": [key], "way"}], those that would undo
    it; each is paused, or lets the tenants be until `until`: those without a way of their own as `way` says.
    `left_out`: [{"tenant", "plugin", "reason"}], with the "plan" where one is under way there.
    """

    class Way(models.TextChoices):
        """How the policies that would undo it give way."""

        EXEMPT = "exempt", "The tenants are exempt from them"
        PAUSE = "pause", "They are paused"
        MIXED = "mixed", "Some are paused, the tenants are exempt from the others"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="rollbacks")
    number = models.PositiveIntegerField()
    snapshot_number = models.PositiveIntegerField()
    of_plan = models.ForeignKey(Plan, on_delete=models.SET_NULL, null=True, related_name="rollbacks")
    way = models.CharField(max_length=10, choices=Way)
    until = models.DateTimeField()
    reason = models.CharField(max_length=300)
    policies = models.JSONField(default=list)
    left_out = models.JSONField(default=list)
    tenants = models.JSONField(default=list)
    simulation = models.OneToOneField(Simulation, on_delete=models.CASCADE, related_name="rollback")
    baseline = models.ForeignKey(Policy, on_delete=models.SET_NULL, null=True, related_name="+")
    created_by_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)  # before its time, since a policy acts again

    objects = RollbackQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "number"], name="rollback_number_once")]

    def __str__(self) -> str:
        return f"Rollback {self.number}"

    @property
    def name(self) -> str:
        """What its baseline is called, and its exemptions begin with."""
        return f"rollback-{self.number}"
