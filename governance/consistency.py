"""What can't run in a tenant as it is now, by the relations that evaluation decides with.

Of every plugin only the installed release matters here, so that is all that is loaded: a wish is compiled to
those of its releases that are there, and no more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db.models import Q

from governance.demands import Demands, Line, PluginRow, Wishes
from governance.models import Installation, Manifest, Plugin
from governance.resolution import Release, Trouble, reason_in_words, troubles
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Misfit:
    """A plugin that can't run, or not beside what it clashes with if it is `usable`; and why, in words."""

    plugin_id: int
    plugin: str
    version: str
    usable: bool
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What of a tenant's plugins can't run, by name, and how much there was to judge by.

    Unless the newest manifest is `complete`, plugins may be there that nobody is judged by; unless the host
    is known, nothing that is asked of it is judged.
    """

    misfits: tuple[Misfit, ...]
    reported: bool
    complete: bool
    host_known: bool

    @property
    def whole(self) -> bool:
        """Whether all that the tenant runs was judged, and all that it is asked."""
        return self.reported and self.complete and self.host_known


class _Installed(NamedTuple):
    plugin_id: int
    release_id: int
    version: str
    rank: int
    host_min: str
    host_max: str
    requires: list[Mapping[str, Any]]
    conflicts: list[Mapping[str, Any]]
    provides: list[str]

    @property
    def wishes(self) -> Wishes:
        return Wishes(self.host_min, self.host_max, self.requires, self.conflicts)


def judge(tenant: Tenant) -> Judgement:
    """Judge whether the tenant's plugins go together. The queries are three, whatever is installed."""
    columns = ("release__" + name for name in _Installed._fields[2:])
    rows = Installation.objects.current().filter(tenant=tenant)
    installed = [_Installed(*row) for row in rows.values_list("plugin_id", "release_id", *columns)]
    plugins = _plugins(tenant.group_id, installed)
    releases = {release.component: release for release in _compiled(plugins, installed)}
    hosts = [row.id for row in plugins.values() if row.is_host]
    host = next((releases.pop(id) for id in hosts if id in releases), None)
    names = {row.id: row.name for row in plugins.values()}
    complete = _is_complete(tenant)
    found = troubles(releases.values(), host=host, complete=complete is not False)
    return Judgement(
        misfits=tuple(sorted((_misfit(trouble, names) for trouble in found), key=lambda one: one.plugin)),
        reported=bool(installed) or complete is not None,
        complete=complete is not False,
        host_known=host is not None or not hosts,
    )


def _misfit(trouble: Trouble, names: Mapping[int, str]) -> Misfit:
    release = trouble.release
    reasons = tuple(reason_in_words(reason, names) for reason in trouble.reasons)
    return Misfit(release.component, names[release.component], release.version, trouble.usable, reasons)


def _compiled(plugins: Mapping[str, PluginRow], installed: Iterable[_Installed]) -> Iterable[Release]:
    host = next((row for row in plugins.values() if row.is_host), None)
    lines = {plugin.id: Line((), (), frozenset()) for plugin in plugins.values()}
    providers: dict[str, dict[int, set[int]]] = defaultdict(dict)
    for row in installed:
        lines[row.plugin_id] = Line((row.release_id,), (row.version,), frozenset({row.release_id}))
        for name in row.provides:
            providers[name][row.plugin_id] = {row.release_id}
    demands = Demands(plugins, providers, host, lines)
    for row in installed:
        relations = demands.compiled(row.plugin_id, row.wishes)
        yield Release(row.release_id, row.plugin_id, row.version, row.rank, relations)


def _plugins(group_id: int, installed: Iterable[_Installed]) -> dict[str, PluginRow]:
    """By name, the plugins that are installed or that these name, and the host."""
    ids = {row.plugin_id for row in installed}
    names = {
        one["plugin"]
        for row in installed
        for entry in (*row.requires, *row.conflicts)
        for one in entry.get("any_of", (entry,))
    }
    rows = Plugin.objects.filter(Q(pk__in=ids) | Q(name__in=names) | Q(is_host=True), group_id=group_id)
    found = (PluginRow(*row) for row in rows.values_list("pk", "name", "scheme", "is_host"))
    return {row.name: row for row in found}


def _is_complete(tenant: Tenant) -> bool | None:
    """Whether what the tenant's newest manifest doesn't name isn't there; None without a manifest."""
    newest = Manifest.objects.filter(tenant=tenant).order_by("-observed_at", "-inventory_id")
    return newest.values_list("complete", flat=True).first()
