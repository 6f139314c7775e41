"""What will be done, per tenant and in order."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Now

from config.lifecycle import Transitions
from governance.models.conflict import Conflict, ConflictQuerySet, ConflictTenant
from governance.models.scoping import GroupQuerySet, Row, TenantRowQuerySet
from tenants.models import Group, Tenant


class PlanQuerySet(GroupQuerySet[Row]):
    """Reads of plans."""

    def with_standing(self) -> Self:
        """Each with whether a conflict in its tenants waits for a person, which its standing is told by."""
        waiting = Conflict.objects.waiting().order_by()
        return self.annotate(undecided=Exists(_touching(OuterRef("pk")).filter(conflict__in=waiting)))

    def that_stand(self, standing: str) -> Self:
        """Those that nobody has approved or started yet and that stand so."""
        waits = standing == Plan.Standing.NEEDS_DECISION
        return self.with_standing().filter(status__in=UNAPPROVED, undecided=waits)


class Plan(models.Model):
    """The upgrade tasks of one evaluation.

    `inputs_digest` is of the tenants' situations that it was computed from, and of what the profiles said: a
    start is refused once the situations have moved.
    """

    class Status(models.TextChoices):
        """Where it stands."""

        DRAFTED = "drafted", "Drafted"
        SIMULATED = "simulated", "Simulated"
        APPROVED = "approved", "Approved"
        RUNNING = "running", "Running"
        PAUSED = "paused", "Paused"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        REFUSED = "refused", "Refused: the world moved"
        ROLLED_BACK = "rolled_back", "Rolled back"

    class Standing(models.TextChoices):
        """What a plan that nobody has approved yet waits for; follows from the conflicts of the moment."""

        NEEDS_DECISION = "needs_decision", "Needs a decision"
        READY = "ready", "Ready"

    _ON = (Status.APPROVED, Status.RUNNING, Status.CANCELLED, Status.REFUSED)
    TRANSITIONS: Transitions = {
        Status.DRAFTED: frozenset({*_ON, Status.SIMULATED, Status.COMPLETED}),
        # The world moves on: it may be simulated again.
        Status.SIMULATED: frozenset({*_ON, Status.SIMULATED}),
        Status.APPROVED: frozenset({Status.RUNNING, Status.CANCELLED, Status.REFUSED}),
        Status.RUNNING: frozenset({Status.PAUSED, Status.COMPLETED, Status.CANCELLED}),
        Status.PAUSED: frozenset({Status.RUNNING, Status.CANCELLED}),
        # A person retries a hand-over that was given up; or the plan that takes it back is completed.
        Status.COMPLETED: frozenset({Status.RUNNING, Status.ROLLED_BACK}),
        Status.CANCELLED: frozenset({Status.ROLLED_BACK}),  # what was handed over before
        Status.REFUSED: frozenset(),
        Status.ROLLED_BACK: frozenset(),
    }

    undecided: bool | None = None  # where a read asked with_standing()

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="plans")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=12, choices=Status, default=Status.DRAFTED)
    # What it would do, worked out before it starts, and the digest of what that was worked out from.
    simulation = models.ForeignKey(
        "governance.Simulation", on_delete=models.SET_NULL, null=True, related_name="simulated_plans"
    )
    simulation_digest = models.CharField(max_length=64, blank=True)
    # The plan that this one takes back.
    rolls_back = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="taken_back_by")
    snapshot_number = models.PositiveIntegerField()
    inputs_digest = models.CharField(max_length=64)
    policy_versions = models.JSONField(default=list)  # [{"policy": name, "version": number}]
    # What the profiles of its policies allowed when it was drafted; the most cautious counts.
    limits = models.JSONField(default=dict)  # {"at_once": n, "per_host_version": n, "per_region": n}
    failure_budget = models.PositiveSmallIntegerField(default=100)  # percent of a ring's tasks
    budget_since = models.DateTimeField(null=True)  # failures before it have been seen by whoever resumed
    open_ring = models.SmallIntegerField(default=0)  # tasks up to this ring may be handed over
    pause_reason = models.CharField(max_length=1000, blank=True)
    created_by_name = models.CharField(max_length=200)
    author_id = models.BigIntegerField(null=True)  # the person who made it, or started the run that did
    needs_approval = models.BooleanField(default=False)  # of someone else
    approved_by_name = models.CharField(max_length=200, blank=True)
    approved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    objects = PlanQuerySet["Plan"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "number"], name="plan_number_once")]
        indexes = [models.Index(fields=["group", "-created_at"])]

    def __str__(self) -> str:
        return f"Plan {self.number}"

    @property
    def standing(self) -> Standing | None:
        """What it waits for before it is approved or started; nothing any more from then on."""
        if self.status not in UNAPPROVED:
            return None
        waits = self.waits_for().exists() if self.undecided is None else self.undecided
        return self.Standing.NEEDS_DECISION if waits else self.Standing.READY

    def waits_for(self) -> ConflictQuerySet:
        """The conflicts in its tenants that wait for a person; what they concern is no part of it."""
        touching = _touching(self).values("conflict")
        return Conflict.objects.filter(group=self.group_id, pk__in=touching).waiting()


def _touching(plan: Plan | OuterRef) -> models.QuerySet[ConflictTenant]:
    """What conflicts there are in its tenants. One that takes another back waits for none: it was decided."""
    of_plan = Q(tenant__upgrade_tasks__plan=plan, tenant__upgrade_tasks__plan__rolls_back=None)
    return ConflictTenant.objects.filter(of_plan)


# Nothing of it was handed over yet.
NOT_STARTED = [Plan.Status.DRAFTED, Plan.Status.SIMULATED, Plan.Status.APPROVED]
# Nobody has approved it yet.
UNAPPROVED = [Plan.Status.DRAFTED, Plan.Status.SIMULATED]


class UpgradeTaskQuerySet(TenantRowQuerySet["UpgradeTask"]):
    """Reads of upgrade tasks."""

    def unfinished(self) -> Self:
        """Those that are still to be done or under way."""
        return self.filter(status__in=UNFINISHED)

    def awaiting_window(self, at: datetime) -> Self:
        """Queued tasks of running plans that were put off until their tenants' windows open."""
        queued = UpgradeTask.Status.QUEUED
        return self.filter(status=queued, not_before__gt=at, plan__status=Plan.Status.RUNNING)

    def claimable(self, at: datetime) -> Self:
        """Queued tasks of running plans whose ring and time have come and that nobody holds, in order."""
        return self.filter(
            Q(lease_until__isnull=True) | Q(lease_until__lt=at),
            Q(not_before__isnull=True) | Q(not_before__lte=at),
            status=UpgradeTask.Status.QUEUED,
            ring__lte=F("plan__open_ring"),
            plan__status=Plan.Status.RUNNING,
        ).order_by("queue_at", "pk")


class UpgradeTask(models.Model):
    """One tenant's part of a plan; the row is the queue.

    `steps`: [{"plugin": name, "from": version | null, "to": version | null, "because": text,
    "wanted_by": ["policy/key"]}] in dependency order; a mere dependency is wanted by no rule.
    `idempotency_key` goes to the orchestrator: a repeated hand-over of one attempt is the same order, a new
    attempt after a reported failure is a new one. `retry_delays`: seconds before the second attempt, the
    third, and so on; after the last the task is given up.
    """

    class Status(models.TextChoices):
        """Where it stands."""

        QUEUED = "queued", "Queued"
        DISPATCHED = "dispatched", "Dispatched"
        ACCEPTED = "accepted", "Accepted"
        RUNNING = "running", "Running"
        VERIFYING = "verifying", "Awaiting verification"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed, to be retried"
        GIVEN_UP = "given_up", "Given up"
        MANUAL = "manual", "Done by hand, to be verified"
        VERIFY_FAILED = "verify_failed", "Verify failed"
        CANCELLED = "cancelled", "Cancelled"

    TRANSITIONS: Transitions = {
        Status.QUEUED: frozenset({Status.DISPATCHED, Status.MANUAL, Status.CANCELLED}),
        Status.DISPATCHED: frozenset(
            {
                Status.QUEUED,
                Status.ACCEPTED,
                Status.RUNNING,
                Status.VERIFYING,
                Status.FAILED,
                Status.GIVEN_UP,
                Status.CANCELLED,
            }
        ),
        Status.ACCEPTED: frozenset(
            {Status.RUNNING, Status.VERIFYING, Status.FAILED, Status.GIVEN_UP, Status.CANCELLED}
        ),
        Status.RUNNING: frozenset({Status.VERIFYING, Status.FAILED, Status.GIVEN_UP, Status.CANCELLED}),
        Status.VERIFYING: frozenset({Status.SUCCEEDED, Status.VERIFY_FAILED}),
        # The next manifest may still show what was late.
        Status.VERIFY_FAILED: frozenset({Status.SUCCEEDED, Status.MANUAL}),
        Status.MANUAL: frozenset({Status.SUCCEEDED, Status.VERIFY_FAILED}),
        Status.SUCCEEDED: frozenset(),
        Status.FAILED: frozenset(
            {Status.QUEUED, Status.SUCCEEDED, Status.MANUAL, Status.GIVEN_UP, Status.CANCELLED}
        ),
        # Given up on the way, it waits for its turn again where a person retries the message.
        Status.GIVEN_UP: frozenset({Status.MANUAL, Status.QUEUED}),
        Status.CANCELLED: frozenset(),
    }

    explanation: Any = None  # why it waits, where a page asked governance.waiting

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="tasks")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="upgrade_tasks")
    status = models.CharField(max_length=16, choices=Status, default=Status.QUEUED)
    steps = models.JSONField()
    situation_digest = models.CharField(max_length=64)
    priority = models.IntegerField(default=0)
    priority_because = models.JSONField(default=list)  # [{"points": number, "because": text}]
    ring = models.PositiveSmallIntegerField(default=0)  # counted from the first
    ring_name = models.CharField(max_length=100, blank=True, db_default="")  # as the profile has it
    ring_wait = models.DurationField(default=timedelta)  # after the success of the rings before
    # Its place in the queue, see governance.urgency: the earlier, the sooner it goes.
    queue_at = models.DateTimeField(db_default=Now())
    wait_reason = models.CharField(max_length=300, blank=True)
    idempotency_key = models.CharField(max_length=120, unique=True)
    order_id = models.CharField(max_length=200, blank=True)  # the orchestrator's name for it
    earlier_orders = models.JSONField(default=list)  # its names for attempts that failed
    attempts = models.PositiveIntegerField(default=0)
    retry_delays = models.JSONField(default=list)
    not_before = models.DateTimeField(null=True)
    lease_until = models.DateTimeField(null=True)
    due_at = models.DateTimeField(null=True)
    detail = models.TextField(blank=True)
    created_at = models.DateTimeField()
    dispatched_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)  # when the orchestrator was last asked
    finished_at = models.DateTimeField(null=True)
    correction = models.TextField(blank=True)  # what a person says was done by hand instead
    corrected_by_name = models.CharField(max_length=200, blank=True)
    corrected_at = models.DateTimeField(null=True)

    objects = UpgradeTaskQuerySet.as_manager()

    class Meta:
        verbose_name = "upgrade task"
        constraints = [
            # Overlapping plans never hand the same tenant over twice.
            models.UniqueConstraint(
                fields=["tenant"],
                condition=Q(
                    status__in=[
                        *("queued", "dispatched", "accepted", "running", "verifying"),
                        *("failed", "manual"),
                    ]
                ),
                name="upgrade_task_one_unfinished",
                violation_error_message="The tenant has an unfinished upgrade task.",
            )
        ]
        indexes = [
            models.Index(
                fields=["group", "queue_at", "id"],
                condition=Q(status__in=["queued", "failed"]),
                name="upgrade_task_queue",
            ),
            models.Index(
                fields=["group", "dispatched_at"],
                condition=Q(dispatched_at__isnull=False),
                name="upgrade_task_dispatched",
            ),
            models.Index(fields=["plan", "status"]),
            models.Index(fields=["plan", "ring"]),
            models.Index(fields=["group", "-created_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} in {self.plan}"


# Not in the orchestrator's hands: to be handed over, or to be so again.
WAITING = [UpgradeTask.Status.QUEUED, UpgradeTask.Status.FAILED]
# In the orchestrator's hands, or just out of them.
UNDER_WAY = [
    UpgradeTask.Status.DISPATCHED,
    UpgradeTask.Status.ACCEPTED,
    UpgradeTask.Status.RUNNING,
    UpgradeTask.Status.VERIFYING,
]
UNFINISHED = [*WAITING, *UNDER_WAY, UpgradeTask.Status.MANUAL]
