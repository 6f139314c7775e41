"""Plugins with what governance knows about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.access import Access
from governance.models import Finding, Installation, Plugin, Release


@dataclass(frozen=True, slots=True)
class InUse:
    """A release and in how many tenants it runs."""

    release: Release
    tenants: int
    warnings: int


def with_figures(access: Access) -> QuerySet[Plugin]:
    """The group's plugins with how many tenants within reach run them, in how many versions, the newest."""
    installed = Installation.objects.within(access).current().filter(plugin=OuterRef("pk")).order_by()
    findings = Finding.objects.within(access).outstanding().filter(plugin=OuterRef("pk")).order_by()
    newest = Release.objects.filter(plugin=OuterRef("pk"), catalogued=True, withdrawn=False, prerelease=False)
    return Plugin.objects.within(access).annotate(
        tenant_count=_figure(installed.values("plugin").annotate(n=Count("tenant"))),
        version_count=_figure(installed.values("plugin").annotate(n=Count("release", distinct=True))),
        open_drift=_figure(findings.values("plugin").annotate(n=Count("pk"))),
        newest_version=Subquery(newest.order_by("-rank").values("version")[:1]),
    )


def versions_in_use(plugin: Plugin, access: Access) -> list[InUse]:
    """The plugin's releases that run in tenants within reach, newest first."""
    installed = Installation.objects.within(access).current().filter(plugin=plugin).order_by()
    counts = dict(installed.values_list("release_id").annotate(n=Count("tenant")))
    releases = Release.objects.filter(pk__in=counts).annotate(warnings=Count("advisories"))
    return [
        InUse(release, counts[release.pk], release.warnings)
        for release in releases.order_by("-rank", "version")
    ]


def running(plugin: Plugin, access: Access) -> QuerySet[Installation]:
    """Who runs the plugin now, within reach, with each tenant's open drift on it."""
    drift = (
        Finding.objects.outstanding()
        .filter(plugin=plugin, tenant=OuterRef("tenant"))
        .order_by()
        .values("tenant")
        .annotate(n=Count("pk"))
    )
    installed = Installation.objects.within(access).current().filter(plugin=plugin)
    return installed.select_related("tenant", "release").annotate(drift=_figure(drift))


def _figure(counted: QuerySet[Any, Any]) -> Coalesce:
    return Coalesce(Subquery(counted.values("n"), output_field=IntegerField()), 0)
