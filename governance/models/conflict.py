"""Rules that no allowed version satisfies together, and what a person decided about it."""

from __future__ import annotations

import uuid
from datetime import UTC
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from config.lifecycle import Transitions
from governance.models.catalogue import Plugin
from governance.models.scoping import GroupQuerySet, TenantRowQuerySet
from tenants.models import Group, Tenant

if TYPE_CHECKING:
    from governance.models.finding import Finding
    from governance.models.run import Run

SHOWN_REASON = 200  # how much of a decision's reason is told beside other things


class ConflictQuerySet(GroupQuerySet["Conflict"]):
    """Reads of conflicts."""

    def waiting(self) -> Self:
        """Those that need a person."""
        return self.filter(status=Conflict.Status.OPEN)

    def left_by(self, run: Run) -> Self:
        """Those that stood when the run ended and still need a person; of its policies, if it named some."""
        concerned = Q()
        for name in run.policy_names:
            concerned |= Q(explanation__rules__contains=[{"policy": name}])
        return self.filter(concerned, group=run.group_id, found_at__lte=run.finished_at).waiting()

    def standing(self) -> Self:
        """Those that are still there, decided or not."""
        return self.exclude(status=Conflict.Status.CLOSED)

    def behind(self, finding: Finding) -> Self:
        """Those for which the finding waits, or by whose decision it is as it is."""
        rule = {"policy": finding.policy.name, "key": finding.rule_key, "plugin": finding.plugin.name}
        concerned = Q(explanation__stuck__contains=[finding.plugin.name])
        concerned |= Q(explanation__rules__contains=[rule])
        return self.standing().filter(concerned, group=finding.group_id, touched__tenant=finding.tenant_id)


class Conflict(models.Model):
    """Keyed by its fingerprint: a decision on it applies until its inputs, and so the fingerprint, change.

    `explanation`: {"summary": text, "stuck": [plugin's name], "rules": [{"policy", "key", "kind",
    "plugin": name, "says": text, "weight"}], "chain": [text], "sets": minimal conflicting sets, each
    {"rules", "chain", "links": the same as facts, see governance.resolution.links}, "complete": whether these
    are all, "proved": whether it is shown that there is no way, rather than not found}. Where no set was
    found before the search was given up, "rules" are those that bind what is stuck.
    `ways_out`: [{"kind": "set_aside", "set_aside": [{"policy", "key"}], "says": text, "weight": int, the
    first of them as "rule": "policy/key", "policy", "key", and "rules": [{"policy", "key", "kind", "plugins":
    [{"plugin": name}]}]}], the lightest first. Where they lead each tenant knows by itself.
    `set_aside`: what the decision relaxes for the tenants concerned: [{"policy", "key"}].
    """

    class Status(models.TextChoices):
        """Where it stands."""

        OPEN = "open", "Needs a decision"
        DECIDED = "decided", "Decided"
        CLOSED = "closed", "No longer there"

    TRANSITIONS: Transitions = {
        Status.OPEN: frozenset({Status.DECIDED, Status.CLOSED}),
        Status.DECIDED: frozenset({Status.CLOSED, Status.OPEN}),
        Status.CLOSED: frozenset({Status.OPEN, Status.DECIDED}),
    }

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="conflicts")
    fingerprint = models.CharField(max_length=64)
    plugin = models.ForeignKey(Plugin, on_delete=models.CASCADE, related_name="+")
    status = models.CharField(max_length=10, choices=Status, default=Status.OPEN)
    explanation = models.JSONField()
    ways_out = models.JSONField(default=list)
    # The run that found it stands at "needs a decision" until this is decided.
    run = models.ForeignKey("governance.Run", on_delete=models.SET_NULL, null=True, related_name="conflicts")
    found_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    set_aside = models.JSONField(default=list)
    reason = models.TextField(blank=True)
    decided_by_id = models.BigIntegerField(null=True)
    decided_by_name = models.CharField(max_length=200, blank=True)
    decided_at = models.DateTimeField(null=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "fingerprint"], name="conflict_fingerprint_once")
        ]
        indexes = [models.Index(fields=["group", "status", "-found_at"])]

    def __str__(self) -> str:
        return str(self.explanation.get("summary", self.fingerprint[:12]))

    @property
    def sets(self) -> list[dict[str, Any]]:
        """The minimal conflicting sets; where these were not kept yet, all rules as one."""
        whole = {"rules": self.explanation.get("rules", []), "chain": self.explanation.get("chain", [])}
        return list(self.explanation.get("sets", [whole]))

    @property
    def stuck(self) -> list[str]:
        """The plugins that have no way to go."""
        return list(self.explanation.get("stuck", [self.plugin.name]))

    @property
    def decided_earlier(self) -> bool:
        """Whether the conflict was gone since its decision, which was kept and holds again."""
        return self.decided_at is not None and self.found_at > self.decided_at

    def decision_in_words(self, *, earlier: bool) -> str:
        """By whom, when and why it was decided."""
        if self.decided_at is None:
            return ""
        when = self.decided_at.astimezone(UTC)
        by = f"decided {'earlier ' if earlier else ''}by {self.decided_by_name}"
        return f"{by} on {when.day} {when:%B %Y}: {shorten(self.reason, SHOWN_REASON, placeholder='…')}"


class ConflictTenant(models.Model):
    """A tenant that a standing conflict touches.

    `goes`: by the rules that a way out sets aside ("policy/key + policy/key"), where the conflict's plugins
    go or stay in this tenant then: {"says": text, "to": {plugin's name: version, null where it is gone}}.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+")
    conflict = models.ForeignKey(Conflict, on_delete=models.CASCADE, related_name="touched")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="conflicts")
    goes = models.JSONField(default=dict, db_default={})

    objects = TenantRowQuerySet["ConflictTenant"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["conflict", "tenant"], name="conflict_tenant_once")]

    def __str__(self) -> str:
        return f"{self.conflict_id} {self.tenant_id}"
