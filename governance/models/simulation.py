"""What a policy set would do to a snapshot, with nothing done."""

from __future__ import annotations

import uuid

from django.db import models

from config.lifecycle import Transitions
from governance.models.plan import Plan
from governance.models.scoping import GroupQuerySet
from tenants.models import Group

LONGEST_TITLE = 200


class Simulation(models.Model):
    """A what-if: asked, worked out, kept. Equal `inputs_digest`, equal `outcome`.

    `supposed` is what was asked, as simulation.schema.json has it. `inputs` adds what the outcome depends on
    beside it, see governance.simulation.facts; `outcome`: {"before": {...}, "after": {...}, "done": {...},
    "difference": {...}, "actions": [...], "order": [...], "advised": [...], "conflicts": [...],
    "solved": [...], "edits": [...], "warnings": [...]}.
    """

    class Status(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", "Queued"
        RUNNING = "running", "Running"
        READY = "ready", "Ready"
        FAILED = "failed", "Failed"
        APPLIED = "applied", "Applied"

    TRANSITIONS: Transitions = {
        Status.QUEUED: frozenset({Status.RUNNING, Status.FAILED}),
        # One whose worker was killed is begun anew.
        Status.RUNNING: frozenset({Status.RUNNING, Status.READY, Status.FAILED}),
        Status.READY: frozenset({Status.APPLIED}),
        Status.FAILED: frozenset({Status.RUNNING}),
        Status.APPLIED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="simulations")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=LONGEST_TITLE, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.QUEUED)
    supposed = models.JSONField(default=dict)
    snapshot_number = models.PositiveIntegerField(default=0)
    inputs = models.JSONField(default=dict)
    inputs_digest = models.CharField(max_length=64, blank=True)
    outcome = models.JSONField(default=dict)
    # Every finding that opens or closes, as CSV in gzip: they may be many more than the outcome shows.
    findings = models.BinaryField(null=True)
    # When time alone may make the answer another; null if it never does.
    holds_until = models.DateTimeField(null=True)
    error = models.TextField(blank=True)
    created_by_id = models.BigIntegerField(null=True)  # a person's id; null for a service or the command line
    created_by_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    applied_at = models.DateTimeField(null=True)
    applied_by_name = models.CharField(max_length=200, blank=True)
    plan = models.ForeignKey(Plan, on_delete=models.SET_NULL, null=True, related_name="simulations")

    objects = GroupQuerySet["Simulation"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "number"], name="simulation_number_once")]
        indexes = [models.Index(fields=["group", "-created_at"])]

    def __str__(self) -> str:
        return f"Simulation {self.number}"

    @property
    def is_under_way(self) -> bool:
        """Whether a worker has still to answer it."""
        return self.status in {self.Status.QUEUED, self.Status.RUNNING}

    @property
    def is_answered(self) -> bool:
        """Whether there is an outcome."""
        return self.status in {self.Status.READY, self.Status.APPLIED}
