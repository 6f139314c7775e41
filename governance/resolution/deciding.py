"""From a situation to its outcome."""

from __future__ import annotations

from governance.resolution.explaining import Oracle, explain
from governance.resolution.ground import Ground, State
from governance.resolution.outcome import Change, Outcome, Unsettled
from governance.resolution.problem import Problem
from governance.resolution.search import OPENED, attempt
from governance.resolution.values import Release, Situation, labels

# Beside which components one found no way, and whether it is proved that there is none.
_Stuck = tuple[tuple[int, ...], bool]


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
        return Outcome(beyond=frozenset(beyond))
    return _outcome(problem, final=True)[0]


def _outcome(problem: Problem, *, final: bool) -> tuple[Outcome, set[int]]:
    state, stuck, beyond = _settle(problem, final=final)
    if beyond and not final:
        return Outcome(), beyond
    unsettled: list[Unsettled] = []
    for component, (beside, proved) in sorted(stuck.items()):
        oracle = Oracle(problem, final, beside)
        unsettled.append(explain(oracle, component, proved))
        beyond |= oracle.beyond
    return Outcome(_changes(problem, state), tuple(unsettled)), set() if final else beyond


def _settle(problem: Problem, *, final: bool) -> tuple[State, dict[int, _Stuck], set[int]]:
    """The state that goes furthest, what stays stuck, and what ought to be opened.

    What can't be done alone can't be done together with more. What can is added one after the other, on top
    of what is settled, and only where that fails looked at together.
    """
    state: State = problem.start
    stuck: dict[int, _Stuck] = {}
    beyond: set[int] = set()
    settled: tuple[int, ...] = ()
    for component in problem.obliged:
        goals = (*settled, component)
        tries = [(goals, state), (goals, None)] if settled else [((component,), None)]
        for some, base in tries:
            found = attempt(problem, some, base, final=final)
            beyond |= found.beyond
            if found.state is not None:
                state, settled = found.state, goals
                break
        else:
            stuck[component] = settled, not found.exhausted
    return state, stuck, beyond


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
