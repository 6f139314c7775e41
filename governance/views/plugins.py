"""Plugins: the catalogue, and one with its versions in use and who runs them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET
from django_filters import CharFilter, ChoiceFilter, FilterSet

from config.access import ConsoleRequest, Permission, requires
from config.charts import Bar, bars
from config.listing import Listing, listing
from config.rendering import render_page
from governance import plugins
from governance.models import Installation, Plugin, Release

MOST_BARS = 25


class PluginFilter(FilterSet):
    """How the catalogue may be narrowed."""

    shows = ChoiceFilter(
        label="Show",
        empty_label="Installed somewhere",
        choices=[("all", "Whole catalogue"), ("drift", "In drift"), ("unknown", "Not in the catalogue")],
        method="by_mark",
    )

    class Meta:
        model = Plugin
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without another choice, what runs somewhere: a catalogue is mostly of what nobody has."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("shows") else rows.filter(tenant_count__gt=0)

    def by_mark(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Plugins that carry the mark."""
        return rows.filter({"all": Q(), "drift": Q(open_drift__gt=0), "unknown": Q(catalogued=False)}[value])


class RunningFilter(FilterSet):
    """How the tenants that run a plugin may be narrowed."""

    version = CharFilter(label="Version", field_name="release__version")

    class Meta:
        model = Installation
        fields: tuple[str, ...] = ()


@require_GET
@requires(Permission.GROUP_VIEW)
def plugin_list(request: ConsoleRequest) -> HttpResponse:
    """The group's plugins."""
    rows = listing(
        request,
        plugins.with_figures(request.access),
        name="plugins",
        noun=("plugin", "plugins"),
        search=("name", "title"),
        filterset_class=PluginFilter,
        sorts={
            "plugin": ("name",),
            "tenants": ("tenant_count", "name"),
            "versions": ("version_count", "name"),
            "drift": ("open_drift", "name"),
        },
        default="-tenants",
    )
    return render_page(
        request,
        "governance/plugins/list.html",
        {"listing": rows},
        fragments={"plugins": "governance/plugins/_table.html"},
    )


@require_GET
@requires(Permission.TENANT_VIEW)
def plugin_detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """One plugin: its versions in use as a picture, and who runs what."""
    plugin = _reached(request, pk)
    rows = listing(
        request,
        plugins.running(plugin, request.access),
        name="running",
        noun=("tenant", "tenants"),
        search=("tenant__key",),
        filterset_class=RunningFilter,
        sorts={
            "tenant": ("tenant__key",),
            "version": ("release__rank", "tenant__key"),
            "drift": ("drift", "tenant__key"),
            "since": ("since", "tenant__key"),
        },
        default="-version",
    )
    return _plugin_page(request, plugin, "running", rows)


@require_GET
@requires(Permission.TENANT_VIEW)
def plugin_releases(request: ConsoleRequest, pk: int) -> HttpResponse:
    """One plugin's releases as the catalogue has them."""
    plugin = _reached(request, pk)
    rows = listing(
        request,
        Release.objects.within(request.access).filter(plugin=plugin).annotate(warnings=Count("advisories")),
        name="releases",
        noun=("release", "releases"),
        search=("version", "channel"),
        sorts={"version": ("rank", "version"), "released": ("released_at", "rank")},
        default="-version",
    )
    return _plugin_page(request, plugin, "releases", rows)


def _reached(request: ConsoleRequest, pk: int) -> Plugin:
    """The plugin; for someone who sees only some tenants, only if one of these runs it."""
    rows: QuerySet[Any] = plugins.with_figures(request.access)
    if not request.access.whole_group:
        rows = rows.filter(tenant_count__gt=0)
    plugin: Plugin = get_object_or_404(rows, pk=pk)
    return plugin


def _plugin_page(request: ConsoleRequest, plugin: Plugin, tab: str, rows: Listing) -> HttpResponse:
    in_use = plugins.versions_in_use(plugin, request.access)
    address = request.access.link("plugin_detail", plugin.pk)
    drawn = [
        Bar(
            used.release.version,
            used.tenants,
            url=f"{address}?{urlencode({'version': used.release.version})}",
            tone="red" if used.warnings else "blue" if used.release.catalogued else "secondary",
        )
        for used in in_use[:MOST_BARS]
    ]
    fragment = f"governance/plugins/_{tab}.html"
    context = {
        "plugin": plugin,
        "tab": tab,
        "fragment": fragment,
        "listing": rows,
        "versions": bars(drawn, title=f"Versions of {plugin} in use, newest first") if drawn else None,
        "more_versions": max(0, len(in_use) - MOST_BARS),
    }
    return render_page(request, "governance/plugins/detail.html", context, fragments={tab: fragment})
