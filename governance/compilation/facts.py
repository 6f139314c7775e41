"""What the pure rules ask of the catalogue, read from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from django.db.models import Exists, OuterRef, QuerySet

from governance.models import Plugin, Release, ReleaseAdvisory, Rule
from governance.rules import ReleaseFacts, Wish


@dataclass(frozen=True, slots=True)
class PluginFacts:
    """A plugin with its dialect and all its releases."""

    id: int
    dialect: str
    is_host: bool
    releases: list[ReleaseFacts] = field(default_factory=list)


def wish_of(rule: Rule) -> Wish:
    """What a compiled rule wants."""
    return Wish(rule.kind, rule.spec)


def plugins_of(rule: Rule, catalogue: dict[int, PluginFacts]) -> list[PluginFacts]:
    """The plugins among these that the rule is about."""
    if rule.plugins:
        return [catalogue[plugin] for plugin in rule.plugins if plugin in catalogue]
    return [plugin for plugin in catalogue.values() if not plugin.is_host]


def load(group_id: int, plugin_ids: Collection[int] | None) -> dict[int, PluginFacts]:
    """The plugins of a group, or these of them, with their releases."""
    plugins = Plugin.objects.filter(group_id=group_id)
    releases = Release.objects.filter(group_id=group_id)
    if plugin_ids is not None:
        plugins = plugins.filter(pk__in=list(plugin_ids))
        releases = releases.filter(plugin_id__in=list(plugin_ids))
    by_plugin = _by_plugin(releases)
    return {
        pk: PluginFacts(pk, dialect, is_host, by_plugin[pk])
        for pk, dialect, is_host in plugins.order_by("pk").values_list("pk", "scheme", "is_host")
    }


def _by_plugin(releases: QuerySet[Release]) -> dict[int, list[ReleaseFacts]]:
    warned = Exists(ReleaseAdvisory.objects.filter(release_id=OuterRef("pk")))
    rows = releases.annotate(vulnerable=warned).values_list(
        "plugin_id", "pk", "version", "rank", "channel", "released_at", "withdrawn", "prerelease",
        "catalogued", "vulnerable",
    )  # fmt: skip
    by_plugin: dict[int, list[ReleaseFacts]] = defaultdict(list)
    for plugin_id, *facts in rows:
        by_plugin[plugin_id].append(ReleaseFacts(*facts))
    return by_plugin
