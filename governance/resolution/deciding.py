"""From a situation to its outcome."""

from __future__ import annotations

from collections.abc import Sequence

from governance.resolution.clauses import Clauses
from governance.resolution.conflicts import RULES, Bound, stuck_together
from governance.resolution.direct import Settled, directly
from governance.resolution.explaining import explain
from governance.resolution.ground import State
from governance.resolution.oracle import Beyond
from governance.resolution.outcome import Change, Outcome, Unsettled
from governance.resolution.parts import parts
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.situation import Situation
from governance.resolution.values import labels

OPENED = 1_000  # components of a part that may be opened; from there on what is open has to do


def decide(situation: Situation, bound: Bound = RULES) -> Outcome:
    """What to change in a tenant, and what needs a person. Equal situations have equal outcomes.

    The changes satisfy every binding, requirement, conflict and host range that the situation knows of;
    what was wrong before, and isn't made worse, is not held against them unless the situation is strict.
    What breaks a rule and has no way to go is left as it is and told as unsettled.
    """
    return combined([decide_whole(part, bound) for part in parts(situation)])


def combined(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a situation by those of its parts."""
    beyond = frozenset[int]().union(*(outcome.beyond for outcome in outcomes))
    if beyond:
        return Outcome(beyond=beyond, widely=any(outcome.widely for outcome in outcomes))
    changes = [change for outcome in outcomes for change in outcome.changes]
    unsettled = [one for outcome in outcomes for one in outcome.unsettled]
    return Outcome(
        tuple(sorted(changes, key=lambda change: change.component)),
        tuple(sorted(unsettled, key=lambda one: one.stuck)),
    )


def settle(situation: Situation) -> tuple[Change, ...] | None:
    """The fewest changes after which every rule holds, with nothing opened beyond; None if there are none.

    They needn't be the fewest where the solver is given up.
    """
    problem = Problem.of(situation)
    with Clauses(problem) as clauses:
        found = Search(clauses, final=True).best(problem, problem.obliged)
    return None if found.state is None else _changes(problem, found.state)


def decide_whole(part: Situation, bound: Bound = RULES) -> Outcome:
    """The same, with nothing taken apart."""
    problem = Problem.of(part)
    outcome = _outcome(problem, bound, final=False)
    opened = sum(component.open for component in part.components)
    if outcome.beyond and opened + len(outcome.beyond) > OPENED:
        return _outcome(problem, bound, final=True)
    return outcome


def _outcome(problem: Problem, bound: Bound, *, final: bool) -> Outcome:
    settled = directly(problem, final=final)
    stuck, found = settled or _searched(problem, final=final)
    if found.beyond:
        return Outcome(beyond=found.beyond)
    changes = _changes(problem, found.state or problem.start)
    # What is seen directly is so whatever else is opened; what is searched for may not be.
    if settled is not None and not problem.situation.why:
        return Outcome(changes, tuple(map(Unsettled, sorted(stuck))))
    try:
        unsettled = explain(problem, sorted(stuck), found.state, final=final, bound=bound)
    except Beyond as missing:
        return Outcome(beyond=missing.components, widely=missing.widely)
    return Outcome(changes, unsettled)


def _searched(problem: Problem, *, final: bool) -> Settled:
    with Clauses(problem) as clauses:
        return _best(problem, Search(clauses, final=final))


def _best(problem: Problem, search: Search) -> Settled:
    """What is stuck, and the best state for all else.

    Where no state is found, nothing changes, and so all else is stuck too: together if that is certain, which
    takes more that stands in each other's way than was looked for; else each by itself.
    """
    stuck = stuck_together(problem, search)
    held_up = {goal for group in stuck for goal in group}
    others = [goal for goal in problem.obliged if goal not in held_up]
    found = search.best(problem, others)
    if others and found.state is None and not found.beyond:
        stuck += [(goal,) for goal in others] if found.exhausted else [tuple(others)]
    return stuck, found


def _changes(problem: Problem, state: State) -> tuple[Change, ...]:
    start = problem.start.items()
    changed = [c for c, before in start if state[c] is not before and state[c] != before]
    return tuple(_change(problem, state, component, changed) for component in changed)


def _change(problem: Problem, state: State, component: int, changed: Sequence[int]) -> Change:
    before = problem.start[component]
    broken = problem.broken(component)
    if broken:
        named = labels(broken)
        because = "; ".join(f"{named[binding.rule]} {binding.says}" for binding in broken)
    else:
        because = "; ".join(_demands(problem, state, component, changed)) or "goes with the other changes"
    return Change(component, before, state[component], because, tuple(binding.rule for binding in broken))


def _demands(problem: Problem, state: State, component: int, changed: Sequence[int]) -> list[str]:
    """Who would miss the change: the releases that don't go with what is installed."""
    without = {**state, component: problem.start[component]}
    others = [one for one in changed if one != component]
    names = problem.situation.component
    return [
        f"{names(fault.component).name} {fault.release.version} {fault.relation.says}"
        for fault in problem.ground.faults_of(without, component, others)
    ][:3]
