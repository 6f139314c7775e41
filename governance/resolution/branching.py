"""The fewest that move, where who must move goes nowhere while all else stays: by what may move instead.

Best first: what must move in a branch is the least that any of its states takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from itertools import count

from governance.resolution.forced import Forced, Movers
from governance.resolution.placing import Placing
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt

BRANCHES = 40  # looked at before it is left to the solver


def best_by_branches(problem: Problem, goals: Sequence[int]) -> Attempt | None:
    """The best state in which the goals move, or what has to be opened for it; None where it can't be told.

    That is so where several branches take as few. What is opened is what the branch needs that takes the
    fewest as far as is known.
    """
    numbers = count()  # of those that move and open as few, the first comes first
    waiting = [((0, 0), next(numbers), Movers(problem).add(goals))]
    for _ in range(BRANCHES):
        if not waiting:
            return None
        _, _, movers = heappop(waiting)
        forced = movers.found
        if forced.beyond:
            return Attempt(beyond=forced.beyond)
        branches = movers.ways_on()
        if branches is None:
            return _placed(goals, forced, [least for (least, _), _, _ in waiting])
        for branch in branches:
            found = branch.found
            if found.possible:
                heappush(waiting, ((found.size, len(found.beyond)), next(numbers), branch))
    return None


def _placed(goals: Sequence[int], forced: Forced, others: Sequence[int]) -> Attempt | None:
    """The branch's best state, where all other branches take more."""
    if any(least <= forced.size for least in others):
        return None
    state = Placing(goals, forced).first()
    return None if state is None else Attempt(state)
