"""Findings counted for people."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q

from config.access import Access
from governance.models import Finding


@dataclass(frozen=True, slots=True)
class Tally:
    """How much open drift one plugin or tenant has; `id` is the plugin's or the tenant's."""

    id: int
    name: str
    outstanding: int
    accepted: int


def count_by_status(access: Access) -> dict[str, int]:
    """The open findings within reach by status, in the order of a finding's life; none left out is zero."""
    rows = Finding.objects.within(access).open().order_by().values_list("status")
    counts = dict(rows.annotate(count=Count("pk")))
    return {status.value: counts[status] for status in Finding.Status if counts.get(status)}


def most_by_plugin(access: Access, limit: int) -> list[Tally]:
    """The plugins with the most outstanding drift within reach."""
    return _most(access, "plugin_id", "plugin__name", limit)


def most_by_tenant(access: Access, limit: int) -> list[Tally]:
    """The tenants with the most outstanding drift within reach."""
    return _most(access, "tenant_id", "tenant__key", limit)


def _most(access: Access, identity: str, name: str, limit: int) -> list[Tally]:
    accepted = Q(status=Finding.Status.ACCEPTED)
    rows = (
        Finding.objects.within(access)
        .open()
        .order_by()
        .values_list(identity, name)
        .annotate(outstanding=Count("pk", filter=~accepted), accepted=Count("pk", filter=accepted))
        .filter(outstanding__gt=0)
        .order_by("-outstanding", name)[:limit]
    )
    return [Tally(*row) for row in rows]
