"""The same findings by plugin, by tenant and by policy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from django.db.models import Count

from governance.models import Installation, Plugin, Policy
from tenants.models import Group, Tenant

Document = dict[str, Any]


def count(rows: Iterable[Document], name: str) -> dict[str, int]:
    """How many rows have each value, the most frequent first."""
    return dict(Counter(row[name] for row in rows).most_common())


def by_tenant(group: Group, outstanding: list[Document], accepted: list[Document]) -> list[Document]:
    """Every active tenant, by name."""
    open_, late, exempt = _tallies(outstanding, accepted, "tenant")
    current = Installation.objects.filter(group=group).current().order_by()
    installed = dict(current.values_list("tenant").annotate(count=Count("pk")))
    hosts = dict(current.filter(plugin__is_host=True).values_list("tenant", "release__version"))
    tenants = Tenant.objects.filter(group=group).active().order_by("key")
    return [
        {
            "tenant": tenant.key,
            "name": tenant.name,
            "tier": tenant.tier,
            "host": hosts.get(tenant.pk),
            "installations": installed.get(tenant.pk, 0),
            "outstanding": open_[tenant.key],
            "overdue": late[tenant.key],
            "accepted": exempt[tenant.key],
            "compliant": not open_[tenant.key],
        }
        for tenant in tenants
    ]


def by_plugin(group: Group, outstanding: list[Document], accepted: list[Document]) -> list[Document]:
    """Every plugin that runs somewhere or is missing somewhere, the one with most drift first."""
    open_, late, exempt = _tallies(outstanding, accepted, "plugin")
    drifting = Counter(plugin for plugin, _ in {(row["plugin"], row["tenant"]) for row in outstanding})
    current = Installation.objects.filter(group=group).current().order_by()
    tenants = dict(current.values_list("plugin").annotate(count=Count("pk")))
    versions = dict(current.values_list("plugin").annotate(count=Count("release", distinct=True)))
    rows = [
        {
            "plugin": name,
            "tenants": tenants.get(pk, 0),
            "versions": versions.get(pk, 0),
            "drifting_tenants": drifting[name],
            "outstanding": open_[name],
            "overdue": late[name],
            "accepted": exempt[name],
        }
        for pk, name in Plugin.objects.filter(group=group).values_list("pk", "name")
        if pk in tenants or open_[name] or exempt[name]
    ]
    return sorted(rows, key=lambda row: (-row["outstanding"], row["plugin"]))


def by_policy(group: Group, outstanding: list[Document], accepted: list[Document]) -> list[Document]:
    """Every policy that binds or has open drift, the one with most first."""
    open_, late, exempt = _tallies(outstanding, accepted, "policy")
    tenants = Counter(policy for policy, _ in {(row["policy"], row["tenant"]) for row in outstanding})
    binding = Policy.objects.filter(group=group, status__in=[Policy.Status.ACTIVE, Policy.Status.PAUSED])
    names = {*binding.values_list("name", flat=True), *open_, *exempt}
    rows = [
        {
            "policy": name,
            "drifting_tenants": tenants[name],
            "outstanding": open_[name],
            "overdue": late[name],
            "accepted": exempt[name],
        }
        for name in names
    ]
    return sorted(rows, key=lambda row: (-row["outstanding"], row["policy"]))


def _tallies(
    outstanding: list[Document], accepted: list[Document], name: str
) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """Outstanding, overdue and accepted by the value of one field."""
    late = Counter(row[name] for row in outstanding if row["overdue"])
    return Counter(row[name] for row in outstanding), late, Counter(row[name] for row in accepted)
