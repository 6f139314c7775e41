"""Policies compiled: rules, the tenants that they select, the releases that break them."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from governance.models.catalogue import Plugin, Release
from governance.models.policy import Mode, Policy, PolicyVersion
from governance.models.scoping import GroupQuerySet
from tenants.models import Group, Tenant


class RuleKind(models.TextChoices):
    """What a rule says (DESIGN, semantics)."""

    RANGE = "range", "Version range"
    SAME = "same", "Same version everywhere"
    WITHIN = "within", "Close to the newest"
    CHANNEL = "channel", "Channel"
    MIN_AGE = "min_age", "Minimum age"
    DENY = "deny", "Denied"
    PRESENT = "present", "Must be installed"
    ABSENT = "absent", "Must not be installed"
    HOLD = "hold", "Hold"


class Selection(models.Model):
    """A distinct way of choosing tenants; rules that choose alike share it. `digest` is of `document`.

    `tenants_digest` is of the tenants as they were when the members were last chosen among all of them.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    document = models.JSONField()
    tenants_digest = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "digest"], name="selection_once")]

    def __str__(self) -> str:
        return self.digest[:12]


class SelectionTenant(models.Model):
    """A tenant that a selection chooses, compiled. Written set-wise, so without a check of each row."""

    selection = models.ForeignKey(
        Selection, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="members"
    )
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, db_constraint=False, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["selection", "tenant"], name="selection_tenant_once")]

    def __str__(self) -> str:
        return f"{self.selection_id} {self.tenant_id}"


class RuleQuerySet(GroupQuerySet["Rule"]):
    """Reads of rules."""

    def in_force(self, at: datetime) -> Self:
        """Rules of the policies' current versions whose time it is. A paused policy still counts."""
        return self.filter(
            Q(effective_from__isnull=True) | Q(effective_from__lte=at),
            Q(effective_until__isnull=True) | Q(effective_until__gt=at),
            policy__status__in=[Policy.Status.ACTIVE, Policy.Status.PAUSED],
            version_id=models.F("policy__current_id"),
        )


class Rule(models.Model):
    """One rule for one set of plugins and tenants, as compiled from a policy version.

    A policy's rule with tenant-specific variants compiles to one row a variant, all with the same `key`, and
    disjoint selections. `plugins` empty stands for every plugin (not the host). `spec` is the rule's own
    value, e.g. {"range": ">=2.4"}, {"at": "2.4.0"}, {"minor": 1}, {"deny": "vulnerable"}.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    policy = models.ForeignKey(Policy, on_delete=models.CASCADE, related_name="rules")
    version = models.ForeignKey(PolicyVersion, on_delete=models.CASCADE, related_name="rules")
    key = models.SlugField(max_length=100)  # names the rule within its policy, through all versions
    variant = models.CharField(max_length=100, blank=True)
    kind = models.CharField(max_length=10, choices=RuleKind)
    plugins = ArrayField(models.BigIntegerField(), default=list)
    spec = models.JSONField(default=dict)
    selection = models.ForeignKey(Selection, on_delete=models.PROTECT, related_name="+")
    weight = models.PositiveIntegerField(default=100)
    mode = models.CharField(max_length=10, choices=Mode)
    severity = models.CharField(max_length=10, default="medium")
    sla_days = models.PositiveIntegerField(null=True)
    effective_from = models.DateTimeField(null=True)
    effective_until = models.DateTimeField(null=True)
    compiled_at = models.DateTimeField(null=True)
    # When time alone changes what breaks the rule (ages, windows); null if it never does.
    recompile_at = models.DateTimeField(null=True)
    # `same` without `at`: {plugin id: the release chosen}
    targets = models.JSONField(default=dict)
    # Those of them that more tenants reach than what the other rules alone would have, dependencies and hosts
    # considered: {plugin id: {"release", "basis": the digest of what the rules say of the plugin}}
    reached = models.JSONField(default=dict)
    # The plugins of such a rule whose target depends on who has them installed.
    contested = ArrayField(models.BigIntegerField(), default=list)
    # Whether all tenants' findings follow the rule as it is compiled. The next detection sees to the rest.
    detected = models.BooleanField(default=False)

    objects = RuleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "key", "variant"], name="rule_key_once")]
        indexes = [models.Index(fields=["group", "recompile_at"])]

    def __str__(self) -> str:
        return f"{self.policy}/{self.key}"


class Violation(models.Model):
    """A release that breaks a rule: what the drift join reads. `plugin` repeats the release's.

    Written set-wise, so without a check of each row.
    """

    rule = models.ForeignKey(
        Rule, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="violations"
    )
    release = models.ForeignKey(Release, on_delete=models.CASCADE, db_constraint=False, related_name="+")
    plugin = models.ForeignKey(
        Plugin, on_delete=models.CASCADE, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "release"], name="violation_once")]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.release_id}"
