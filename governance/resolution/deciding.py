"""From a situation to its outcome."""

from __future__ import annotations

from dataclasses import dataclass, field

from governance.resolution.clauses import Clauses, Exhausted
from governance.resolution.explaining import Beyond, Oracle, explain
from governance.resolution.ground import Ground, State
from governance.resolution.outcome import Change, Outcome, Unsettled
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt, Search
from governance.resolution.values import Release, Situation, labels

OPENED = 150  # components that may be opened; from there on what is open has to do


def decide(situation: Situation) -> Outcome:
    """What to change in a tenant, and what needs a person. Equal situations have equal outcomes.

    The changes satisfy every binding, requirement, conflict and host range that the situation knows of;
    what was wrong before, and isn't made worse, is not held against them. What breaks a rule and has no way
    to go is left as it is and told as unsettled.
    """
    problem = Problem(Ground(situation), situation.bindings)
    outcome, beyond = _outcome(problem, final=False)
    if not beyond:
        return outcome
    if sum(component.open for component in situation.components) + len(beyond) <= OPENED:
        return Outcome(beyond=beyond)
    return _outcome(problem, final=True)[0]


@dataclass
class _Settled:
    """The goals that can be met together, and for the others beside which ones they can't, if proved."""

    goals: tuple[int, ...]
    stuck: dict[int, tuple[tuple[int, ...], bool]] = field(default_factory=dict)


def _outcome(problem: Problem, *, final: bool) -> tuple[Outcome, frozenset[int]]:
    with Clauses(problem) as clauses:
        settled, found = _settle(problem, Search(clauses, final=final))
    if found.beyond:
        return Outcome(), found.beyond
    unsettled: list[Unsettled] = []
    beyond: frozenset[int] = frozenset()
    with Clauses(problem, whole=True) as clauses:
        oracle = Oracle(problem, Search(clauses, final=final), found.state or problem.start)
        for component, (beside, proved) in sorted(settled.stuck.items()):
            try:
                unsettled.append(explain(oracle.together(beside), component, proved))
            except Beyond as missing:
                beyond |= missing.components
    if beyond:
        return Outcome(), beyond
    return Outcome(_changes(problem, found.state or problem.start), tuple(unsettled)), beyond


def _settle(problem: Problem, search: Search) -> tuple[_Settled, Attempt]:
    """What can be met, the weightiest first, and the best state that does."""
    settled = _together(problem, search)
    found = search.best(problem, settled.goals)
    if found.exhausted:
        settled.stuck |= dict.fromkeys(settled.goals, ((), False))
    return settled, found


def _together(problem: Problem, search: Search) -> _Settled:
    """What can't be done beside the weightier can't be done beside more."""
    settled = _Settled(())
    for component in problem.obliged:
        try:
            proved = True
            # Often the last answer, in which all those settled go, lets this one go as well.
            goes = search.moves(component) or search.may_go(problem.bindings, (*settled.goals, component))
        except Exhausted:
            goes = proved = False
        if goes:
            settled.goals = (*settled.goals, component)
        else:
            settled.stuck[component] = settled.goals, proved
    return settled


def _changes(problem: Problem, state: State) -> tuple[Change, ...]:
    return tuple(
        _change(problem, state, component, state[component])
        for component, before in problem.start.items()
        if state[component] != before
    )


def _change(problem: Problem, state: State, component: int, after: Release | None) -> Change:
    before = problem.start[component]
    broken = problem.broken(component)
    if broken:
        named = labels(broken)
        because = "; ".join(f"{named[binding.rule]} {binding.says}" for binding in broken)
    else:
        because = "; ".join(_demands(problem, state, component)) or "goes with the other changes"
    return Change(component, before, after, because, tuple(binding.rule for binding in broken))


def _demands(problem: Problem, state: State, component: int) -> list[str]:
    """Who would miss the change: the releases that don't go with what is installed."""
    without = {**state, component: problem.start[component]}
    names = problem.situation.component
    return [
        f"{names(fault.component).name} {fault.release.version} {fault.relation.says}"
        for fault in problem.ground.faults(without)
        if component in fault.relation.components or component == fault.component
    ][:3]
