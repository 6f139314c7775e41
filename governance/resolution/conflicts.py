"""Which rules can't hold together: all the minimal sets of them, sorted by the components that are stuck."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from governance.resolution.minimal import minimal_sets
from governance.resolution.oracle import Oracle
from governance.resolution.problem import Problem
from governance.resolution.values import Binding

SETS = 24  # minimal sets that are told of one part of a tenant
QUESTIONS = 600  # that are asked about them, until there may be further ones


@dataclass(frozen=True)
class Conflict:
    """Components that break a rule and have no way to go together, by all minimal sets of rules that say so.

    Of these rules any fewer could hold together. `complete` is False where there may be further sets.
    """

    stuck: tuple[int, ...]
    sets: tuple[tuple[Binding, ...], ...]
    complete: bool = True

    @property
    def components(self) -> frozenset[int]:
        """Those that are stuck, and those that the rules bind."""
        return frozenset({*self.stuck, *(b.component for bindings in self.sets for b in bindings)})


def conflicts(oracle: Oracle) -> tuple[Conflict, ...]:
    """The conflicts of a problem; the components that are in none of them have a way to go together.

    Raises Beyond where more has to be opened to say so.
    """
    goals, found = oracle.problem.obliged, list[Conflict]()
    while True:
        of_these = _among(oracle, goals)
        found += of_these
        stuck = {component for conflict in of_these for component in conflict.stuck}
        if not stuck:
            return tuple(found)
        # What is stuck stays as it is. It still breaks no rule anew, which may hold up others.
        goals = tuple(goal for goal in goals if goal not in stuck)


def _among(oracle: Oracle, goals: Sequence[int]) -> list[Conflict]:
    """The conflicts that there are if these components shall go."""
    bindings = _in_question(oracle.problem, goals)

    def failing(places: Sequence[int]) -> list[int] | None:
        failed = oracle.failing([bindings[place] for place in places], goals)
        return None if failed is None else [place_of[binding] for binding in failed]

    place_of = {binding: place for place, binding in enumerate(bindings)}
    found = minimal_sets(len(bindings), failing, most_sets=SETS, most_questions=QUESTIONS)
    sets = [tuple(bindings[place] for place in sorted(places)) for places in found.sets]
    return [
        Conflict(stuck, tuple(mine), found.complete) for stuck, mine in _sorted(oracle.problem, goals, sets)
    ]


def _in_question(problem: Problem, goals: Collection[int]) -> list[Binding]:
    """The bindings that may have a part in it, those of the goals before others, the weighty first."""
    opened = {component.id for component in problem.situation.components if component.open}
    bindings = [binding for binding in problem.bindings if binding.component in opened]
    return sorted(bindings, key=lambda b: (b.component not in goals, -b.weight, b.component, b.rule))


def _sorted(
    problem: Problem, goals: Sequence[int], sets: Iterable[tuple[Binding, ...]]
) -> list[tuple[tuple[int, ...], list[tuple[Binding, ...]]]]:
    """The sets by the goals that they hold up; sets that hold up the same goal belong together."""
    groups: list[tuple[set[int], list[tuple[Binding, ...]]]] = []
    for bindings in sets:
        stuck, mine = _held_up(problem, goals, bindings), [bindings]
        apart = []
        for others, theirs in groups:
            if others & stuck:
                stuck, mine = stuck | others, [*theirs, *mine]
            else:
                apart.append((others, theirs))
        groups = [*apart, (stuck, mine)]
    ordered = [(tuple(goal for goal in goals if goal in stuck), mine) for stuck, mine in groups]
    return sorted(ordered, key=lambda group: group[0])


def _held_up(problem: Problem, goals: Collection[int], bindings: Iterable[Binding]) -> set[int]:
    """The goals that break one of the bindings."""
    return {
        b.component
        for b in bindings
        if b.component in goals and b.wanted and not b.allows(problem.start[b.component])
    }
