"""One pass of the loop."""

from __future__ import annotations

import uuid
from typing import Self

from django.db import models
from django.db.models import Q

from config.lifecycle import Transitions
from governance.models.plan import Plan
from governance.models.scoping import GroupQuerySet
from governance.models.snapshot import Trigger
from tenants.models import Group


class RunQuerySet(GroupQuerySet["Run"]):
    """Reads of runs."""

    def unfinished(self) -> Self:
        """Those that still have something to do or to wait for."""
        return self.filter(status__in=[Run.Status.RUNNING, Run.Status.ACTING, Run.Status.NEEDS_DECISION])


class Run(models.Model):
    """A run of the loop over a group: collect, seal, evaluate, plan, act, notify, verify, report.

    `stage` is the next stage to do, so that a killed run goes on where it was; each stage may be done twice.
    `figures`: {stage: {...counts, "seconds": float}}.
    """

    class Status(models.TextChoices):
        """Where it stands."""

        RUNNING = "running", "Running"
        ACTING = "acting", "Waiting for upgrade tasks"
        NEEDS_DECISION = "needs_decision", "Needs a decision"
        COMPLETED = "completed", "Completed"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    class Stage(models.TextChoices):
        """The stages in their order."""

        COLLECT = "collect", "Collect"
        SEAL = "seal", "Snapshot"
        EVALUATE = "evaluate", "Evaluate"
        PLAN = "plan", "Plan"
        EXECUTE = "execute", "Execute"
        NOTIFY = "notify", "Notify"
        VERIFY = "verify", "Verify"
        REPORT = "report", "Report"
        DONE = "done", "Done"

    TRANSITIONS: Transitions = {
        Status.RUNNING: frozenset(
            {Status.ACTING, Status.NEEDS_DECISION, Status.COMPLETED, Status.FAILED, Status.CANCELLED}
        ),
        Status.ACTING: frozenset(
            {Status.RUNNING, Status.NEEDS_DECISION, Status.COMPLETED, Status.FAILED, Status.CANCELLED}
        ),
        Status.NEEDS_DECISION: frozenset({Status.RUNNING, Status.COMPLETED, Status.CANCELLED}),
        Status.COMPLETED: frozenset(),
        Status.FAILED: frozenset({Status.RUNNING}),
        Status.CANCELLED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="runs")
    number = models.PositiveIntegerField()
    trigger = models.CharField(max_length=10, choices=Trigger)
    status = models.CharField(max_length=16, choices=Status, default=Status.RUNNING)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.COLLECT)
    dry_run = models.BooleanField(default=False)
    # Only these policies act in this run; empty stands for all in force.
    policy_names = models.JSONField(default=list)
    snapshot_number = models.PositiveIntegerField(null=True)
    plan = models.ForeignKey(Plan, on_delete=models.SET_NULL, null=True, related_name="runs")
    figures = models.JSONField(default=dict)
    started_by_name = models.CharField(max_length=200)
    started_by_id = models.BigIntegerField(null=True)  # a person's
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    objects = RunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "number"], name="run_number_once"),
            models.UniqueConstraint(
                fields=["group"],
                condition=Q(status__in=["running", "acting"], dry_run=False),
                name="run_one_at_a_time",
                violation_error_message="A run of this group is under way.",
            ),
        ]
        indexes = [models.Index(fields=["group", "-started_at"])]

    def __str__(self) -> str:
        return f"Run {self.number}"
