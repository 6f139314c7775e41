"""What some of a problem's rules allow, asked of the solver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from governance.resolution.clauses import Exhausted
from governance.resolution.direct import best_directly, blamed_directly, some_directly
from governance.resolution.ground import State
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt, Search
from governance.resolution.values import Binding


class Beyond(Exception):
    """What is asked hangs on components that aren't open; `widely` if it may hang on more than these."""

    def __init__(self, components: frozenset[int], *, widely: bool = True) -> None:
        super().__init__(components)
        self.components = components
        self.widely = widely


@dataclass
class Oracle:
    """Says whether goals, components that break a rule, could all go if only some of the rules were there.

    The others move along as far as they have to, and break no rule anew. `settled` is the best state for all
    that isn't stuck, None where there is none. `proved` turns False once the solver was given up over a
    question: what was taken for impossible then may not be.
    """

    problem: Problem
    search: Search
    settled: State | None = None
    proved: bool = True
    # By goals, which bindings hold in each state that was found: it answers for all that asks no more.
    _known: dict[tuple[int, ...], list[frozenset[Binding]]] = field(default_factory=dict)

    def failing(self, bindings: Sequence[Binding], goals: Sequence[int]) -> list[Binding] | None:
        """Those of the bindings that leave the goals no way together; None if they have one.

        Raises Beyond.
        """
        known = self._known.setdefault(tuple(goals), [])
        if any(held.issuperset(bindings) for held in known):
            return None
        under = self.problem.under(bindings)
        owing = [goal for goal in under.obliged if goal in goals]
        # The first of the goals is what is stuck: mostly that is seen at once.
        if (blamed := blamed_directly(under, [goal for goal in goals[:1] if goal in owing])) is not None:
            return blamed
        direct = self._from_settled(bindings, goals) or some_directly(under, owing)
        if direct is None and (blamed := blamed_directly(under, owing)) is not None:
            return blamed
        if direct is not None and direct.beyond:
            self._open(direct.beyond)
        state = direct.state if direct is not None else None
        if state is None:
            if (failed := self._searched(bindings, goals)) is not None:
                return failed
            state = self.search.clauses.state()
        known.append(self._held(state, goals))
        return None

    def _searched(self, bindings: Sequence[Binding], goals: Sequence[int]) -> list[Binding] | None:
        """The same by the solver, whose last answer has the way."""
        try:
            if not self.search.may_go(bindings, goals):
                return self.search.blamed(bindings)
        except Exhausted:
            self.proved = False
            return list(bindings)
        beyond = self.search.moved_beyond()
        if beyond and not self.search.can_go(bindings, goals):
            raise Beyond(beyond)
        return None

    def way(self, bindings: Iterable[Binding], goals: Sequence[int]) -> State | None:
        """The best state in which no goal breaks one of the bindings; None if there is none.

        Raises Beyond.
        """
        under = self.problem.under(bindings)
        direct = best_directly(under, [goal for goal in under.obliged if goal in goals])
        if direct is not None and direct.beyond:
            self._open(direct.beyond)
        found = direct if direct is not None and direct.state is not None else self.search.best(under, goals)
        if found.beyond:
            raise Beyond(found.beyond)
        return found.state

    def _from_settled(self, bindings: Sequence[Binding], goals: Sequence[int]) -> Attempt | None:
        """A state in which the goals go, few steps from the settled one; None where none is seen there.

        What is not wrong there, nor broken, is neither from where all began.
        """
        if self._ahead is None:
            return None
        under = self._ahead.under(bindings)
        found = some_directly(under, [goal for goal in under.obliged if goal in goals])
        return found if found is not None and found.state is not None else None

    @cached_property
    def _ahead(self) -> Problem | None:
        """The same with the settled state installed."""
        if self.settled is None:
            return None
        situation, state = self.problem.situation, self.settled
        components = (
            one if state[one.id] is one.installed else replace(one, installed=state[one.id])
            for one in situation.components
        )
        return Problem.of(replace(situation, components=tuple(components)), self.problem.bindings)

    def _open(self, components: frozenset[int]) -> None:
        """Ask for these, without which there is no way as good, unless it is to be answered without them."""
        if not self.search.final:
            raise Beyond(components, widely=False)

    def _held(self, state: State, goals: Sequence[int]) -> frozenset[Binding]:
        """The bindings that hold in a state: what stays and is no goal breaks none anew."""
        start = self.problem.start
        return frozenset(
            binding
            for binding in self.problem.bindings
            if binding.allows(state[binding.component])
            or (state[binding.component] == start[binding.component] and not self._is_owed(binding, goals))
        )

    def _is_owed(self, binding: Binding, goals: Sequence[int]) -> bool:
        return binding.wanted and binding.component in goals
