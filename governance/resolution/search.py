"""The best state: the fewest changes, and among those what the weightiest rules prefer.

The order is total, so that there is one best state, whatever the solver happens to find first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pysat.card import ITotalizer

from governance.resolution.clauses import Clauses, Exhausted
from governance.resolution.forced import Forced, must_move
from governance.resolution.ground import State
from governance.resolution.problem import Problem
from governance.resolution.values import Binding


@dataclass(frozen=True)
class Attempt:
    """What came of a search."""

    state: State | None = None
    beyond: frozenset[int] = frozenset()  # closed components that might help
    exhausted: bool = False  # the solver was given up: a state isn't the best then, and none proves nothing


class Search:
    """Asks one situation's clauses. Unless `final`, components that aren't open might be opened."""

    def __init__(self, clauses: Clauses, *, final: bool) -> None:
        self.clauses = clauses
        self.final = final
        situation = clauses.problem.situation
        self._closed = {c.id: clauses.moves[c.id] for c in situation.components if not c.open}
        self._shut = [-move for move in self._closed.values()]

    def may_go(self, bindings: Sequence[Binding], goals: Sequence[int]) -> bool:
        """Whether every goal has a way, or might have one with more components open.

        Raises Exhausted where that can't be said.
        """
        return self._goes(bindings, goals, shut=self.final)

    def can_go(self, bindings: Sequence[Binding], goals: Sequence[int]) -> bool:
        """Whether every goal has a way with what is open."""
        try:
            return self._goes(bindings, goals, shut=True)
        except Exhausted:
            return False

    def _goes(self, bindings: Sequence[Binding], goals: Sequence[int], *, shut: bool) -> bool:
        """Whether every goal has a way; if so, one near to what is installed is the last state.

        Any would do, but the further away it is, the more has to be written down to find it. Where a near one
        is too hard to find, any is asked for. With `shut`, what isn't open stays.
        """
        problem = self.clauses.problem.under(bindings)
        forced = must_move(problem, [goal for goal in goals if problem.broken(goal)])
        given = self._given(bindings, goals, shut=shut)
        try:
            return self._apart(given, self._others(forced)) is not None
        except Exhausted:
            return self.clauses.solve(given)

    def _others(self, forced: Forced) -> list[int]:
        """That others move than those that must."""
        return [move for c, move in self.clauses.moves.items() if c not in forced.moving]

    def blamed(self, bindings: Iterable[Binding]) -> list[Binding]:
        """Those of the bindings that have a part in the last refusal."""
        return self.clauses.blamed(bindings)

    def blamed_goals(self, goals: Iterable[int]) -> list[int]:
        """Those of the goals that have a part in the last refusal."""
        return self.clauses.blamed_goals(goals)

    def moved_beyond(self) -> frozenset[int]:
        """The components that aren't open and move in the last answer."""
        return frozenset(c for c, move in self._closed.items() if self.clauses.is_true(move))

    def best(self, problem: Problem, goals: Sequence[int]) -> Attempt:
        """The best state in which no goal breaks one of the problem's bindings and nothing is newly wrong.

        Only opening further components could help where it names some; with them it takes fewer changes.
        Where the best is too hard to find, any such state will do.
        """
        try:
            return self._best(problem, goals)
        except Exhausted:
            return self._any(problem, goals)

    def _given(self, bindings: Iterable[Binding], goals: Iterable[int], *, shut: bool) -> list[int]:
        return [*self.clauses.given(bindings, goals), *(self._shut if shut else ())]

    def _best(self, problem: Problem, goals: Sequence[int]) -> Attempt:
        bound = [goal for goal in problem.obliged if goal in goals]
        forced = must_move(problem, bound)
        given = self._given(problem.bindings, goals, shut=self.final)
        least = self._least(given, self._others(forced))
        if least is None:
            return Attempt()
        self._prefer(forced, bound, least)
        beyond = self.moved_beyond()
        return Attempt(beyond=beyond) if beyond else Attempt(self.clauses.state())

    def _any(self, problem: Problem, goals: Sequence[int]) -> Attempt:
        """The first such state that is found, with what is open if that will do."""
        given = self.clauses.given(problem.bindings, goals)
        for shut in [self._shut] if self.final else [self._shut, []]:
            try:
                if self.clauses.solve([*given, *shut]):
                    beyond = self.moved_beyond()
                    return Attempt(None if beyond else self.clauses.state(), beyond, exhausted=True)
            except Exhausted:
                continue
        return Attempt(exhausted=True)

    def _least(self, given: list[int], free: Sequence[int]) -> list[int] | None:
        """What to assume so that all that is given holds and the fewest of the free ones are true.

        Sets apart of which one must be true show how few it can be, mostly exactly.
        """
        apart = self._apart(given, free)
        if apart is None:
            return None
        if not apart:
            return [*given, *(-literal for literal in free)]
        return [*given, *self._at_most(given, free, len(apart))]

    def _apart(self, given: Sequence[int], free: Iterable[int]) -> list[frozenset[int]] | None:
        """Sets of free literals of each of which one must be true, and that have nothing in common.

        None if nothing meets what is given; else no free literal outside of them is true in the last state.
        """
        still = {-literal for literal in free}
        apart: list[frozenset[int]] = []
        while not self.clauses.solve([*given, *sorted(still, reverse=True)]):
            blamed = self.clauses.core() & still
            if not blamed:
                return None
            still -= blamed
            apart.append(frozenset(-literal for literal in blamed))
        return apart

    def _at_most(self, given: list[int], free: Sequence[int], lowest: int) -> list[int]:
        """What bounds how many are true to the least that is possible, at least `lowest`."""
        highest = sum(map(self.clauses.is_true, free))
        with ITotalizer(lits=list(free), ubound=highest, top_id=self.clauses.newest) as total:
            self.clauses.more(total.cnf.clauses, total.top_id)
            bounds = [-literal for literal in total.rhs]
        for number in range(lowest, highest):
            if self.clauses.solve([*given, bounds[number]]):
                return [bounds[number]]
        return bounds[highest : highest + 1]

    def _prefer(self, forced: Forced, bound: Sequence[int], least: list[int]) -> None:
        """Move on to the state that is best for the goals, the weightiest first.

        Then the host stays if it can, and then each of the others.
        """
        for component in bound:
            least.append(self._best_of(self._wishes(forced, component), least))
        components = forced.problem.situation.components
        others = sorted((c for c in components if c.id not in bound), key=lambda c: (not c.host, c.id))
        for other in others:
            stays = -self.clauses.moves[other.id]
            if self.clauses.is_true(stays):
                least.append(stays)
            else:
                first = [] if other.id in forced.moving else [stays]
                least.append(self._best_of([*first, *self._wishes(forced, other.id)], least))

    def _wishes(self, forced: Forced, component: int) -> list[int]:
        """Where a component that moves goes, the best first; one that isn't open, wherever it may be."""
        places = self.clauses.places(component)
        if places is None:
            return [self.clauses.moves[component]]
        targets = forced.targets(component)
        return [places[to.id if to is not None else None] for to in targets]

    def _best_of(self, wishes: Sequence[int], least: Sequence[int]) -> int:
        """The first of the literals that can be true; one of them is in the last state.

        Asked in runs of growing length from the front, where it mostly is.
        """
        here, ruled_out, length = self._first(wishes), 0, 1
        while ruled_out < here:
            run = wishes[ruled_out : min(ruled_out + length, here)]
            if self.clauses.solve([*least, run[0] if len(run) == 1 else self.clauses.any_of(run)]):
                here = self._first(wishes)
            else:
                ruled_out += len(run)
            length *= 2
        return wishes[here]

    def _first(self, wishes: Sequence[int]) -> int:
        return next(n for n, literal in enumerate(wishes) if self.clauses.is_true(literal))
