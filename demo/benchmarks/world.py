"""The real catalogue as plain values: what goes with what, so that generated tenants make sense."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from demo import jenkins
from governance.versions import scheme

AT = datetime(2025, 7, 1, tzinfo=UTC)  # the fleet's last states are of the month before
Inventory = dict[str, int]  # plugin, the host among them: the place of its release in the plugin's line


@dataclass(frozen=True, slots=True)
class Need:
    """What a release asks of another plugin: at least the release at that place. `optional`: if any."""

    plugin: str
    lowest: int
    optional: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A plugin's releases, the lowest first. `needs` has what each asks, the host's version among that."""

    name: str
    versions: tuple[str, ...]
    needs: tuple[tuple[Need, ...], ...] = field(repr=False)


class World:
    """All lines of the catalogue, as far as they are out."""

    def __init__(self, documents: Sequence[Mapping[str, Any]] | None = None) -> None:
        self._key = scheme(jenkins.SCHEME).key
        documents = documents or jenkins.documents()
        self._documents: dict[str, list[Mapping[str, Any]]] = {
            one["plugin"]: sorted(filter(_is_out, one["releases"]), key=lambda one: self._key(one["version"]))
            for one in documents
        }
        self._advisories: dict[str, Sequence[Mapping[str, Any]]] = {
            one["plugin"]: one.get("advisories", ()) for one in documents
        }
        self._keys: dict[str, list[Any]] = {}
        self._lines: dict[str, Line] = {}
        self._lowest: dict[tuple[str, str], int] = {}

    @cached_property
    def names(self) -> list[str]:
        """The plugins by name, without the host."""
        return sorted(self._documents.keys() - {jenkins.HOST})

    def __contains__(self, name: str) -> bool:
        """Whether the catalogue has the plugin."""
        return name in self._documents

    def line(self, name: str) -> Line:
        """One plugin's releases."""
        if name not in self._lines:
            releases = self._documents[name]
            needs = tuple(tuple(self._needs(release)) for release in releases)
            self._lines[name] = Line(name, tuple(release["version"] for release in releases), needs)
        return self._lines[name]

    def advisories(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The security warnings on one plugin."""
        return self._advisories[name]

    def place(self, name: str, version: str) -> int | None:
        """Where the version stands in its plugin's line; None if the catalogue lacks it."""
        place = self._at_least(name, version)
        versions = [release["version"] for release in self._documents[name][place : place + 4]]
        return place + versions.index(version) if version in versions else None

    def _needs(self, release: Mapping[str, Any]) -> Iterator[Need]:
        if release.get("host_min"):
            yield Need(jenkins.HOST, self._at_least(jenkins.HOST, release["host_min"]), optional=False)
        for entry in release.get("requires", ()):
            if entry["plugin"] in self._documents:
                lowest = self._at_least(entry["plugin"], entry.get("range", "").removeprefix(">="))
                yield Need(entry["plugin"], lowest, optional=bool(entry.get("optional")))

    def _at_least(self, name: str, version: str) -> int:
        if not version:
            return 0
        if (name, version) not in self._lowest:
            if name not in self._keys:
                self._keys[name] = [self._key(release["version"]) for release in self._documents[name]]
            self._lowest[name, version] = bisect_left(self._keys[name], self._key(version))
        return self._lowest[name, version]


def _is_out(release: Mapping[str, Any]) -> bool:
    return str(release.get("released_at", "")) < AT.isoformat()


class Tenancy:
    """What one tenant has installed, changed so that it stays consistent."""

    def __init__(self, world: World, installed: Inventory) -> None:
        self.world = world
        self.installed: Inventory = {}
        self._floors: dict[str, dict[str, int]] = {}  # plugin: the lowest place that each of the others asks
        for name, place in installed.items():
            self.put(name, place)

    def put(self, name: str, place: int) -> None:
        """Install the release there, whatever was."""
        if name in self.installed:
            for need in self.world.line(name).needs[self.installed[name]]:
                self._floors[need.plugin].pop(name, None)
        self.installed[name] = place
        for need in self.world.line(name).needs[place]:
            self._floors.setdefault(need.plugin, {})[name] = need.lowest

    def allows(self, name: str, place: int) -> bool:
        """Whether that release goes with everything else as it is."""
        floors = self._floors.get(name)
        if floors and place < max(floors.values(), default=0):
            return False
        return all(
            need.optional if there is None else there >= need.lowest
            for need in self.world.line(name).needs[place]
            for there in [self.installed.get(need.plugin)]
        )

    def add(self, name: str, *, room: int, depth: int = 3) -> int:
        """Install the newest release that fits, with what it needs, in so much room; how many that took."""
        for place in self._worth_trying(name):
            added: list[str] = []
            if self._grow(name, place, added, room=room, depth=depth):
                return len(added)
            for one in added:
                self._take_away(one)
        return 0

    def _worth_trying(self, name: str) -> Iterator[int]:
        """Some of the releases that go with the host, the newest first."""
        host = self.installed.get(jenkins.HOST, 0)
        needs = self.world.line(name).needs
        fitting = [
            place
            for place in range(len(needs) - 1, -1, -1)
            if not (needs[place] and needs[place][0].plugin == jenkins.HOST and needs[place][0].lowest > host)
        ]
        yield from fitting[:40:8]

    def _grow(self, name: str, place: int, added: list[str], *, room: int, depth: int) -> bool:
        """Install what the release needs, then the release, and note both; whether that could be done."""
        for need in self.world.line(name).needs[place]:
            there = self.installed.get(need.plugin)
            if there is None and not need.optional:
                fits = depth and len(added) + 1 < room and need.plugin != name
                if not fits or not self._add_for(need, added, room=room - 1, depth=depth - 1):
                    return False
            elif there is not None and there < need.lowest:
                return False
        if len(added) >= room or name in self.installed or not self.allows(name, place):
            return False
        self.put(name, place)
        added.append(name)
        return True

    def _add_for(self, need: Need, added: list[str], *, room: int, depth: int) -> bool:
        for place in self._worth_trying(need.plugin):
            if place < need.lowest:
                return False
            if self._grow(need.plugin, place, added, room=room, depth=depth):
                return True
        return False

    def _take_away(self, name: str) -> None:
        for need in self.world.line(name).needs[self.installed.pop(name)]:
            self._floors[need.plugin].pop(name, None)
