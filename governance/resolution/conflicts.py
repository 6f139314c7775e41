"""Which rules can't hold together, found from what can't go together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from governance.resolution.clauses import Exhausted
from governance.resolution.forced import hopeless_of
from governance.resolution.minimal import minimal_sets
from governance.resolution.oracle import Oracle
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.values import Binding


@dataclass(frozen=True)
class Bound:
    """How far an enumeration goes until there may be more than it tells.

    `beside`: the same for what is stuck for reasons of its own, all of it together; to whom each set that is
    found then belongs is asked on top.
    """

    sets: int
    questions: int
    beside: int = 0


GOALS = Bound(sets=200, questions=2_000)
RULES = Bound(sets=24, questions=400, beside=60)
EVERYTHING = Bound(sets=10_000, questions=1_000_000, beside=1_000_000)


@dataclass(frozen=True)
class Conflict:
    """Components that break a rule and have no way to go together, by all minimal sets of rules that say so.

    Of these rules any fewer could hold together, with what isn't stuck where it has to go. `beside` are sets
    that show only where others that are stuck for reasons of their own have to go as well. `complete` is
    False where there may be further sets.
    """

    stuck: tuple[int, ...]
    sets: tuple[tuple[Binding, ...], ...]
    complete: bool = True
    beside: tuple[tuple[Binding, ...], ...] = ()

    @property
    def told(self) -> tuple[tuple[Binding, ...], ...]:
        """All of the sets, without those of which fewer rules are another."""
        smaller = [frozenset(one) for one in self.beside]
        own = (one for one in self.sets if not any(some < frozenset(one) for some in smaller))
        return (*own, *self.beside)

    @property
    def components(self) -> frozenset[int]:
        """Those that are stuck, and those that the rules bind."""
        sets = (*self.sets, *self.beside)
        return frozenset({*self.stuck, *(b.component for bindings in sets for b in bindings)})


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
    found = _conflicting(oracle, bindings, (*stuck, *settled), bound)
    return Conflict(tuple(stuck), found.sets, found.complete)


def with_others(
    oracle: Oracle, conflicts: Sequence[Conflict], settled: Sequence[int], bound: Bound = RULES
) -> list[Conflict]:
    """The conflicts with the sets that show only where all that is stuck has to go together.

    Rules that leave one nowhere to go hide what fewer of them would do to another.
    """
    if len(conflicts) < 2:
        return list(conflicts)
    goals = (*(goal for one in conflicts for goal in one.stuck), *settled)
    known = [some for one in conflicts for some in one.sets]
    within = Bound(bound.sets * len(conflicts), bound.beside)
    found = _conflicting(oracle, _in_question(oracle.problem, goals), goals, within, known)
    if not oracle.proved:  # what was given up is no proof of a set
        return [replace(one, complete=False) for one in conflicts]
    concerned = [_concerned(oracle, conflicts, some, goals) for some in found.sets]
    return [
        replace(
            one,
            beside=tuple(some for some, who in zip(found.sets, concerned, strict=True) if one in who),
            complete=one.complete and found.complete,
        )
        for one in conflicts
    ]


def _concerned(
    oracle: Oracle, conflicts: Sequence[Conflict], bindings: Sequence[Binding], goals: Sequence[int]
) -> list[Conflict]:
    """The conflicts to which a set belongs: those without whose components the others could go."""
    some = frozenset(bindings)
    found = [
        one
        for one in conflicts
        if any(some < frozenset(own) for own in one.sets)
        or oracle.failing(bindings, [goal for goal in goals if goal not in one.stuck]) is None
    ]
    return found or list(conflicts)


def _conflicting(
    oracle: Oracle,
    bindings: Sequence[Binding],
    goals: Sequence[int],
    bound: Bound,
    known: Iterable[Sequence[Binding]] = (),
) -> _Sets:
    """The minimal sets of these bindings under which the goals can't go together, but for what is known."""
    place_of = {binding: place for place, binding in enumerate(bindings)}

    def failing(places: Sequence[int]) -> list[int] | None:
        failed = oracle.failing([bindings[place] for place in places], goals)
        return None if failed is None else [place_of[binding] for binding in failed]

    found = minimal_sets(
        len(bindings),
        failing,
        most_sets=bound.sets,
        most_questions=bound.questions,
        known=[[place_of[binding] for binding in some] for some in known],
    )
    sets = (tuple(bindings[place] for place in sorted(places)) for places in filter(None, found.sets))
    return _Sets(tuple(sets), found.complete)


@dataclass(frozen=True)
class _Sets:
    """Sets of rules, and whether they are all."""

    sets: tuple[tuple[Binding, ...], ...]
    complete: bool


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
