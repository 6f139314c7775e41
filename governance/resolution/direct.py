"""What is stuck and the best state for all else, where intersecting what may be settles that.

Where what must move can go while all else stays, no state takes fewer changes, and no other takes as few.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from governance.resolution.branching import best_by_branches
from governance.resolution.forced import Forced, hopeless_of, must_move
from governance.resolution.placing import Placing
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt
from governance.resolution.values import Binding

Settled = tuple[list[tuple[int, ...]], Attempt]  # what is stuck together, and what came of the others


def directly(problem: Problem, *, final: bool) -> Settled | None:
    """As the search would have it; None where only that can tell.

    Unless `final`, it may come to components that have to be opened first.
    """
    goals, stuck = problem.obliged, list[tuple[int, ...]]()
    found = best_directly(problem, goals)
    if found is None:
        # If all others can go together, those that can't go by themselves are all that is stuck.
        stuck = [(goal,) for goal in hopeless_of(problem)]
        goals = tuple(goal for goal in goals if (goal,) not in stuck)
        if not final and (missing := _missing(problem, stuck)):
            return stuck, Attempt(beyond=missing | must_move(problem, goals).beyond)
        found = best_directly(problem, goals) if stuck else None
    return None if found is None or (final and found.beyond) else (stuck, found)


def _missing(problem: Problem, stuck: Iterable[tuple[int, ...]]) -> frozenset[int]:
    """What has to be opened before anybody can say why these are stuck.

    It moves along by their own rules alone, so it does wherever some of the others are left out.
    """
    if not problem.situation.why or problem.situation.strict:
        return frozenset()
    alone = (must_move(problem.under(problem.binding[goal]), [goal]) for (goal,) in stuck)
    return frozenset().union(*(forced.beyond for forced in alone if forced.possible))


def best_directly(problem: Problem, goals: Sequence[int]) -> Attempt | None:
    """The best state in which the goals move, or what has to be opened for that; None where it can't be told.

    The goals are among those that break a rule, in their order.
    """
    forced = _forced(problem, goals)
    if forced is None or forced.beyond:
        return None if forced is None else Attempt(beyond=forced.beyond)
    state = Placing(goals, forced).first()
    return best_by_branches(problem, goals) if state is None else Attempt(state)


def some_directly(problem: Problem, goals: Sequence[int]) -> Attempt | None:
    """The same of any state: what has to be opened moves in every one."""
    forced = _forced(problem, goals)
    if forced is None or forced.beyond:
        return None if forced is None else Attempt(beyond=forced.beyond)
    state = Placing(goals, forced).some()
    return None if state is None else Attempt(state)


def _forced(problem: Problem, goals: Sequence[int]) -> Forced | None:
    """What must move; None where that can't be told, or can't move."""
    if problem.situation.strict:  # what is wrong as it is has to be mended, by whoever has a part in it
        return None
    forced = must_move(problem, goals)
    return forced if forced.possible else None


def blamed_directly(problem: Problem, goals: Iterable[int]) -> list[Binding] | None:
    """Bindings that leave one of the goals no way, whatever else moves; None where that isn't seen.

    None of them could be spared for it to be seen.
    """
    for goal in goals:
        if (blamed := _behind(problem, goal)) is not None:
            return _needed(problem, goal, blamed)
    return None


def _behind(problem: Problem, goal: int) -> list[Binding] | None:
    """The bindings by which the goal is seen to have no way; None where it isn't seen."""
    if not problem.broken(goal):
        return None
    forced = must_move(problem, [goal])
    if forced.possible:
        return None
    return [binding for c in sorted(forced.behind) for binding in problem.binding.get(c, ())]


def _needed(problem: Problem, goal: int, bindings: list[Binding]) -> list[Binding]:
    """Without those that aren't needed to see that the goal has no way.

    Few are, so halves are tried.
    """
    waiting = [bindings]
    while waiting:
        some = waiting.pop()
        left = [one for one in bindings if not any(one is other for other in some)]
        fewer = _behind(problem.under(left), goal) if len(left) < len(bindings) else None
        if fewer is not None:
            bindings = fewer
        elif len(some) > 1:
            half = len(some) // 2
            waiting += [some[:half], some[half:]]
    return bindings
