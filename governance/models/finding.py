"""Drift that was found, with a life."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from governance.models.catalogue import Plugin, Release
from governance.models.policy import Policy
from governance.models.rule import Rule
from governance.models.scoping import TenantRowQuerySet
from tenants.models import Group, Tenant


class FindingQuerySet(TenantRowQuerySet["Finding"]):
    """Reads of findings."""

    def open(self) -> Self:
        """Drift that is still there, accepted or not."""
        return self.filter(closed_at__isnull=True)

    def of_tenant(self, tenant_id: int) -> Self:
        """One tenant's, open and closed; told apart in the query, since the indexes for them are two."""
        return self.filter(Q(closed_at__isnull=True) | Q(closed_at__isnull=False), tenant_id=tenant_id)

    def outstanding(self) -> Self:
        """Open drift that no exemption covers: what compliance counts."""
        return self.open().exclude(status=Finding.Status.ACCEPTED)

    def overdue(self, at: datetime) -> Self:
        """Outstanding drift past its SLA."""
        return self.outstanding().filter(due_at__lt=at)

    def asking(self) -> Self:
        """Open drift that wants something of somebody: what people are reminded of."""
        return self.open().exclude(status__in=Finding.ASKING_NOTHING)


class Finding(models.Model):
    """One installation (or missing one) that breaks one rule of a policy, from when to when.

    Its identity is tenant, plugin, policy and rule key while open: it stays the same finding while the cause
    stays, also when the policy gets a new version or the tenant moves from one wrong release to another.
    References are right by construction: they are written set-wise from the rows that they name.
    """

    class Status(models.TextChoices):
        """Drift told apart."""

        NEW = "new", "New"
        ACCEPTED = "accepted", "Accepted (exempt)"
        SET_ASIDE = "set_aside", "Set aside by a decision"
        PLANNED = "planned", "Planned"
        IN_PROGRESS = "in_progress", "In progress"
        VERIFYING = "verifying", "Awaiting verification"
        VERIFY_FAILED = "verify_failed", "Verify failed"
        NEEDS_DECISION = "needs_decision", "Needs a decision"
        RESOLVED = "resolved", "Resolved"

    # Nobody is reminded of these. What a decision set aside still counts as drift: it is a choice between
    # rules, and no permission with an end, as an exemption is.
    ASKING_NOTHING = (Status.ACCEPTED, Status.SET_ASIDE)

    group = models.ForeignKey(
        Group, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="findings"
    )
    plugin = models.ForeignKey(
        Plugin, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="findings"
    )
    policy = models.ForeignKey(
        Policy, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="findings"
    )
    rule_key = models.SlugField(max_length=100, db_index=False)
    # The compiled rule that it breaks now; kept by key when the policy's version changes.
    rule = models.ForeignKey(
        Rule, on_delete=models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    # What is installed; null where the rule wants the plugin present and it is not.
    release = models.ForeignKey(
        Release, on_delete=models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    # What evaluation chose; null while undecided, and where the plugin is to go (`remove`).
    target = models.ForeignKey(
        Release, on_delete=models.SET_NULL, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    remove = models.BooleanField(default=False, db_default=False)
    status = models.CharField(max_length=16, choices=Status, default=Status.NEW)
    severity = models.CharField(max_length=10, default="medium")
    reason = models.TextField(blank=True, db_default="")  # why there is no way, or why this target
    exemption = models.ForeignKey(
        "governance.Exemption",
        on_delete=models.SET_NULL,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    opened_at = models.DateTimeField()
    opened_snapshot = models.PositiveIntegerField()
    closed_at = models.DateTimeField(null=True)
    closed_snapshot = models.PositiveIntegerField(null=True)
    due_at = models.DateTimeField(null=True)  # null while it asks for nothing, and without an SLA

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "plugin", "policy", "rule_key"],
                condition=Q(closed_at__isnull=True),
                name="finding_open_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True) ^ Q(status="resolved"), name="finding_resolved_is_closed"
            ),
        ]
        # None has what evaluation and upgrades change (status, target, due date): a finding that changes then
        # stays on its page, which is left room for that, and no index is touched. To count the open ones of
        # a group by any of these is to read them, some 50 ms for a quarter of a million.
        indexes = [
            # One for both, by plugin alone too: a second one would cost a fifth of a large detection.
            models.Index(
                fields=["group", "policy", "plugin"],
                condition=Q(closed_at__isnull=True),
                name="finding_open_by_policy",
            ),
            models.Index(
                fields=["group", "tenant"],
                condition=Q(closed_at__isnull=False),
                name="finding_closed_by_tenant",
            ),
            # For what was found of late; it costs a detection nothing that could be measured.
            BrinIndex(
                fields=["opened_at"], name="finding_opened_of_late", autosummarize=True, pages_per_range=32
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.plugin} breaks {self.policy}/{self.rule_key}"
