"""What releases demand of each other, compiled from a catalogue's words into sets of release ids.

Nothing here knows where the catalogue comes from: `governance.relations` feeds it from the database, the
replay of cases from files. A range is read once, however many releases name it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from governance.resolution import Clash, Need, Relation
from governance.versions import comparators, scheme
from governance.versions.scheme import InvalidRange, InvalidVersion, Scheme

EVERY = frozenset({"", "*"})  # how a range says "any version", in every dialect

Entry = Mapping[str, Any]  # {"plugin", "range"?, "optional"?}, or {"any_of": [...], "optional"?}
Providers = Mapping[str, Mapping[int, set[int]]]  # name: the plugins and their releases that stand in for it


@dataclass(frozen=True, slots=True)
class PluginRow:
    """A plugin of the catalogue."""

    id: int
    name: str
    dialect: str
    is_host: bool


@dataclass(frozen=True, slots=True)
class Line:
    """The releases of one plugin in their order, by their ids and versions."""

    ids: Sequence[int]
    versions: Sequence[str]
    all: frozenset[int]


class Wishes(NamedTuple):
    """What the catalogue says that one release asks of others."""

    host_min: str
    host_max: str
    requires: Sequence[Entry]
    conflicts: Sequence[Entry]


@dataclass(slots=True)
class Demands:
    """Compiles wishes. The line of every plugin that they name has to be in `lines` by then."""

    plugins: Mapping[str, PluginRow]  # by name
    providers: Providers
    host: PluginRow | None
    lines: dict[int, Line] = field(default_factory=dict)
    _known: dict[tuple[Any, ...], tuple[Relation, ...]] = field(default_factory=dict)

    def named(self, wishes: Wishes) -> set[int]:
        """The plugins that could matter to whoever has these wishes, read off without compiling them."""
        named: set[int] = set()
        if self.host is not None and (wishes.host_min or wishes.host_max):
            named.add(self.host.id)
        for entry in (*_flat(wishes.requires), *wishes.conflicts):
            named |= self._meant_by(entry["plugin"])
        return named

    def compiled(self, own: int, wishes: Wishes) -> tuple[Relation, ...]:
        """What a release of the plugin `own` demands."""
        return tuple(relation for _, relation in self.sourced(own, wishes))

    def sourced(self, own: int, wishes: Wishes) -> Iterator[tuple[Entry | None, Relation]]:
        """The demands, each with the entry that it was compiled from, or None for the host's range.

        Equal wishes are one object, so that their digests are made once.
        """
        lowest, highest = wishes.host_min, wishes.host_max
        if lowest or highest:
            for relation in self._once(("host", lowest, highest), self._host_range, lowest, highest):
                yield None, relation
        for entry in wishes.requires:
            for relation in self._once(("requires", _key(entry)), self._requirement, entry):
                yield entry, relation
        for entry in wishes.conflicts:
            for relation in self._once(("conflicts", own, _key(entry)), self._conflict, own, entry):
                yield entry, relation

    def _once(self, key: tuple[Any, ...], make: Any, *args: Any) -> tuple[Relation, ...]:
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = tuple(make(*args))
        return known

    def _host_range(self, lowest: str, highest: str) -> Iterator[Relation]:
        if self.host is None:
            return
        bounds = [f">={lowest}"] if lowest else []
        bounds += [f"<={highest}"] if highest else []
        releases = frozenset[int].intersection(*(self._within(self.host, bound) for bound in bounds))
        what = f"{self.host.name} {' '.join(bounds)}"
        yield Need(f"needs {what}", releases, frozenset({self.host.id}), of_host=True, what=(what,))

    def _requirement(self, entry: Entry) -> Iterator[Relation]:
        if entry.get("optional"):
            if "any_of" not in entry:
                yield from self._optional(entry)
            return
        choices = list(_flat([entry]))
        what = tuple(_named(choice) for choice in choices)
        releases = frozenset[int]().union(*(self._meeting(choice) for choice in choices))
        meant = set[int]().union(*(self._meant_by(choice["plugin"]) for choice in choices))
        of_host = self.host is not None and meant == {self.host.id}
        # A name without a release says the same whether a policy has named it meanwhile or not.
        components = frozenset(component for component in meant if self.lines[component].all)
        yield Need(f"needs {' or '.join(what)}", releases, components, of_host=of_host, what=what)

    def _optional(self, entry: Entry) -> Iterator[Relation]:
        plugin = self.plugins.get(entry["plugin"])
        if plugin is None:
            return
        unfit = self.lines[plugin.id].all - self._within(plugin, entry.get("range", ""))
        if unfit:
            what = _named(entry)
            says = f"goes only with {what}"
            yield Clash(says, unfit, frozenset({plugin.id}), only=True, what=(what,))

    def _conflict(self, own: int, entry: Entry) -> Iterator[Relation]:
        releases = self._meeting(entry, besides=own)
        if releases:
            components = frozenset(self._meant_by(entry["plugin"]) - {own})
            what = _named(entry)
            yield Clash(f"doesn't go with {what}", releases, components, what=(what,))

    def _meant_by(self, name: str) -> set[int]:
        plugin = self.plugins.get(name)
        return {*([plugin.id] if plugin else ()), *self.providers.get(name, ())}

    def _meeting(self, entry: Entry, besides: int | None = None) -> frozenset[int]:
        """The releases that meet a wish, a stand-in's only if it names no range: it has no such version."""
        text = entry.get("range", "")
        plugin = self.plugins.get(entry["plugin"])
        met = set(self._within(plugin, text)) if plugin and plugin.id != besides else set()
        if text.strip() in EVERY:
            for plugin_id, releases in self.providers.get(entry["plugin"], {}).items():
                met |= releases if plugin_id != besides else set()
        return frozenset(met)

    def _within(self, plugin: PluginRow, text: str) -> frozenset[int]:
        line = self.lines[plugin.id]
        if text.strip() in EVERY:
            return line.all
        try:
            return frozenset(_matching(scheme(plugin.dialect), line, text))
        except (InvalidRange, InvalidVersion, comparators.Malformed):
            return frozenset()  # it can't be met: the catalogue's door refuses what a dialect can't read


def _matching(dialect: Scheme, line: Line, text: str) -> Iterable[int]:
    """The releases in the range. Most ranges of real catalogues are a lowest version, found by halving."""
    if type(dialect).native_range is Scheme.native_range and text.startswith(">="):
        pieces = comparators.split(text)
        if len(pieces) == 1:
            return line.ids[bisect_left(line.versions, dialect.key(pieces[0][1]), key=dialect.key) :]
    contains = dialect.range(text).contains
    return (pk for pk, version in zip(line.ids, line.versions, strict=True) if contains(version))


def _flat(entries: Iterable[Entry]) -> Iterator[Entry]:
    for entry in entries:
        yield from entry.get("any_of", (entry,))


def _named(entry: Entry) -> str:
    text = entry.get("range", "").strip()
    return entry["plugin"] if text in EVERY else f"{entry['plugin']} {text}"


def _key(entry: Entry) -> tuple[Any, ...]:
    choices = tuple((choice["plugin"], choice.get("range", "")) for choice in _flat([entry]))
    return (bool(entry.get("optional")), choices)
