"""Where those go that must move, while all else stays: the best combination, found without the solver."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from governance.resolution.forced import Forced
from governance.resolution.ground import Places, State
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Relation, Release

NOBODY = frozenset[int]()
TRIES = 1_000  # places looked at before it is left to the solver
ROUNDS = 50  # in which all that move are looked at, before it is


class _Asking(NamedTuple):
    """A relation by what all that stays comes to for it."""

    relation: Relation
    movers: frozenset[int]  # of whom it asks something
    settled: bool | None  # whether it holds or not wherever they go
    missable: bool  # whether it holds if none of them is there


@dataclass(frozen=True)
class _Placed:
    """How far the placing has come.

    `ruled_out` says by component how many of its first places are, `asked` what has yet to be met there.
    """

    at: Mapping[int, Release | None]
    ruled_out: Mapping[int, int]
    asked: Mapping[int, tuple[_Asking, ...]]


class Placing:
    """Looks for the first combination of places in which nothing is newly wrong.

    Components are placed in the order in which they matter. Each step looks ahead: who has no place left that
    goes with those taken refuses the step.
    """

    def __init__(self, goals: Sequence[int], forced: Forced) -> None:
        self._problem = forced.problem
        self._moving = frozenset(forced.left)
        self._order = [*goals, *_in_order(self._problem, self._moving.difference(goals))]
        self._asking: dict[int, _Asking] = {}
        self._asked_by: dict[int, tuple[_Asking, ...]] = {}
        self._tries = 0
        asked = {component: self._asked_of(component) for component in self._order}
        self._places = {c: forced.places(c, left) for c, (left, _) in asked.items()}
        self._begin = _Placed({}, dict.fromkeys(self._order, 0), {c: some for c, (_, some) in asked.items()})

    def first(self) -> State | None:
        """That state; None if there is none or it takes too long to find."""
        came_by: list[_Placed] = []
        placed = self._looked_ahead(self._begin, self._order)
        if placed is not None and (best := self._best_of_all(placed)) is not None:
            return {**self._problem.start, **best}
        while placed is not None and len(placed.at) < len(self._order):
            if self._tries > TRIES:
                return None
            further = self._step(placed)
            if further is not None:
                came_by.append(placed)
            placed = further or self._otherwise(placed) or self._back(came_by)
        return None if placed is None else {**self._problem.start, **placed.at}

    def some(self) -> State | None:
        """Any such state; None if there is none or it takes too long to find one."""
        at = self._newest_together()
        return self.first() if at is None else {**self._problem.start, **at}

    def _newest_together(self) -> dict[int, Release | None] | None:
        """Each at the newest place that goes with the newest of the others; None where one has none left.

        Releases mostly ask for others that are no older than so. Then who doesn't go with the newest of them
        goes with none, and nobody else misses its place. None too where that takes many rounds.
        """
        left = {component: _newest_last(places) for component, places in self._places.items()}
        for _ in range(ROUNDS):
            if not all(left.values()):
                break
            at = {component: places[-1] for component, places in left.items()}
            asked = self._begin.asked
            refused = [c for c, to in at.items() if not self._goes(asked[c], at, c, to)]
            if not refused:
                return at
            for component in refused:
                left[component].pop()
        return None

    def _best_of_all(self, placed: _Placed) -> dict[int, Release | None] | None:
        """Each at its best place, if that goes."""
        best = {component: self._places[component][number] for component, number in placed.ruled_out.items()}
        goes = all(self._goes(placed.asked[component], best, component, to) for component, to in best.items())
        return best if goes else None

    def _step(self, placed: _Placed) -> _Placed | None:
        """With the next component at its best place; None if another is left none then."""
        component = self._order[len(placed.at)]
        to = self._places[component][placed.ruled_out[component]]
        asked, named = dict(placed.asked), set[int]()
        for asking in self._own(to) if to is not None else ():
            for other in asking.movers - placed.at.keys() - {component}:
                asked[other] = (*asked[other], asking)
                named.add(other)
        further = _Placed({**placed.at, component: to}, placed.ruled_out, asked)
        waiting = self._order[len(further.at) :]
        find = self._problem.situation.component
        minded = [c for c in waiting if c in named or component in find(c).named or placed.asked[c]]
        return self._looked_ahead(further, minded)

    def _otherwise(self, placed: _Placed) -> _Placed | None:
        """The same, with the best place of the next component out of the question."""
        component = self._order[len(placed.at)]
        ruled_out = {**placed.ruled_out, component: placed.ruled_out[component] + 1}
        return self._looked_ahead(replace(placed, ruled_out=ruled_out), [component])

    def _back(self, came_by: list[_Placed]) -> _Placed | None:
        while came_by:
            if (placed := self._otherwise(came_by.pop())) is not None:
                return placed
        return None

    def _looked_ahead(self, placed: _Placed, waiting: Iterable[int]) -> _Placed | None:
        """With what isn't possible any more ruled out for those waiting; None if one has nothing left."""
        ruled_out = dict(placed.ruled_out)
        for component in waiting:
            places, number = self._places[component], ruled_out[component]
            while number < len(places) and not self._fits(placed, component, places[number]):
                number += 1
            if number == len(places):
                return None
            ruled_out[component] = number
        return replace(placed, ruled_out=ruled_out)

    def _fits(self, placed: _Placed, component: int, to: Release | None) -> bool:
        """Whether it goes with those that have a place, as far as can be told."""
        self._tries += 1
        return self._goes(placed.asked[component], placed.at, component, to)

    def _goes(
        self,
        asked: Iterable[_Asking],
        at: Mapping[int, Release | None],
        component: int,
        to: Release | None,
    ) -> bool:
        """The same by what is asked of it, and where others are."""
        for some in (asked, self._own(to) if to is not None else ()):
            for one in some:
                if _fails(one, at, component, to):
                    return False
        return True

    def _asked_of(self, component: int) -> tuple[int, tuple[_Asking, ...]]:
        """The places of one that moves that go with all that stay, and what others may give along with it.

        The places are in bits of its candidates. What a place asks of several together isn't looked at yet.
        """
        influence, moving = self._problem.influence, self._moving
        joint = dict.fromkeys(asked for who, asked in influence.jointly(component) if who not in moving)
        asked = (asking for relation in joint if (asking := self._about(relation)).settled is None)
        places = influence.given(component, moving) & ~influence.denied(component, moving)
        return places, tuple(asked)

    def _own(self, release: Release) -> tuple[_Asking, ...]:
        """What the release asks, but for what holds wherever they go."""
        known = self._asked_by.get(release.id)
        if known is None:
            asked = (self._about(one) for one in release.relations if not self._stands_anyway(one))
            known = self._asked_by[release.id] = tuple(one for one in asked if one.settled is not True)
        return known

    def _stands_anyway(self, relation: Relation) -> bool:
        """Whether it holds as things are, and none of those moving has a part in it."""
        return self._moving.isdisjoint(relation.components) and self._problem.ground.stands(relation)

    def _about(self, relation: Relation) -> _Asking:
        known = self._asking.get(id(relation))  # by identity: the situation's releases keep theirs alive
        if known is None:
            known = self._asking[id(relation)] = self._looked_at(relation)
        return known

    def _looked_at(self, relation: Relation) -> _Asking:
        if self._moving.isdisjoint(relation.components):
            return _Asking(relation, NOBODY, self._problem.ground.stands(relation), missable=False)
        movers = relation.components & self._moving
        staying = [self._problem.start.get(component) for component in relation.components - movers]
        there = [release for release in staying if release is not None]
        unknown = not isinstance(relation, Clash) and (
            relation.of_host or not self._problem.situation.complete
        )
        missable = isinstance(relation, Clash) or (unknown and not there)
        if any(release.id in relation.releases for release in there):
            return _Asking(relation, movers, not isinstance(relation, Clash), missable)
        return _Asking(relation, movers, None, missable)


def _newest_last(places: Places) -> list[Release | None]:
    """The places with the newest release last, and being gone first."""
    return sorted(places, key=lambda place: (place.rank, place.id) if place is not None else (-1, -1))


def _in_order(problem: Problem, others: Iterable[int]) -> list[int]:
    """Who moves along as `Search` prefers: the host before the others."""
    found = map(problem.situation.component, others)
    return [component.id for component in sorted(found, key=lambda one: (not one.host, one.id))]


def _fails(asking: _Asking, at: Mapping[int, Release | None], component: int, to: Release | None) -> bool:
    """Whether it doesn't hold with the component there, wherever those go that have no place yet."""
    if asking.settled is not None:
        return not asking.settled
    there, waiting = False, False
    for mover in asking.movers:
        if mover != component and mover not in at:
            waiting = True
        elif (release := to if mover == component else at[mover]) is not None:
            if release.id in asking.relation.releases:
                return isinstance(asking.relation, Clash)
            there = True
    if isinstance(asking.relation, Clash) or waiting:
        return False
    return there or not asking.missable
