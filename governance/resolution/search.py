"""A bounded search for a state that mends every fault, least changes first.

Where something is wrong, one of the components involved has to change: the search branches over them and
over where they may go, and nothing else is touched. That is complete, so a search that ends within its bound
has either found a state with the least number of changes or shown that there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from governance.resolution.problem import Fault, Problem, State, involved
from governance.resolution.values import Clash, Release

STEPS = 40  # states looked at on one level before the level is given up
OPENED = 150  # components beyond those that must change that may be opened
# How many components may change beyond those that must, level by level; at the end as many as it takes.
LEVELS = (0, 1, 2, OPENED)


@dataclass
class Attempt:
    """What came of a search."""

    state: State | None = None
    beyond: set[int] = field(default_factory=set)  # closed components that might have helped
    exhausted: bool = False  # the bound was hit: that no state was found proves nothing


class _Exhausted(Exception):
    """The bound on steps is hit."""


def attempt(
    problem: Problem, goals: tuple[int, ...], base: State | None = None, *, final: bool = False
) -> Attempt:
    """Look for a state in which every goal has left its release and nothing is newly wrong.

    What `base` has changed already stays as it is there; by default it is what is installed. Unless `final`,
    the attempt ends where only opening further components could help.
    """
    exhausted = False
    for extra in LEVELS:
        found = _Search(problem, frozenset(goals), base or problem.start).run(extra)
        exhausted = exhausted or found.exhausted
        if found.state is not None or (found.beyond and not final):
            return replace(found, exhausted=exhausted)
    return Attempt(exhausted=exhausted)


class _Search:
    """One level of an attempt."""

    def __init__(self, problem: Problem, goals: frozenset[int], base: State) -> None:
        self.problem = problem
        self.base = dict(base)
        self.kept = frozenset(c for c, release in base.items() if release != problem.start[c])
        self.goals = tuple(c for c in problem.obliged if c in goals and c not in self.kept)
        self.result = Attempt()
        self.steps = 0

    def run(self, extra: int) -> Attempt:
        """Search with at most so many changes beyond the goals."""
        try:
            faults = self.problem.faults(self.base)
            self.result.state = self._mend(self.base, self.kept, faults, extra)
        except _Exhausted:
            self.result.exhausted = True
        if self.result.state is not None:
            self.result.state = self._trimmed(self.result.state)
            self.result.beyond = set()
        return self.result

    def _mend(
        self, state: dict[int, Release | None], settled: frozenset[int], faults: list[Fault], extra: int
    ) -> State | None:
        self.steps += 1
        if self.steps > STEPS:
            raise _Exhausted
        fault = faults[0] if faults else None
        for component, releases in self._branches(state, settled, fault, extra):
            left = extra if component in self.goals else extra - 1
            for release in releases:
                changed = settled | {component}
                after = {**state, component: release}
                left_over = self.problem.faults_after(after, component, faults, changed)
                found = self._mend(after, changed, left_over, left)
                if found is not None:
                    return found
        return state if fault is None and settled.issuperset(self.goals) else None

    def _branches(
        self, state: State, settled: frozenset[int], fault: Fault | None, extra: int
    ) -> Iterator[tuple[int, list[Release | None]]]:
        """What could be changed next: what is involved in the fault, or else the next goal."""
        targets = self.problem.targets
        if fault is None:
            waiting = next((goal for goal in self.goals if goal not in settled), None)
            if waiting is not None:
                yield waiting, list(targets.get(waiting, ()))
            return
        for component in involved(fault):
            if component in settled or component not in state or (extra == 0 and component not in self.goals):
                continue
            if component in targets:
                yield component, [to for to in targets[component] if _mends(fault, component, to)]
            elif _could_help(fault, component, state):
                self.result.beyond.add(component)

    def _trimmed(self, state: State) -> State:
        """The state without those changes that it does as well without."""
        kept = dict(state)
        for component, release in self.problem.start.items():
            if kept[component] != release and component not in self.goals and component not in self.kept:
                candidate = {**kept, component: release}
                if not self.problem.faults(candidate):
                    kept = candidate
        return kept


def _mends(fault: Fault, component: int, to: Release | None) -> bool:
    if component == fault.component:
        return True  # its own next release may not ask for this any more
    if isinstance(fault.relation, Clash):
        return to is None or to.id not in fault.relation.releases
    return to is not None and to.id in fault.relation.releases


def _could_help(fault: Fault, component: int, state: State) -> bool:
    if component == fault.component:
        return True
    if isinstance(fault.relation, Clash):
        installed = state[component]
        return installed is not None and installed.id in fault.relation.releases
    return bool(fault.relation.releases)
