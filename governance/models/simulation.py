"""What a policy set would do to a snapshot, with nothing done."""

from __future__ import annotations

import uuid

from django.db import models

from governance.models.scoping import GroupQuerySet
from tenants.models import Group


class Simulation(models.Model):
    """A saved what-if. Equal `inputs_digest`, equal `outcome`.

    `inputs`: {"policies": [documents], "at": time, ...}; `outcome`: {"before": {...}, "after": {...},
    "difference": {...}, "conflicts": [...], "actions": [...]}.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="simulations")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True)
    snapshot_number = models.PositiveIntegerField()
    inputs = models.JSONField()
    inputs_digest = models.CharField(max_length=64)
    outcome = models.JSONField()
    created_by_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()

    objects = GroupQuerySet["Simulation"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "number"], name="simulation_number_once")]
        indexes = [models.Index(fields=["group", "-created_at"])]

    def __str__(self) -> str:
        return f"Simulation {self.number}"
