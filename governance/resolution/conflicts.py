"""Which rules can't hold together, found from what can't go together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from governance.resolution.clauses import Exhausted
from governance.resolution.forced import hopeless_of
from governance.resolution.minimal import MinimalSets, minimal_sets
from governance.resolution.oracle import Oracle
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.values import Binding


@dataclass(frozen=True)
class Bound:
    """How far an enumeration goes until there may be more than it tells."""

    sets: int
    questions: int


GOALS = Bound(sets=200, questions=2_000)
RULES = Bound(sets=24, questions=400)


@dataclass(frozen=True)
class Conflict:
    """Components that break a rule and have no way to go together, by all minimal sets of rules that say so.

    Of these rules any fewer could hold together, with what isn't stuck where it has to go. `complete` is
    False where there may be further sets.
    """

    stuck: tuple[int, ...]
    sets: tuple[tuple[Binding, ...], ...]
    complete: bool = True

    @property
    def components(self) -> frozenset[int]:
        """Those that are stuck, and those that the rules bind."""
        return frozenset({*self.stuck, *(b.component for bindings in self.sets for b in bindings)})


def stuck_together(problem: Problem, search: Search) -> list[tuple[int, ...]]:
    """The components that break a rule and have no way to go, those together that stand in each other's way.

    A component that has no way whatever the others do is nobody's hindrance. All others can go together.
    """
    # Where what is wrong as it is has to be mended, others may be what stands in their way.
    hopeless = () if problem.situation.strict else hopeless_of(problem)
    goals = tuple(goal for goal in problem.obliged if goal not in hopeless)
    place_of = {goal: place for place, goal in enumerate(goals)}

    def failing(places: Sequence[int]) -> Sequence[int] | None:
        some = [goals[place] for place in places]
        try:
            if search.may_go(problem.bindings, some):
                return None
        except Exhausted:
            return places
        return [place_of[goal] for goal in search.blamed_goals(some)]

    found = minimal_sets(len(goals), failing, most_sets=GOALS.sets, most_questions=GOALS.questions)
    # Where even the question about none of them is given up, nobody is to blame.
    groups = [tuple(goals[place] for place in sorted(group)) for group in _joined(filter(None, found.sets))]
    return [*((goal,) for goal in hopeless), *groups]


def conflict(
    oracle: Oracle, stuck: Sequence[int], settled: Sequence[int] = (), bound: Bound = RULES
) -> Conflict:
    """All minimal sets of rules under which these components can't go, beside what goes in any case.

    None where that they can't isn't found again within the solver's bound.
    """
    bindings = _in_question(oracle.problem, stuck)
    found = conflicting(oracle, bindings, (*stuck, *settled), bound)
    sets = tuple(tuple(bindings[place] for place in sorted(places)) for places in filter(None, found.sets))
    return Conflict(tuple(stuck), sets, found.complete)


def conflicting(
    oracle: Oracle, bindings: Sequence[Binding], goals: Sequence[int], bound: Bound
) -> MinimalSets:
    """The minimal sets of these bindings, by their places, under which the goals can't go together."""
    place_of = {binding: place for place, binding in enumerate(bindings)}

    def failing(places: Sequence[int]) -> list[int] | None:
        failed = oracle.failing([bindings[place] for place in places], goals)
        return None if failed is None else [place_of[binding] for binding in failed]

    return minimal_sets(len(bindings), failing, most_sets=bound.sets, most_questions=bound.questions)


def _in_question(problem: Problem, goals: Collection[int]) -> list[Binding]:
    """The bindings that may have a part in it, those of the goals before others, the weighty first."""
    opened = {component.id for component in problem.situation.components if component.open}
    bindings = [binding for binding in problem.bindings if binding.component in opened]
    return sorted(bindings, key=lambda b: (b.component not in goals, -b.weight, b.component, b.rule))


def _joined(sets: Iterable[frozenset[int]]) -> list[frozenset[int]]:
    """The sets with those made one that have something in common."""
    groups: list[frozenset[int]] = []
    for one in sets:
        near = [group for group in groups if group & one]
        groups = [*(group for group in groups if not group & one), one.union(*near)]
    return sorted(groups, key=sorted)
