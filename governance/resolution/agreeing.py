"""Several tenants under rules that want one version everywhere; pure.

Each tenant is decided by itself once it is settled which version the rules of that kind mean. So these are
tried: what all can reach together, at the fewest changes, is the answer, and where nothing is, the sets of
rules under which nothing is are the conflicts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
        """What to change in each tenant so that all rules hold, as little as can be; None if nothing does.

        What a choice takes by itself, it takes at least beside others: so these are tried by that, the least
        first, until none that is left could take less than the best. That holds where no release is a target
        only because a rule names it: all that is chosen from is to be offered.
        """
        alone = [
            [(self._cost({one.rule: choice}), one.rule, choice) for choice in _of(one)] for one in self.same
        ]
        possible = ([taken for taken in some if taken[0] is not None] for some in alone)
        best: tuple[tuple[Change, ...], ...] | None = None
        for chosen in sorted(product(*possible), key=_at_least):
            if best is not None and _at_least(chosen) >= _size(best):
                break
            found = self._settled({rule: choice for _, rule, choice in chosen})
            if found is not None and (best is None or _size(found) < _size(best)):
                best = found
        return best

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
        for chosen in product(*map(_of, same)):
            yield {one.rule: choice for one, choice in zip(same, chosen, strict=True)}

    def _cost(self, choice: Choice) -> int | None:
        """How much it takes if nothing but that is chosen; None if it can't be."""
        found = self._settled(choice)
        return None if found is None else _size(found)

    def _settled(self, choice: Choice) -> tuple[tuple[Change, ...], ...] | None:
        bindings = tuple(one.binding(choice[one.rule]) for one in self.same if one.rule in choice)
        settled: list[tuple[Change, ...]] = []
        for situation in self.situations:
            changes = settle(replace(situation, bindings=(*situation.bindings, *bindings)))
            if changes is None:
                return None
            settled.append(changes)
        return tuple(settled)


def _of(one: Sameness) -> Sequence[frozenset[int]]:
    """What there is to choose; of a component without any release, that nobody has it."""
    return one.choices or (frozenset(),)


def _at_least(chosen: Iterable[tuple[int | None, Rule, frozenset[int]]]) -> int:
    return max((cost or 0 for cost, _, _ in chosen), default=0)


def _size(changes: Iterable[Collection[Change]]) -> int:
    return sum(map(len, changes))


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
        self._cores: list[frozenset[Binding]] = []  # what can't hold, and so nothing that it is among

    def holds(self, rules: Collection[Rule], choice: Choice) -> bool:
        """Whether all of these can, those that want the same as chosen."""
        some = frozenset(
            b for b in self._bindings if b.rule in rules and choice.get(b.rule, b.allowed) == b.allowed
        )
        if any(core <= some for core in self._cores):
            return False
        if some not in self._known:
            core = self._oracle.failing(sorted(some, key=lambda b: b.digest), self._goals)
            self._known[some] = core is None
            if core is not None:
                self._cores.append(frozenset(core))
        return self._known[some]

    def __enter__(self) -> _Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self._clauses.__exit__()
