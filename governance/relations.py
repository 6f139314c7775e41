"""What releases ask of each other, compiled from the catalogue into sets of release ids.

Only what is asked for is loaded: a group's evaluation concerns a fraction of its catalogue. A range is read
once, however many releases name it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.models import Plugin, Release
from governance.resolution import Clash, Need, Relation
from governance.resolution import Release as Candidate
from governance.versions import comparators, scheme
from governance.versions.scheme import InvalidRange, InvalidVersion, Scheme

_EVERY = frozenset({"", "*"})
_COLUMNS = (
    "pk", "plugin_id", "version", "rank", "released_at", "withdrawn", "prerelease", "catalogued",
    "host_min", "host_max", "requires", "conflicts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PluginRow:
    """A plugin of the catalogue."""

    id: int
    name: str
    dialect: str
    is_host: bool


@dataclass(slots=True)
class _Line:
    """The releases of one plugin in their order, by their ids and versions."""

    ids: list[int]
    versions: list[str]
    all: frozenset[int]


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
        self._lines: dict[int, _Line] = {}
        self._releases: dict[int, Candidate] = {}
        self._relations: dict[tuple[Any, ...], tuple[Relation, ...]] = {}
        self._providers = self._load_providers()

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
        self._load_lines(self._named(self._rows[release_id] for release_id in release_ids))

    def candidates(self, plugin_id: int) -> tuple[Candidate, ...]:
        """Every release of a loaded plugin."""
        return tuple(self.release(release_id) for release_id in self._whole[plugin_id])

    def ids(self, plugin_id: int) -> frozenset[int]:
        """The ids of every release of a loaded plugin."""
        return self._lines[plugin_id].all

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

    def version(self, release_id: int) -> str:
        """The text of a loaded release's version."""
        return str(self._rows[release_id][2])

    def named_by(self, release_id: int) -> set[int]:
        """The components that could matter to a loaded release, read off without compiling it."""
        return self._named([self._rows[release_id]])

    def _rows_of(self, plugin_id: int) -> list[tuple[Any, ...]]:
        return [self._rows[release_id] for release_id in self._whole[plugin_id]]

    def _load_lines(self, plugin_ids: Collection[int]) -> None:
        missing = set(plugin_ids) - self._lines.keys()
        if not missing:
            return
        found: dict[int, tuple[list[int], list[str]]] = {plugin_id: ([], []) for plugin_id in missing}
        rows = Release.objects.filter(plugin_id__in=missing).order_by("rank", "pk")
        for pk, plugin_id, version in rows.values_list("pk", "plugin_id", "version"):
            found[plugin_id][0].append(pk)
            found[plugin_id][1].append(version)
        for plugin_id, (ids, versions) in found.items():
            self._lines[plugin_id] = _Line(ids, versions, frozenset(ids))

    def _load_providers(self) -> dict[str, dict[int, set[int]]]:
        """What stands in for a name: the plugins and their releases that provide it."""
        found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
        rows = Release.objects.filter(group_id=self.group_id).exclude(provides=[])
        for pk, plugin_id, names in rows.values_list("pk", "plugin_id", "provides"):
            for name in names:
                found[name][plugin_id].add(pk)
        return found

    def _named(self, rows: Iterable[tuple[Any, ...]]) -> set[int]:
        names: set[int] = set()
        for row in rows:
            if self.host is not None and (row[8] or row[9]):
                names.add(self.host.id)
            for entry in (*_flat(row[10]), *row[11]):
                names |= self._meant_by(entry["plugin"])
        return names

    def _meant_by(self, name: str) -> set[int]:
        plugin = self.by_name.get(name)
        return {*([plugin.id] if plugin else ()), *self._providers.get(name, ())}

    def _compile(self, row: tuple[Any, ...]) -> Candidate:
        pk, plugin_id, version, rank, released_at, withdrawn, prerelease, catalogued = row[:8]
        nameable = catalogued and (released_at is None or released_at <= self.at)
        return Candidate(
            id=pk,
            component=plugin_id,
            version=version,
            rank=rank,
            relations=tuple(self._asked(plugin_id, row)),
            offered=nameable and not withdrawn and not prerelease,
            nameable=nameable,
        )

    def _asked(self, plugin_id: int, row: tuple[Any, ...]) -> Iterator[Relation]:
        """What the release asks. Equal wishes are one object, so that their digests are made once."""
        _, _, _, _, _, _, _, _, host_min, host_max, requires, conflicts = row
        if host_min or host_max:
            yield from self._once(("host", host_min, host_max), self._host_range, host_min, host_max)
        for entry in requires:
            yield from self._once(("requires", _key(entry)), self._requirement, entry)
        for entry in conflicts:
            key = ("conflicts", plugin_id, _key(entry))
            yield from self._once(key, self._conflict, plugin_id, entry)

    def _once(self, key: tuple[Any, ...], make: Any, *args: Any) -> tuple[Relation, ...]:
        known = self._relations.get(key)
        if known is None:
            known = self._relations[key] = tuple(make(*args))
        return known

    def _host_range(self, lowest: str, highest: str) -> Iterator[Relation]:
        if self.host is None:
            return
        bounds = [f">={lowest}"] if lowest else []
        bounds += [f"<={highest}"] if highest else []
        releases = frozenset[int].intersection(*(self._within(self.host, bound) for bound in bounds))
        says = f"needs {self.host.name} {' '.join(bounds)}"
        yield Need(says, releases, frozenset({self.host.id}), of_host=True)

    def _requirement(self, entry: Mapping[str, Any]) -> Iterator[Relation]:
        if entry.get("optional"):
            if "any_of" not in entry:
                yield from self._optional(entry)
            return
        choices = list(_flat([entry]))
        says = "needs " + " or ".join(_named(choice) for choice in choices)
        releases = frozenset[int]().union(*(self._meeting(choice) for choice in choices))
        components = frozenset[int]().union(*(self._meant_by(choice["plugin"]) for choice in choices))
        of_host = self.host is not None and components == {self.host.id}
        yield Need(says, releases, components, of_host=of_host)

    def _optional(self, entry: Mapping[str, Any]) -> Iterator[Relation]:
        plugin = self.by_name.get(entry["plugin"])
        if plugin is None:
            return
        unfit = self._lines[plugin.id].all - self._within(plugin, entry.get("range", ""))
        if unfit:
            yield Clash(f"goes only with {_named(entry)}", unfit, frozenset({plugin.id}))

    def _conflict(self, own: int, entry: Mapping[str, Any]) -> Iterator[Relation]:
        releases = self._meeting(entry, besides=own)
        if releases:
            components = frozenset(self._meant_by(entry["plugin"]) - {own})
            yield Clash(f"doesn't go with {_named(entry)}", releases, components)

    def _meeting(self, entry: Mapping[str, Any], besides: int | None = None) -> frozenset[int]:
        """The releases that meet a wish, a stand-in's only if it names no range: it has no such version."""
        text = entry.get("range", "")
        plugin = self.by_name.get(entry["plugin"])
        met = set(self._within(plugin, text)) if plugin and plugin.id != besides else set()
        if text.strip() in _EVERY:
            for plugin_id, releases in self._providers.get(entry["plugin"], {}).items():
                met |= releases if plugin_id != besides else set()
        return frozenset(met)

    def _within(self, plugin: PluginRow, text: str) -> frozenset[int]:
        line = self._lines[plugin.id]
        if text.strip() in _EVERY:
            return line.all
        try:
            return frozenset(_matching(scheme(plugin.dialect), line, text))
        except (InvalidRange, InvalidVersion, comparators.Malformed):
            return frozenset()  # it can't be met: the catalogue's door refuses what a dialect can't read


def _matching(dialect: Scheme, line: _Line, text: str) -> Iterable[int]:
    """The releases in the range. Most ranges of real catalogues are a lowest version, found by halving."""
    if type(dialect).native_range is Scheme.native_range and text.startswith(">="):
        pieces = comparators.split(text)
        if len(pieces) == 1:
            return line.ids[bisect_left(line.versions, dialect.key(pieces[0][1]), key=dialect.key) :]
    contains = dialect.range(text).contains
    return (pk for pk, version in zip(line.ids, line.versions, strict=True) if contains(version))


def _flat(entries: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for entry in entries:
        yield from entry.get("any_of", (entry,))


def _named(entry: Mapping[str, Any]) -> str:
    text = entry.get("range", "").strip()
    return entry["plugin"] if text in _EVERY else f"{entry['plugin']} {text}"


def _key(entry: Mapping[str, Any]) -> tuple[Any, ...]:
    choices = tuple((choice["plugin"], choice.get("range", "")) for choice in _flat([entry]))
    return (bool(entry.get("optional")), choices)
