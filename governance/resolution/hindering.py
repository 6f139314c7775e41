"""What keeps a release from going where it is wanted, whatever else moves, as far as that is seen."""

from __future__ import annotations

from collections.abc import Iterator

from governance.resolution.confining import places
from governance.resolution.ground import Fault, Places, State, holds
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Need, Release

LOOKED = 100  # releases looked at before it is left untold
CONSIDERED = 2_000  # places of those asked to make way, for the same

Hindrance = tuple[Fault, ...]  # from what is wrong with a release to what nobody can mend


class Hindrances:
    """Finds them: something is wrong with the release that every place which would mend it is kept from."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[int, Hindrance] = {}
        self._considered = 0

    def of(self, release: Release | None) -> Hindrance:
        """What keeps it back; nothing where that isn't seen."""
        if release is None:
            return ()
        if release.id not in self._known:
            if len(self._known) >= LOOKED:
                return ()
            self._known[release.id] = ()  # for who comes back to it on the way: going round proves nothing
            self._known[release.id] = self._found(release)
        return self._known[release.id]

    def _found(self, release: Release) -> Hindrance:
        there = {**self._problem.start, release.component: release}
        for fault in self._problem.ground.faults_of(there, release.component, [release.component]):
            mending = list(self._mending(release, fault, there))
            if self._considered > CONSIDERED:
                return ()
            ways = [self.of(place) for place in mending]
            if all(ways):
                return (fault, *next(iter(ways), ()))
        return ()

    def _mending(self, release: Release, fault: Fault, there: State) -> Iterator[Release | None]:
        """The places to one of which somebody has to go so that it isn't wrong with the release.

        What is asked of several is taken to be met by another of them wherever it may be.
        """
        relation = fault.relation
        if fault.release is not release:  # another asks it of the release
            yield from (
                one for one in self._places(fault.component) if self._may_go_with(one, release, there)
            )
        for other in sorted(relation.components & there.keys() - {release.component}):
            if not isinstance(relation, Clash):
                yield from (one for one in self._places(other) if self._may_meet(relation, one))
            elif (here := there[other]) is not None and here.id in relation.releases:
                named = relation.releases
                yield from (one for one in self._places(other) if one is None or one.id not in named)

    def _places(self, component: int) -> Places:
        found = places(self._problem, component)
        self._considered += len(found)
        return found

    def _may_meet(self, need: Need, place: Release | None) -> bool:
        if place is None:
            return need.of_host or not self._problem.situation.complete
        return place.id in need.releases

    def _may_go_with(self, place: Release | None, release: Release, there: State) -> bool:
        asked = place.about.get(release.component, ()) if place is not None else ()
        alone = (relation for _, relation in asked if len(relation.components) == 1)
        return all(holds(one, there, complete=self._problem.situation.complete) for one in alone)
