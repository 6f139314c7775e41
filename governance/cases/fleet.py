"""A fleet's own dated snapshots, judged against the catalogue: upstream ran them, so they go together.

A file holds `{"tenants": [{"tenant", "snapshots": [{"at", "core", "resolved": {plugin: version}}]}]}`. What
was requested is not judged: only the resolved list is complete.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance import replaying
from governance.cases import pinned
from governance.cases.shelf import Shelf
from governance.cases.world import World
from governance.replaying import BadFile
from governance.resolution import Trouble, troubles


@dataclass(frozen=True)
class Judged:
    """What is wrong with one tenant at one time."""

    tenant: str
    at: str
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class Fleet:
    """The dated states of a file; those of tenants that were removed have no list to judge."""

    states: Sequence[tuple[str, Mapping[str, Any]]]  # tenant, snapshot
    world: World

    @property
    def listed(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The states that say what was installed."""
        return [(tenant, state) for tenant, state in self.states if state.get("resolved")]

    def judged(self, states: Iterable[tuple[str, Mapping[str, Any]]]) -> Iterator[Judged]:
        """What is wrong with each of some states."""
        for tenant, state in states:
            installed = (self.world.release(*pin) for pin in state["resolved"].items())
            host = self.world.host(state["core"]) if state.get("core") else None
            yield Judged(tenant, state["at"], troubles(installed, host=host))

    @property
    def unknown(self) -> int:
        """How many of the releases that were installed somewhere the catalogue doesn't know."""
        pins = {pin for _, state in self.listed for pin in state["resolved"].items()}
        return sum(not self.world.is_known(self.world.release(*pin)) for pin in pins)


def read(path: Path, given: Sequence[Path] = ()) -> Fleet:
    """The fleet of a file, with the catalogue that is given or lies beside it; raises BadFile."""
    document = replaying.read(path)
    if not isinstance(document, dict) or "tenants" not in document:
        raise BadFile(f"{path}: it holds no tenants")
    states = [(tenant["tenant"], state) for tenant in document["tenants"] for state in tenant["snapshots"]]
    cores = {state["core"]: None for _, state in states if state.get("core")}
    installed: dict[str, set[str]] = defaultdict(set)
    for _, state in states:
        for plugin, version in (state.get("resolved") or {}).items():
            installed[plugin].add(version)
    return Fleet(states, pinned.world(Shelf(path, given), cores, installed))
