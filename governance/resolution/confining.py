"""Where the components of a conflict are left to go by what others ask of them, and who asks it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from governance.resolution.ground import Fault, Places
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Relation, Release

Way = tuple[Fault, ...]


def places(problem: Problem, component: int) -> Places:
    """Where its bindings leave a component: where it is, if they let it stay there, then its targets."""
    if component not in problem.start:
        return ()
    here = problem.start[component]
    stays = not problem.broken(component)
    return (*((here,) if stays else ()), *problem.targets(component))


def ways(problem: Problem, bound: Iterable[int], most: int) -> Sequence[Way]:
    """The demands that leave some component nowhere to go, each way from a bound one to it; none if unknown.

    A demand tells something only if whatever could be there instead makes one too. So every place is thought
    of that is left to its maker, and a demand that is met as things stand counts as well: it keeps others
    from leaving where they are. `most` is how many releases are looked at.
    """
    confining = _Confining(problem)
    nowhere = confining.run(sorted(bound), most)
    return () if nowhere is None else confining.ways_to(nowhere)


@dataclass
class _Confining:
    """Places are struck out one after the other, each by a demand of every place left to who makes it."""

    problem: Problem
    _left: dict[int, Places] = field(default_factory=dict)
    _struck: dict[tuple[int, int | None], Fault] = field(default_factory=dict)

    def run(self, bound: Iterable[int], most: int) -> int | None:
        """The first that is left nowhere; None if there is none near."""
        waiting, looked = deque(bound), 0
        while waiting and looked < most:
            mover = waiting.popleft()
            looked += len(self._places_left(mover))
            for component in self._asked(mover):
                if self._strike(mover, component):
                    if not self._left[component]:
                        return component
                    waiting.append(component)
        return None

    def ways_to(self, nowhere: int) -> Sequence[Way]:
        """Why it is left nowhere: of those from where a way leads to it, the way to its best place each."""
        found: dict[int, Way] = {}
        for place in places(self.problem, nowhere):
            way = self._way(nowhere, place)
            found.setdefault(way[0].component, way)
        return tuple(found.values())

    def _way(self, component: int, place: Release | None) -> Way:
        """The demand that struck it out, behind what struck out where its maker could do without it."""
        fault = self._struck[component, _id(place)]
        maker = fault.component
        for other in places(self.problem, maker):
            if (maker, _id(other)) in self._struck and not self._refuses(other, component, place):
                return (*self._way(maker, other), fault)
        return (fault,)

    def _places_left(self, component: int) -> Places:
        known = self._left.get(component)
        if known is None:
            known = self._left[component] = places(self.problem, component)
        return known

    def _asked(self, mover: int) -> list[int]:
        """Of whom every place that is left to it asks something."""
        named = [frozenset(place.about if place is not None else ()) for place in self._places_left(mover)]
        return sorted(frozenset.intersection(*named) & self.problem.start.keys()) if named else []

    def _strike(self, mover: int, component: int) -> bool:
        """Strike out the component's places with which none of the mover's goes; whether there are any."""
        left = self._places_left(component)
        faults = [self._refused(mover, component, place) for place in left]
        for place, fault in zip(left, faults, strict=True):
            if fault is not None:
                self._struck[component, _id(place)] = fault
        self._left[component] = tuple(p for p, fault in zip(left, faults, strict=True) if fault is None)
        return any(faults)

    def _refused(self, mover: int, component: int, place: Release | None) -> Fault | None:
        """The demand by which the mover's best place refuses it, if all its places do."""
        first = None
        for release in self._left[mover]:
            fault = self._refuses(release, component, place)
            if fault is None:
                return None
            first = first or fault
        return first

    def _refuses(self, release: Release | None, component: int, place: Release | None) -> Fault | None:
        """The first demand of a release that isn't met with the component at that place."""
        for number, relation in release.about.get(component, ()) if release is not None else ():
            assert release is not None
            if not self._meets(relation, component, place):
                fault = Fault(release.component, release, number, relation)
                if not self.problem.ground.endures(fault):
                    return fault
        return None

    def _meets(self, relation: Relation, component: int, place: Release | None) -> bool:
        """Whether the place meets the relation, or some that is left to another component may."""
        named = place is not None and place.id in relation.releases
        if isinstance(relation, Clash):
            return not named
        others = relation.components - {component}
        if named or any(self._may_meet(relation, other) for other in others):
            return True
        unknown = place is None and (relation.of_host or not self.problem.situation.complete)
        return unknown and all(None in self._places_left(other) for other in others)

    def _may_meet(self, relation: Relation, other: int) -> bool:
        return any(place is not None and place.id in relation.releases for place in self._places_left(other))


def _id(place: Release | None) -> int | None:
    return place.id if place is not None else None
