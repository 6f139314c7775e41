"""What holds and what doesn't between the releases of a situation, whatever the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from governance.resolution.releases import Clash, Relation, Release
from governance.resolution.situation import Situation

State = Mapping[int, Release | None]  # component id: the release there, None where it is missing
Places = tuple[Release | None, ...]  # where a component may go, the best first


def holds(relation: Relation, state: State, *, complete: bool) -> bool:
    """Whether a state gives the relation what it asks; `complete` as the situation has it."""
    beside = False
    for component in relation.components:
        release = state.get(component)
        if release is not None:
            if release.id in relation.releases:
                return not isinstance(relation, Clash)
            beside = True
    if isinstance(relation, Clash):
        return True
    return not beside and (relation.of_host or not complete)


@dataclass(frozen=True)
class Fault:
    """A relation of the release of `component` that doesn't hold."""

    component: int
    release: Release
    place: int  # of the relation among the release's own
    relation: Relation


Watcher = tuple[int, int, Relation]  # who, the place of the relation among its own, and that


@dataclass(frozen=True)
class Ground:
    """The releases of a situation and their relations, shared by all that is asked about it."""

    situation: Situation

    @cached_property
    def start(self) -> dict[int, Release | None]:
        """What is installed."""
        return {component.id: component.installed for component in self.situation.components}

    def faults(self, state: State) -> list[Fault]:
        """What is wrong with a state and wasn't wrong with what is installed, by component and place."""
        changed = [c for c, release in state.items() if release is not self.start[c]]
        found: list[Fault] = []
        for number, component in enumerate(changed, start=1):
            found = self.faults_after(state, component, found, changed[:number])
        return found

    def faults_after(
        self, state: State, component: int, before: Iterable[Fault], changed: Iterable[int]
    ) -> list[Fault]:
        """The faults once one more component has changed, by those from before.

        Only what is in a relation with that component can be mended or broken by it, so a step of a search
        costs what it touches and not what is installed. `changed` are all components that left what is
        installed.
        """
        kept = {
            (fault.component, fault.place): fault
            for fault in before
            if state[fault.component] is fault.release and not self._holds(fault.relation, state)
        }
        for fault in self._suspects(state, component, changed):
            key = fault.component, fault.place
            if key not in kept and not self._holds(fault.relation, state) and not self.endures(fault):
                kept[key] = fault
        return [kept[key] for key in sorted(kept)]

    def faults_of(self, state: State, component: int, changed: Iterable[int]) -> list[Fault]:
        """What is wrong with a state in which the component has a part, and wasn't wrong before.

        `changed` are all components that left what is installed.
        """
        found = {
            (fault.component, fault.place): fault
            for fault in self._suspects(state, component, changed)
            if not self._holds(fault.relation, state) and not self.endures(fault)
        }
        return [found[key] for key in sorted(found)]

    def endures(self, fault: Fault) -> bool:
        """Whether it doesn't hold now: no change is blamed for it as long as its release stays."""
        here = self.start[fault.component]
        stays = here is not None and here.id == fault.release.id
        return stays and not self.situation.strict and not self.stands(fault.relation)

    @property
    def unsound(self) -> tuple[Fault, ...]:
        """The relations between what is installed that don't hold."""
        return tuple(
            Fault(component, release, place, relation)
            for component, release in self.start.items()
            if release is not None
            for place, relation in self._watched(release)
            if not self.stands(relation)
        )

    def _suspects(self, state: State, component: int, changed: Iterable[int]) -> Iterator[Fault]:
        """What the change of a component may have broken: its own relations, and others' to it."""
        release = state[component]
        for place, relation in self._watched(release) if release is not None else ():
            assert release is not None
            yield Fault(component, release, place, relation)
        for watcher, place, relation in self.watchers(component):
            watching = self.start[watcher]
            if watching is not None and state[watcher] is watching:
                yield Fault(watcher, watching, place, relation)
        for other in changed:
            watching = state[other]
            for place, relation in self._watched(watching) if watching is not None else ():
                if component in relation.components and watching is not None:
                    yield Fault(other, watching, place, relation)

    def watchers(self, component: int) -> Sequence[Watcher]:
        """Who of what is installed is in a relation with it that a change of what is open could touch."""
        known = self._watchers.get(component)
        if known is None:
            opened = self._open
            known = self._watchers[component] = [
                (watcher, place, relation)
                for watcher, release in self.watching.get(component, ())
                for place, relation in release.about[component]
                if component in opened or watcher in opened or relation.components & opened
            ]
        return known

    @cached_property
    def _watchers(self) -> dict[int, list[Watcher]]:
        return {}

    @cached_property
    def watching(self) -> Mapping[int, Sequence[tuple[int, Release]]]:
        """By component, who of what is installed asks something of it."""
        found: dict[int, list[tuple[int, Release]]] = defaultdict(list)
        for watcher, release in self.start.items():
            if release is not None and release.relations:
                watches = watcher, release
                for component in release.about:
                    found[component].append(watches)
        return found

    def _watched(self, release: Release) -> tuple[tuple[int, Relation], ...]:
        """The release's relations that a change could touch, with their places."""
        known = self._watched_by_release.get(release.id)
        if known is None:
            if release.component in self._open:
                known = tuple(enumerate(release.relations))
            else:
                touched = release.about.keys() & self._open
                watched = {place: one for component in touched for place, one in release.about[component]}
                known = tuple(sorted(watched.items()))
            self._watched_by_release[release.id] = known
        return known

    def stands(self, relation: Relation) -> bool:
        """Whether it holds as things are."""
        known = self._standing.get(id(relation))
        if known is None:
            known = self._standing[id(relation)] = self._holds(relation, self.start)
        return known

    @cached_property
    def _standing(self) -> dict[int, bool]:  # by identity: the releases of the situation keep theirs alive
        return {}

    @cached_property
    def _watched_by_release(self) -> dict[int, tuple[tuple[int, Relation], ...]]:
        return {}

    @cached_property
    def _open(self) -> frozenset[int]:
        return frozenset(c.id for c in self.situation.components if c.open)

    def _holds(self, relation: Relation, state: State) -> bool:
        return holds(relation, state, complete=self.situation.complete)
