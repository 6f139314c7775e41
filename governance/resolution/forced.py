"""What must move, whatever else might: found by intersecting where each may go with what is asked of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from governance.resolution.candidates import Candidates
from governance.resolution.ground import Places
from governance.resolution.matching import Matching
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Need, Relation


@dataclass(frozen=True)
class Forced:
    """Those that must move, by what of their places is left to each, in bits of its candidates.

    `beyond` are those of them that aren't open; while there are any, others may be missing here. Where not
    all are `possible`, one had `nowhere` to go first: what binds those that are `behind` is to blame.
    """

    problem: Problem
    left: Mapping[int, int]
    beyond: frozenset[int]
    reasons: Mapping[int, Set[int]]  # by whom each was moved, and its places narrowed
    nowhere: int | None

    @property
    def possible(self) -> bool:
        """Whether each has somewhere to go."""
        return self.nowhere is None

    @property
    def behind(self) -> set[int]:
        """The one that has nowhere to go, and those by whom that was found out."""
        found, latest = set[int](), {self.nowhere} if self.nowhere is not None else set[int]()
        while latest:
            found |= latest
            latest = set().union(*(self.reasons.get(component, ()) for component in latest)) - found
        return found

    @property
    def size(self) -> int:
        """How many these are."""
        return len(self.left) + len(self.beyond)

    @property
    def moving(self) -> Set[int]:
        """All of these."""
        return self.left.keys() | self.beyond

    def targets(self, component: int) -> Places:
        """Where an open component may go, whether it must or not, the best place first."""
        return self.places(component, -1) if component in self.left else self.problem.targets(component)

    def places(self, component: int, left: int) -> Places:
        """Where it may go that is also in these bits, the best place first."""
        return self.problem.ordered(component, left & self.left[component])


def must_move(problem: Problem, goals: Iterable[int]) -> Forced:
    """What moves in every state in which the goals do.

    Besides them it is who asks something that none of their places gives, and who doesn't give what all of
    the places of one of them ask; and so on.
    """
    return Movers(problem).add(goals).found


def hopeless_of(problem: Problem) -> tuple[int, ...]:
    """Those that break a rule and are seen to have no way, whatever else moves."""
    return tuple(goal for goal in problem.obliged if not must_move(problem, [goal]).possible)


class Movers:
    """Those that must move, as they are found out."""

    def __init__(self, problem: Problem, known: Movers | None = None) -> None:
        self._problem = problem
        self._influence = problem.influence
        self._situation = problem.situation
        self._places: dict[int, int] = {**known._places} if known else {}  # in bits of its candidates
        self._candidates: dict[int, Candidates] = {**known._candidates} if known else {}  # of these
        self._beyond: set[int] = {*known._beyond} if known else set()
        self._reasons = defaultdict[int, set[int]](set)
        for component, reasons in known._reasons.items() if known else ():
            self._reasons[component] = {*reasons}
        self._nowhere: int | None = known._nowhere if known else None
        self._latest: list[int] = []  # who has become one, or has fewer places than before

    @property
    def found(self) -> Forced:
        """What is found out so far."""
        return Forced(self._problem, self._places, frozenset(self._beyond), self._reasons, self._nowhere)

    def add(self, goals: Iterable[int]) -> Movers:
        """With these and all that they have moved, or those found until one had nowhere to go."""
        for goal in goals:
            if not self._known(goal):
                self._add(goal)
        while self._latest:
            component = self._latest.pop()
            self._move_minding(component)
            for mover in self._naming(component):
                self._narrow(mover, component)
            for asked in self._influence.asked(component):
                if asked in self._places:
                    self._confine(asked, component)
            if self._nowhere is not None:
                break
            self._move_unwilling(component)
        return self

    def ways_on(self) -> list[Movers] | None:
        """What may be, where one of them has nowhere to go while all else stays; None where each has.

        Its places apart by what moves with them: every state in which these move is in one of them.
        """
        stuck = next((one for one in self._places if not self._goes_alone(one)), None)
        if stuck is None:
            return None
        apart: dict[frozenset[int], int] = defaultdict(int)
        for place in _each(self._places[stuck]):
            supposed = Movers(self._problem, self)._at(stuck, place)
            if supposed.found.possible:
                apart[frozenset(supposed._places.keys() | supposed._beyond)] |= place
        return [Movers(self._problem, self)._at(stuck, places, also) for also, places in apart.items()]

    def _at(self, mover: int, places: int, also: Iterable[int] = ()) -> Movers:
        self._leave(mover, places, set())
        return self.add(also)

    def _goes_alone(self, mover: int) -> bool:
        """Whether one of its places asks nothing of who stays that isn't given there."""
        return bool(self._places[mover] & ~self._influence.denied(mover, self._places))

    def _add(self, component: int) -> None:
        part = self._situation.component(component)
        if not part.open:
            self._beyond.add(component)
            return
        mine = self._candidates[component] = part.candidates
        vain = mine.vain(complete=self._situation.complete)
        places = self._problem.reach(component) & ~vain
        self._places[component] = places
        self._note_nowhere(component)
        self._latest.append(component)
        for other in self._influence.asked(component):
            if other in self._places:
                self._narrow(component, other)
        for mover in self._naming(component):
            self._confine(component, mover)

    def _known(self, component: int) -> bool:
        return component in self._places or component in self._beyond

    def _naming(self, component: int) -> list[int]:
        return [mover for mover in self._influence.asking(component) if mover in self._candidates]

    def _move_minding(self, component: int) -> None:
        """Add those that can't stay wherever the component goes."""
        for watcher, relation in self._influence.leaving(component, self._places[component]):
            if not self._known(watcher):
                self._reasons[watcher] |= relation.components
                self._add(watcher)
        for watcher, relation in self._influence.jointly(component):
            if self._never(relation) and not self._known(watcher):
                self._reasons[watcher] |= relation.components
                self._add(watcher)

    def _narrow(self, mover: int, component: int) -> None:
        """Leave out the mover's places that ask what can't be where the component may go."""
        refused = self._matching(mover, component).refused(self._places[component])
        left = self._places[mover] & ~refused
        self._leave(mover, left, {component})
        for relation, askers in self._candidates[mover].joint.get(component, ()):
            if left & askers and self._never(relation):
                left &= ~askers
                self._leave(mover, left, relation.components)

    def _confine(self, component: int, mover: int) -> None:
        """Leave out the component's places with which none of the mover's goes."""
        allowed = self._matching(mover, component).allowed(self._places[mover])
        self._leave(component, self._places[component] & allowed, {mover})

    def _matching(self, mover: int, component: int) -> Matching:
        mine, theirs = self._candidates[mover], self._candidates[component]
        return mine.matching(component, theirs, complete=self._situation.complete)

    def _leave(self, component: int, places: int, reasons: Set[int]) -> None:
        """Leave it these of its places."""
        if places != self._places[component]:
            self._places[component] = places
            self._reasons[component] |= reasons
            self._note_nowhere(component)
            if component not in self._latest:
                self._latest.append(component)

    def _note_nowhere(self, component: int) -> None:
        if self._nowhere is None and not self._places[component]:
            self._nowhere = component

    def _move_unwilling(self, mover: int) -> None:
        """Add those that are asked to move by every one of the mover's places."""
        for component in self._influence.asked_to_move(mover, self._places[mover]):
            if not self._known(component):
                self._reasons[component].add(mover)
                self._add(component)

    def _never(self, relation: Relation) -> bool:
        """Whether it can't hold wherever those go that must move, whatever else might."""
        if isinstance(relation, Clash):
            return any(self._reaches_only(c, relation) for c in relation.components if c in self._places)
        gone = True
        for component in relation.components:
            places = self._places.get(component)
            if places is None or places & self._candidates[component].meant(relation):
                return False
            gone = gone and bool(places & self._candidates[component].gone)
        return not (gone and self._may_be_unknown(relation))

    def _reaches_only(self, component: int, clash: Clash) -> bool:
        return not self._places[component] & ~self._candidates[component].meant(clash)

    def _may_be_unknown(self, need: Need) -> bool:
        """Whether it can't be judged, and so isn't, where nobody is there who could meet it."""
        return need.of_host or not self._situation.complete


def _each(bits: int) -> Iterator[int]:
    """The bits one by one."""
    while bits:
        lowest = bits & -bits
        yield lowest
        bits ^= lowest
