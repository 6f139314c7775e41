"""Policies and the profiles that they are made from; every version stays."""

from __future__ import annotations

from typing import Self

from django.db import models

from config.access import Access
from config.lifecycle import Transitions
from governance.models.scoping import GroupQuerySet
from tenants.models import Group


class Mode(models.TextChoices):
    """What a policy does about drift."""

    OBSERVE = "observe", "Observe"
    REMIND = "remind", "Remind"
    ENFORCE = "enforce", "Enforce"


class Profile(models.Model):
    """A template of policies: mode, weights, rings, limits, notification set-up.

    `document` is the profile as its JSON Schema has it (config/version/policy_profiles.schema.json).
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="profiles")
    name = models.SlugField()
    document = models.JSONField()
    mode = models.CharField(max_length=10, choices=Mode)
    version = models.PositiveIntegerField(default=1)

    objects = GroupQuerySet["Profile"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="profile_name_once")]

    def __str__(self) -> str:
        return self.name


class PolicyQuerySet(GroupQuerySet["Policy"]):
    """Reads of policies."""

    def in_force(self) -> Self:
        """Those that bind, paused or not."""
        return self.filter(status__in=[Policy.Status.ACTIVE, Policy.Status.PAUSED], current__isnull=False)

    def binding(self, access: Access) -> Self:
        """The policies in force; for someone who reaches only some tenants, those that bind one of these."""
        rows = self.in_force().filter(group_id=access.group_id)
        if access.tenant_ids is None:
            return rows
        return rows.filter(
            rules__version=models.F("current"), rules__selection__members__tenant_id__in=access.tenant_ids
        ).distinct()


class Policy(models.Model):
    """Rules about plugins for a selection of tenants. What it says stands in its current version."""

    class Kind(models.TextChoices):
        """Which section of the YAML it belongs to; all three mean rules."""

        BASELINE = "baseline", "Baseline"
        POLICY = "policy", "Policy"
        HOLD = "hold", "Hold"

    class Status(models.TextChoices):
        """Whether it binds."""

        DRAFT = "draft", "Draft"
        ACTIVE = "active", "In force"
        PAUSED = "paused", "Paused"
        RETIRED = "retired", "Retired"

    TRANSITIONS: Transitions = {
        Status.DRAFT: frozenset({Status.ACTIVE, Status.RETIRED}),
        Status.ACTIVE: frozenset({Status.PAUSED, Status.RETIRED}),
        Status.PAUSED: frozenset({Status.ACTIVE, Status.RETIRED}),
        Status.RETIRED: frozenset({Status.ACTIVE}),
    }

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="policies")
    name = models.SlugField(max_length=100)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.POLICY)
    title = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    # A paused policy still finds drift; it only acts on nothing.
    current = models.ForeignKey("PolicyVersion", on_delete=models.PROTECT, null=True, related_name="+")

    objects = PolicyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "policies"
        constraints = [models.UniqueConstraint(fields=["group", "name"], name="policy_name_once")]

    def __str__(self) -> str:
        return self.name


class PolicyVersion(models.Model):
    """One text of a policy, never changed: the `document` as its JSON Schema has it, with its `kind`.

    `profile` is the content of the profile that it was made with, the group's SLA merged in: a changed
    profile makes a new version. `digest` covers both. Relative times in the document count from `created_at`.
    """

    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    profile = models.JSONField(default=dict)
    digest = models.CharField(max_length=64)
    profile_name = models.CharField(max_length=50)
    author_name = models.CharField(max_length=200)
    comment = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["policy", "number"], name="policy_version_once")]

    def __str__(self) -> str:
        return f"{self.policy_id} v{self.number}"
