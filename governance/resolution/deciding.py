"""From a situation to its outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from governance.resolution.clauses import Clauses
from governance.resolution.conflicts import stuck_together
from governance.resolution.explaining import Account, explain
from governance.resolution.ground import Ground, State
from governance.resolution.outcome import Change, Outcome
from governance.resolution.parts import narrowed, parts
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt, Search
from governance.resolution.values import Release, Situation, labels

OPENED = 150  # components of a part that may be opened; from there on what is open has to do
KEPT = 20_000  # parts whose outcomes are remembered: most are met in tenant after tenant


def decide(situation: Situation) -> Outcome:
    """What to change in a tenant, and what needs a person. Equal situations have equal outcomes.

    The changes satisfy every binding, requirement, conflict and host range that the situation knows of;
    what was wrong before, and isn't made worse, is not held against them unless the situation is strict.
    What breaks a rule and has no way to go is left as it is and told as unsettled.
    """
    return combined([_remembered(part) for part in parts(situation)])


def combined(outcomes: Sequence[Outcome]) -> Outcome:
    """The outcome of a situation by those of its parts."""
    beyond = frozenset[int]().union(*(outcome.beyond for outcome in outcomes))
    if beyond:
        return Outcome(beyond=beyond)
    changes = [change for outcome in outcomes for change in outcome.changes]
    unsettled = [one for outcome in outcomes for one in outcome.unsettled]
    return Outcome(
        tuple(sorted(changes, key=lambda change: change.component)),
        tuple(sorted(unsettled, key=lambda one: one.stuck)),
    )


def settle(situation: Situation) -> tuple[Change, ...] | None:
    """The fewest changes after which every rule holds, with nothing opened beyond; None if there are none."""
    problem = Problem(Ground(situation), situation.bindings)
    with Clauses(problem) as clauses:
        found = Search(clauses, final=True).best(problem, problem.obliged)
    return None if found.state is None else _changes(problem, found.state)


@lru_cache(maxsize=KEPT)
def _remembered(part: Situation) -> Outcome:
    return decide_whole(part)


def decide_whole(part: Situation) -> Outcome:
    """The same, with nothing taken apart."""
    problem = Problem(Ground(part), part.bindings)
    outcome = _outcome(problem, final=False)
    opened = sum(component.open for component in part.components)
    if outcome.beyond and opened + len(outcome.beyond) > OPENED:
        return _outcome(problem, final=True)
    return outcome


def _outcome(problem: Problem, *, final: bool) -> Outcome:
    with Clauses(problem) as clauses:
        stuck, found = _best(problem, Search(clauses, final=final))
    if found.beyond:
        return Outcome(beyond=found.beyond)
    accounts = [_account(problem.situation, group, final=final) for group in sorted(stuck)]
    if beyond := frozenset[int]().union(*(account.beyond for account in accounts)):
        return Outcome(beyond=beyond)
    unsettled = tuple(account.unsettled for account in accounts if account.unsettled is not None)
    return Outcome(_changes(problem, found.state or problem.start), unsettled)


def _best(problem: Problem, search: Search) -> tuple[list[tuple[int, ...]], Attempt]:
    """What is stuck, and the best state for all else."""
    stuck = stuck_together(problem, search)
    settled = set(problem.obliged).difference(*stuck)
    found = search.best(problem, [goal for goal in problem.obliged if goal in settled])
    if found.exhausted:
        return [*stuck, *((goal,) for goal in sorted(settled))], found
    return stuck, found


@lru_cache(maxsize=KEPT)
def _explained(part: Situation, stuck: tuple[int, ...], final: bool) -> Account:
    """Tenants with other plugins beside have the same conflict."""
    return explain(part, stuck, final=final)


def forget() -> None:
    """Decide anew from now on; whoever measures how long that takes asks for it."""
    _remembered.cache_clear()
    _explained.cache_clear()


def _account(part: Situation, stuck: tuple[int, ...], *, final: bool) -> Account:
    """The account of what is stuck, with no more of the part open than it takes."""
    could_open = {component.id for component in part.components if component.open}
    opened = set(stuck)
    while True:
        narrow = part if final else narrowed(part, opened)
        account = _explained(narrow, stuck, final)
        if final or not account.beyond or not account.beyond <= could_open:
            return replace(account, beyond=account.beyond - could_open)
        opened |= account.beyond


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
        for fault in problem.ground.faults_of(without, component)
    ][:3]
