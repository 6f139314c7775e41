"""What must move, whatever else might: found by intersecting where each may go with what is asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from governance.resolution.ground import Places
from governance.resolution.problem import Problem
from governance.resolution.values import Clash, Need, Relation, Release


@dataclass(frozen=True)
class Forced:
    """Where those may go that must move, the best place first.

    `beyond` are those of them that aren't open; while there are any, others may be missing here. Where not
    all are `possible`, one has nowhere to go: what binds those that are here is to blame.
    """

    places: Mapping[int, Places]
    beyond: frozenset[int] = frozenset()
    possible: bool = True


def must_move(problem: Problem, goals: Iterable[int]) -> Forced:
    """What moves in every state in which the goals do.

    Besides them it is who asks something that none of their places gives, and who doesn't give what all of
    the places of one of them ask; and so on.
    """
    return _Movers(problem).all(goals)


def minding(problem: Problem, component: int) -> Iterator[tuple[int, Relation]]:
    """Who asks something of the component, and what, as long as it stays itself."""
    ground = problem.ground
    for watcher, place, relation in ground.watchers.get(component, ()):
        installed = ground.start[watcher]
        if installed is not None and (installed.id, place) not in ground.endured:
            yield watcher, relation


class _Movers:
    """Those that must move, as they are found out."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._places: dict[int, dict[int | None, Release | None]] = {}  # by component: by release's id
        self._beyond: set[int] = set()
        self._latest: list[int] = []  # who has become one, or has fewer places than before
        self._dead: set[Relation] = set()  # what can't hold any more

    def all(self, goals: Iterable[int]) -> Forced:
        """All of them, or those that were found until one had nowhere to go."""
        for goal in goals:
            self._add(goal)
        while self._latest:
            component = self._latest.pop()
            self._move_minding(component)
            for mover in [component, *self._naming(component)]:
                self._narrow(mover, component)
            if not self._places[component]:
                break
            self._move_unwilling(component)
        places = {component: tuple(places.values()) for component, places in self._places.items()}
        return Forced(places, frozenset(self._beyond), possible=all(places.values()))

    def _add(self, component: int) -> None:
        part = self._problem.situation.component(component)
        if not part.open:
            self._beyond.add(component)
            return
        targets = self._problem.targets[component]
        self._places[component] = {to.id if to is not None else None: to for to in targets}
        self._latest.append(component)
        self._leave_out(component, (one for one in part.vain if not self._may_be_unknown(one)))
        for other in part.named & self._places.keys():
            self._narrow(component, other)

    def _known(self, component: int) -> bool:
        return component in self._places or component in self._beyond

    def _naming(self, component: int) -> list[int]:
        find = self._problem.situation.component
        return [mover for mover in self._places if mover != component and component in find(mover).named]

    def _move_minding(self, component: int) -> None:
        """Add those that can't stay wherever the component goes."""
        for watcher, relation in minding(self._problem, component):
            if not self._known(watcher) and self._never(relation):
                self._add(watcher)

    def _narrow(self, mover: int, component: int) -> None:
        """Leave out the mover's places that ask what can't be where the component may go."""
        about = self._problem.situation.component(mover).about.get(component, ())
        self._dead.update(one for one in about if one not in self._dead and self._never(one))
        if self._leave_out(mover, self._dead.intersection(about)) and mover not in self._latest:
            self._latest.append(mover)

    def _leave_out(self, mover: int, dead: Iterable[Relation]) -> bool:
        """Do without the places that ask what can't hold; whether there were any."""
        asking, places = self._problem.situation.component(mover).asking, self._places[mover]
        before = len(places)
        for relation in dead:
            for asker in asking.get(relation, ()):
                places.pop(asker, None)
        return len(places) < before

    def _move_unwilling(self, mover: int) -> None:
        """Add those that are asked to move by every one of the mover's places."""
        part, places = self._problem.situation.component(mover), self._places[mover]
        first = next(iter(places.values()))
        for relation in first.relations if first is not None else ():
            for component in relation.components:
                if self._known(component) or not self._denied(relation, component):
                    continue
                denied = (one for one in part.about[component] if self._denied(one, component))
                if places.keys() <= {asker for one in denied for asker in part.asking.get(one, ())}:
                    self._add(component)

    def _denied(self, relation: Relation, component: int) -> bool:
        """Whether the component doesn't give what is asked where it is, and nobody else could."""
        if len(relation.components) > 1 or self._problem.situation.find(component) is None:
            return False
        here = self._problem.start.get(component)
        met = here is not None and here.id in relation.releases
        if isinstance(relation, Clash):
            return met
        return not met and bool(relation.releases) and not (here is None and self._may_be_unknown(relation))

    def _never(self, relation: Relation) -> bool:
        """Whether it can't hold wherever those go that must move, whatever else might."""
        if isinstance(relation, Clash):
            reached = (self._places[c].keys() for c in relation.components if c in self._places)
            return any(places <= relation.releases for places in reached)
        for component in relation.components:
            places = self._places.get(component)
            if places is None or not relation.releases.isdisjoint(places):
                return False
        gone = all(None in self._places[component] for component in relation.components)
        return not (gone and self._may_be_unknown(relation))

    def _may_be_unknown(self, need: Need) -> bool:
        """Whether it can't be judged, and so isn't, where nobody is there who could meet it."""
        return need.of_host or not self._problem.situation.complete
