"""What there is to tell, and to whom: one digest a person, written from what is open now."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.template.loader import render_to_string
from django.urls import reverse

from governance import profiles
from governance.models import Conflict, ConflictTenant, Finding, Policy, Run
from governance.models.policy import Mode
from tenants import directory
from tenants.models import Tenant, User

Status = Finding.Status
LINES = 50  # a mail with more of them isn't read
_TELLING = (Status.NEEDS_DECISION, Status.VERIFY_FAILED)


@dataclass(frozen=True, slots=True)
class Line:
    """One finding, as its tenant's admin reads it. Nothing in it speaks of another tenant."""

    tenant_id: int
    tenant: str
    plugin: str
    installed: str | None
    target: str | None
    policy_id: int
    policy: str
    rule: str
    due_at: datetime | None
    status: str
    says: str

    def news(self, at: datetime) -> int:
        """What makes it news: another finding, due date or need, not another wording."""
        need = self.status if self.status in _TELLING else ""
        late = self.due_at is not None and self.due_at < at
        return _hash("line", self.tenant_id, self.plugin, self.policy_id, self.rule, self.due_at, late, need)

    def as_json(self) -> dict[str, Any]:
        """As the outbound contract carries it."""
        return {
            "tenant": self.tenant,
            "plugin": self.plugin,
            "from": self.installed,
            "to": self.target,
            "policy": self.policy,
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "status": self.status,
            "says": self.says,
        }


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conflict that needs a decision."""

    id: str
    plugin: str
    summary: str
    policies: str
    tenants: int

    def as_json(self) -> dict[str, Any]:
        """As a line of the outbound contract."""
        return {
            "tenant": None,
            "plugin": self.plugin,
            "from": None,
            "to": None,
            "policy": self.policies,
            "due_at": None,
            "status": str(Status.NEEDS_DECISION),
            "says": self.summary,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """The group as its owners read it."""

    findings: int
    tenants: int
    overdue: int
    policies: list[tuple[str, int]]
    waiting: list[Waiting]
    orphans: list[str]  # tenants in drift that have no admin
    news: frozenset[int]


@dataclass(slots=True)
class Digest:
    """What one person is told."""

    user: User
    group: str
    lines: list[Line] = field(default_factory=list)
    summary: Summary | None = None

    @property
    def tenants(self) -> list[str]:
        """The person's own tenants that it speaks of."""
        return sorted({line.tenant for line in self.lines})

    @property
    def due_at(self) -> datetime | None:
        """When the first of the person's own lines is due."""
        return min((line.due_at for line in self.lines if line.due_at), default=None)

    @property
    def folded(self) -> int:
        """How many lines are left out."""
        return max(len(self.lines) - LINES, 0)

    def news(self, at: datetime) -> frozenset[int]:
        """The identities of all that it tells."""
        own = frozenset(line.news(at) for line in self.lines)
        return own | self.summary.news if self.summary else own

    def subject(self) -> str:
        """What stands above it."""
        if self.summary is None:
            count = _counted(len(self.lines), "finding")
            return f"{self.tenants[0] if len(self.tenants) == 1 else f'{len(self.tenants)} tenants'}: {count}"
        told = f"{_counted(self.summary.findings, 'finding')} in {_counted(self.summary.tenants, 'tenant')}"
        waiting = len(self.summary.waiting)
        return f"{self.group}: {told}" + (f", {_counted(waiting, 'decision')} waiting" if waiting else "")

    def recipient(self, run: Run, at: datetime) -> dict[str, Any]:
        """The person's part of the outbound contract."""
        context = {"digest": self, "shown": self.lines[:LINES], "at": at}
        waiting = [found.as_json() for found in self.summary.waiting[:LINES]] if self.summary else []
        return {
            "user": self.user.username,
            "email": self.user.email,
            "tenant": self.tenants[0] if len(self.tenants) == 1 and not self.summary else None,
            "subject": self.subject(),
            "text": render_to_string("governance/notifications/digest.txt", context).strip(),
            "link": self._link(run.group.slug),
            "due_at": self.due_at.isoformat() if self.due_at else None,
            "lines": [*waiting, *(line.as_json() for line in self.lines[:LINES])],
            "key": f"run-{run.pk}-{self.user.pk}",
        }

    def _link(self, group: str) -> str:
        name = "conflict_list" if self.summary and self.summary.waiting else "drift_list"
        return f"{settings.BASE_URL}{reverse(name, kwargs={'group': group})}"


def compose(run: Run, *, at: datetime) -> list[Digest]:
    """A digest for each tenant admin and owner who has something to hear, by name."""
    telling = _policies(run)
    found = _findings(run, telling)
    people = directory.told(run.group_id, {tenant_id for tenant_id, _ in found}, at=at)
    digests: dict[int, Digest] = {}
    for line in (_line(finding) for _, finding in found if telling[finding.policy_id].tells_tenant_admins):
        for person in people.tenants.get(line.tenant_id, []):
            digests.setdefault(person.pk, Digest(person, run.group.name)).lines.append(line)
    findings = [finding for _, finding in found]
    for readers, policies in people.summary_readers():
        chosen = [one for one in findings if policies is None or one.policy.name in policies]
        summary = _summary(run, chosen, telling, set(people.tenants), at, policies)
        if summary.findings or summary.waiting:
            for user in readers:
                digests.setdefault(user.pk, Digest(user, run.group.name)).summary = summary
    return sorted(digests.values(), key=lambda digest: digest.user.username)


def _policies(run: Run) -> dict[int, profiles.Settings]:
    """The policies that act in this run, by id, with what their profiles say about messages.

    A paused policy finds drift and tells nobody.
    """
    policies = Policy.objects.filter(
        group_id=run.group_id, status=Policy.Status.ACTIVE, current__isnull=False
    )
    if run.policy_names:
        policies = policies.filter(name__in=run.policy_names)
    return {
        policy.pk: profiles.settings(policy.current.profile if policy.current else {})
        for policy in policies.select_related("current")
    }


def _findings(run: Run, policies: Mapping[int, Any]) -> list[tuple[int, Finding]]:
    findings = (
        Finding.objects.filter(group_id=run.group_id, policy__in=policies, tenant__active=True)
        .filter(rule__mode__in=[Mode.REMIND, Mode.ENFORCE])
        .outstanding()
        .select_related("tenant", "plugin", "release", "target", "policy", "rule")
        .order_by("due_at", "tenant__key", "plugin__name", "policy__name", "rule_key")
    )
    return [(finding.tenant_id, finding) for finding in findings]


def _line(finding: Finding) -> Line:
    return Line(
        tenant_id=finding.tenant_id,
        tenant=finding.tenant.key,
        plugin=finding.plugin.name,
        installed=str(finding.release) if finding.release else None,
        target=str(finding.target) if finding.target else None,
        policy_id=finding.policy_id,
        policy=finding.policy.name,
        rule=finding.rule_key,
        due_at=finding.due_at,
        status=str(finding.status),
        says=says(finding),
    )


def says(finding: Finding) -> str:
    """Whose turn it is, in words for the tenant's admin."""
    if finding.status == Status.NEEDS_DECISION:
        return "The group has to decide between its rules first; nothing for you to do."
    if finding.status == Status.PLANNED:
        return "An upgrade is planned; nothing for you to do."
    if finding.status in {Status.IN_PROGRESS, Status.VERIFYING}:
        return "An upgrade is under way; nothing for you to do."
    if finding.status == Status.VERIFY_FAILED:
        return "An upgrade had not the effect that was wanted; please look into it."
    if finding.rule and finding.rule.mode == Mode.ENFORCE and (finding.target or finding.remove):
        return "An upgrade will be planned; nothing for you to do."
    return "Please remove it." if finding.remove else "Please bring it into line."


def _summary(
    run: Run,
    findings: Iterable[Finding],
    telling: Mapping[int, Any],
    with_admin: set[int],
    at: datetime,
    policies: frozenset[str] | None,
) -> Summary:
    told = [finding for finding in findings if telling[finding.policy_id].tells_owners]
    waiting = _waiting(run, policies)
    tenants: dict[int, Tenant] = {finding.tenant_id: finding.tenant for finding in told}
    news = {_hash("drift", finding.tenant_id, finding.policy_id, _late(finding, at)) for finding in told}
    return Summary(
        findings=len(told),
        tenants=len(tenants),
        overdue=sum(_late(finding, at) for finding in told),
        policies=Counter(finding.policy.name for finding in told).most_common(),
        waiting=waiting,
        orphans=sorted(tenant.key for pk, tenant in tenants.items() if pk not in with_admin),
        news=frozenset(news | {_hash("conflict", found.id) for found in waiting}),
    )


def _waiting(run: Run, policies: frozenset[str] | None) -> list[Waiting]:
    """The conflicts that wait; with `policies`, those that one of them is part of."""
    conflicts = Conflict.objects.filter(group_id=run.group_id).waiting().select_related("plugin")
    touched = ConflictTenant.objects.filter(conflict__in=conflicts.values("pk")).order_by()
    tenants = dict(touched.values_list("conflict").annotate(count=Count("pk")))
    return [
        Waiting(
            id=str(conflict.pk),
            plugin=conflict.plugin.name,
            summary=str(conflict),
            policies=", ".join(sorted(_parties(conflict))),
            tenants=tenants.get(conflict.pk, 0),
        )
        for conflict in conflicts.order_by("found_at", "pk")
        if policies is None or policies & _parties(conflict)
    ]


def _parties(conflict: Conflict) -> set[str]:
    return {rule["policy"] for rule in conflict.explanation.get("rules", [])}


def _late(finding: Finding, at: datetime) -> bool:
    return finding.due_at is not None and finding.due_at < at


def _hash(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8], signed=True)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
