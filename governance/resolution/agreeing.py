"""Several tenants under rules that want one version everywhere; pure.

Each tenant is decided by itself once it is settled which version the rules of that kind mean. So these are
tried: what all can reach together, at the fewest changes, is the answer, and where nothing is, the sets of
rules under which nothing is are the conflicts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import product

from governance.resolution.clauses import Clauses
from governance.resolution.conflicts import EVERYTHING
from governance.resolution.deciding import settle
from governance.resolution.minimal import minimal_sets
from governance.resolution.oracle import Oracle
from governance.resolution.outcome import Change, Rule
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.situation import Situation
from governance.resolution.values import Binding


@dataclass(frozen=True)
class Sameness:
    """A rule that wants one version of a component everywhere; `choices` are the sets of equal releases."""

    rule: Rule
    component: int
    choices: tuple[frozenset[int], ...]

    def binding(self, choice: frozenset[int]) -> Binding:
        """What the rule means once the choice is made."""
        policy, key = self.rule
        return Binding(policy, key, "same", self.component, choice, exact=True, says="wants one version")


Choice = Mapping[Rule, frozenset[int]]


@dataclass(frozen=True)
class Tenants:
    """The situations of some tenants, and the rules that want the same in all of them."""

    situations: tuple[Situation, ...]
    same: tuple[Sameness, ...] = ()

    def agreement(self) -> tuple[tuple[Change, ...], ...] | None:
        """What to change in each tenant so that all rules hold, as little as can be; None if nothing does."""
        found = (self._settled(choice) for choice in self.choices())
        agreed = (changes for changes in found if changes is not None)
        return min(agreed, key=lambda changes: sum(map(len, changes)), default=None)

    def conflicts(self, rules: Sequence[Rule]) -> list[frozenset[Rule]]:
        """All minimal sets of these rules that can't hold together."""
        with ExitStack() as stack:
            judges = [stack.enter_context(_Judge(situation, self.same)) for situation in self.situations]

            def failing(places: Sequence[int]) -> Sequence[int] | None:
                some = {rules[place] for place in places}
                choices = self.choices(some)
                return None if any(all(j.holds(some, c) for j in judges) for c in choices) else places

            bound = EVERYTHING
            found = minimal_sets(len(rules), failing, most_sets=bound.sets, most_questions=bound.questions)
        return [frozenset(rules[place] for place in places) for places in found.sets]

    def choices(self, rules: Collection[Rule] | None = None) -> Iterator[Choice]:
        """Every way to settle what those of the rules that want the same mean."""
        same = [one for one in self.same if rules is None or one.rule in rules]
        for chosen in product(*(one.choices or (frozenset[int](),) for one in same)):
            yield {one.rule: choice for one, choice in zip(same, chosen, strict=True)}

    def _settled(self, choice: Choice) -> tuple[tuple[Change, ...], ...] | None:
        bindings = tuple(one.binding(choice[one.rule]) for one in self.same)
        settled: list[tuple[Change, ...]] = []
        for situation in self.situations:
            changes = settle(replace(situation, bindings=(*situation.bindings, *bindings)))
            if changes is None:
                return None
            settled.append(changes)
        return tuple(settled)


class _Judge:
    """Says of one tenant which of the rules can hold together."""

    def __init__(self, situation: Situation, same: Collection[Sameness]) -> None:
        settled = [one.binding(choice) for one in same for choice in one.choices]
        self._bindings = [*situation.bindings, *settled]
        self._same = {one.rule for one in same}
        problem = Problem.of(replace(situation, bindings=tuple(self._bindings)), self._bindings)
        self._goals = problem.obliged
        self._clauses = Clauses(problem, whole=True)
        self._oracle = Oracle(problem, Search(self._clauses, final=True))
        self._known: dict[frozenset[Binding], bool] = {}

    def holds(self, rules: Collection[Rule], choice: Choice) -> bool:
        """Whether all of these can, those that want the same as chosen."""
        some = frozenset(
            b for b in self._bindings if b.rule in rules and choice.get(b.rule, b.allowed) == b.allowed
        )
        if some not in self._known:
            self._known[some] = (
                self._oracle.failing(sorted(some, key=lambda b: b.digest), self._goals) is None
            )
        return self._known[some]

    def __enter__(self) -> _Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self._clauses.__exit__()
