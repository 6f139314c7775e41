"""Policies with what governance knows about them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.access import Access
from governance.models import Finding, Policy, Release, Rule, SelectionTenant
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Compiled:
    """What compiling made of a rule. `targets` are what a rule for one version everywhere has chosen."""

    severity: str
    weight: int
    sla_days: int | None
    targets: list[Release] = field(default_factory=list)


def with_figures(access: Access) -> QuerySet[Policy]:
    """The group's policies with how many tenants each selects, and its drift."""
    findings = Finding.objects.within(access).open().filter(policy=OuterRef("pk")).order_by()
    accepted = findings.filter(status=Finding.Status.ACCEPTED)
    chosen = Rule.objects.filter(version=OuterRef(OuterRef("current"))).values("selection")
    members = SelectionTenant.objects.filter(selection__in=chosen).order_by()
    per_policy = members.annotate(policy=OuterRef("pk")).values("policy")
    return (
        Policy.objects.within(access)
        .select_related("current")
        .annotate(
            tenant_count=_figure(per_policy.annotate(n=Count("tenant", distinct=True))),
            open_drift=_figure(_counted(findings.exclude(status=Finding.Status.ACCEPTED))),
            accepted_drift=_figure(_counted(accepted)),
        )
    )


def tenants_of(policy: Policy, access: Access) -> QuerySet[Tenant]:
    """The tenants that the policy selects, each with its open drift under it."""
    selections = Rule.objects.filter(version_id=policy.current_id).values("selection")
    members = SelectionTenant.objects.filter(selection__in=selections).values("tenant")
    findings = Finding.objects.outstanding().filter(policy=policy, tenant=OuterRef("pk")).order_by()
    per_tenant = findings.values("tenant").annotate(n=Count("pk"))
    return Tenant.objects.within(access).filter(pk__in=members).annotate(open_drift=_figure(per_tenant))


def drift_by_rule(policy: Policy, access: Access) -> dict[str, int]:
    """The policy's outstanding findings by rule key; a rule that nobody breaks is missing."""
    findings = Finding.objects.within(access).outstanding().filter(policy=policy).order_by()
    return dict(findings.values_list("rule_key").annotate(n=Count("pk")))


def drift_by_status(policy: Policy, access: Access) -> dict[str, int]:
    """The policy's open findings by status, in the order of a finding's life; none left out is zero."""
    findings = Finding.objects.within(access).open().filter(policy=policy).order_by()
    counts = dict(findings.values_list("status").annotate(n=Count("pk")))
    return {status.value: counts[status] for status in Finding.Status if counts.get(status)}


def compiled_rules(policy: Policy) -> dict[str, Compiled]:
    """The rules of the policy's current version as compiled, by their key."""
    rules = list(Rule.objects.filter(version_id=policy.current_id).order_by("key", "variant"))
    releases = _by_id(release for rule in rules for release in rule.targets.values())
    compiled: dict[str, Compiled] = {}
    for rule in rules:
        found = compiled.setdefault(rule.key, Compiled(rule.severity, rule.weight, rule.sla_days))
        found.targets.extend(releases[release] for release in rule.targets.values() if release in releases)
    return compiled


def _by_id(identities: Iterable[int]) -> dict[int, Release]:
    return Release.objects.select_related("plugin").in_bulk(list(set(identities)))


def _counted(findings: QuerySet[Finding]) -> QuerySet[Any, Any]:
    return findings.values("policy").annotate(n=Count("pk"))


def _figure(counted: QuerySet[Any, Any]) -> Coalesce:
    """The `n` of a correlated query that counts, 0 where it has no row."""
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)
