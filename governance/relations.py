"""What a group's releases ask of each other, loaded from its catalogue and compiled by `governance.demands`.

Only what is asked for is loaded: a group's evaluation concerns a fraction of its catalogue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from governance.demands import Demands, Line, PluginRow, Wishes
from governance.models import Plugin, Release
from governance.resolution import Candidates
from governance.resolution import Release as Candidate

_COLUMNS = (
    "pk", "plugin_id", "version", "rank", "released_at", "withdrawn", "prerelease", "catalogued",
    "host_min", "host_max", "requires", "conflicts",
)  # fmt: skip


class Catalogue:
    """A group's releases as resolution sees them at a time, loaded as they are asked for."""

    def __init__(self, group_id: int, at: datetime) -> None:
        self.group_id = group_id
        self.at = at
        rows = Plugin.objects.filter(group_id=group_id).values_list("pk", "name", "scheme", "is_host")
        self.plugins = {row[0]: PluginRow(*row) for row in rows}
        self.by_name = {plugin.name: plugin for plugin in self.plugins.values()}
        self.host = next((plugin for plugin in self.plugins.values() if plugin.is_host), None)
        self._rows: dict[int, tuple[Any, ...]] = {}
        self._whole: dict[int, list[int]] = {}  # plugin: its releases' ids, once all are loaded
        self._spelt: set[int] = set()  # the releases of which all that they name is loaded
        self._releases: dict[int, Candidate] = {}
        self._candidates: dict[int, Candidates] = {}
        self._demands = Demands(self.by_name, self._load_providers(), self.host)

    def load_plugins(self, plugin_ids: Iterable[int]) -> None:
        """Have every release of these plugins at hand, and the versions that theirs name."""
        missing = set(plugin_ids) - self._whole.keys()
        if not missing:
            return
        for plugin_id in missing:
            self._whole[plugin_id] = []
        for row in (
            Release.objects.filter(plugin_id__in=missing).order_by("rank", "pk").values_list(*_COLUMNS)
        ):
            self._rows[row[0]] = row
            self._whole[row[1]].append(row[0])
        self._load_lines(missing | self._named(row for p in missing for row in self._rows_of(p)))

    def load_releases(self, release_ids: Iterable[int]) -> None:
        """Have these releases at hand, without what they name."""
        missing = set(release_ids) - self._rows.keys()
        if missing:
            rows = Release.objects.filter(pk__in=missing).values_list(*_COLUMNS)
            self._rows.update((row[0], row) for row in rows)

    def load_named(self, release_ids: Iterable[int]) -> None:
        """Have the versions at hand that these loaded releases name."""
        missing = set(release_ids) - self._spelt
        self._load_lines(self._named(self._rows[release_id] for release_id in missing))
        self._spelt |= missing

    def candidates(self, plugin_id: int) -> Candidates:
        """Every release of a loaded plugin."""
        known = self._candidates.get(plugin_id)
        if known is None:
            releases = map(self.release, self._whole[plugin_id])
            known = self._candidates[plugin_id] = Candidates(releases)
        return known

    def ids(self, plugin_id: int) -> frozenset[int]:
        """The ids of every release of a loaded plugin."""
        return self._demands.lines[plugin_id].all

    def release(self, release_id: int) -> Candidate:
        """A loaded release with what it asks of others."""
        known = self._releases.get(release_id)
        if known is None:
            known = self._releases[release_id] = self._compile(self._rows[release_id])
        return known

    def bare(self, release_id: int) -> Candidate:
        """A loaded release without what it asks of others."""
        pk, plugin_id, version, rank, *_ = self._rows[release_id]
        return Candidate(pk, plugin_id, version, rank)

    def component_of(self, release_id: int) -> int:
        """The plugin of a loaded release."""
        return int(self._rows[release_id][1])

    def version(self, release_id: int) -> str:
        """The text of a loaded release's version."""
        return str(self._rows[release_id][2])

    def named_by(self, release_id: int) -> set[int]:
        """The components that could matter to a loaded release, read off without compiling it."""
        return self._named([self._rows[release_id]])

    def _rows_of(self, plugin_id: int) -> list[tuple[Any, ...]]:
        return [self._rows[release_id] for release_id in self._whole[plugin_id]]

    def _load_lines(self, plugin_ids: Collection[int]) -> None:
        missing = set(plugin_ids) - self._demands.lines.keys()
        if not missing:
            return
        found: dict[int, tuple[list[int], list[str]]] = {plugin_id: ([], []) for plugin_id in missing}
        rows = Release.objects.filter(plugin_id__in=missing).order_by("rank", "pk")
        for pk, plugin_id, version in rows.values_list("pk", "plugin_id", "version"):
            found[plugin_id][0].append(pk)
            found[plugin_id][1].append(version)
        for plugin_id, (ids, versions) in found.items():
            self._demands.lines[plugin_id] = Line(ids, versions, frozenset(ids))

    def _load_providers(self) -> dict[str, dict[int, set[int]]]:
        """What stands in for a name: the plugins and their releases that provide it."""
        found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        rows = Release.objects.filter(group_id=self.group_id).exclude(provides=[])
        for pk, plugin_id, names in rows.values_list("pk", "plugin_id", "provides"):
            for name in names:
                found[name][plugin_id].add(pk)
        return found

    def _named(self, rows: Iterable[tuple[Any, ...]]) -> set[int]:
        return {named for row in rows for named in self._demands.named(Wishes(*row[8:12]))}

    def _compile(self, row: tuple[Any, ...]) -> Candidate:
        pk, plugin_id, version, rank, released_at, withdrawn, prerelease, catalogued = row[:8]
        nameable = catalogued and (released_at is None or released_at <= self.at)
        return Candidate(
            id=pk,
            component=plugin_id,
            version=version,
            rank=rank,
            relations=self._demands.compiled(plugin_id, Wishes(*row[8:12])),
            offered=nameable and not withdrawn and not prerelease,
            nameable=nameable,
        )
