"""Tenants with what governance knows about them."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Count, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.access import Access
from governance.models import Finding, Installation, Manifest, Plugin
from tenants.models import Tenant


def with_figures(access: Access, *, at: datetime) -> QuerySet[Tenant]:
    """The tenants within reach with host, plugins, drift and the newest manifest's time.

    Each figure is a subquery on an index that leads with the tenant, so that a page costs what it shows.
    """
    host = Plugin.objects.within(access).filter(is_host=True).first()
    installed = Installation.objects.current().filter(tenant=OuterRef("pk"))
    on_host = installed.filter(plugin=host)
    findings = Finding.objects.outstanding().filter(tenant=OuterRef("pk"))
    newest = Manifest.objects.filter(tenant=OuterRef("pk")).order_by("-observed_at", "-inventory")
    return Tenant.objects.within(access).annotate(
        host_version=Subquery(on_host.values("release__version")[:1]),
        host_rank=Subquery(on_host.values("release__rank")[:1]),
        plugin_count=_counted(installed.exclude(plugin=host) if host else installed),
        open_drift=_counted(findings),
        overdue_drift=_counted(findings.filter(due_at__lt=at)),
        last_manifest_at=Subquery(newest.values("observed_at")[:1]),
    )


def installed_in(tenant: Tenant) -> QuerySet[Installation]:
    """What the tenant runs now, the host too, each with its open drift and its security warnings."""
    drift = Finding.objects.open().filter(tenant=tenant, plugin=OuterRef("plugin"))
    return (
        Installation.objects.current()
        .filter(tenant=tenant)
        .select_related("plugin", "release")
        .annotate(
            drift=_counted(drift),
            warnings=Count("release__releaseadvisory", distinct=True),
            known=Q(release__catalogued=True),
        )
    )


def _counted(rows: QuerySet[Installation] | QuerySet[Finding]) -> Coalesce:
    """The number of rows of a correlated query. They share no column's value but the one they are tied by."""
    tied = rows.order_by().values("tenant").annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(tied, output_field=IntegerField()), 0)
