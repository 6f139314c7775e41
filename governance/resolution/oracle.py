"""What some of a problem's rules allow, asked of the solver."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from governance.resolution.clauses import Exhausted
from governance.resolution.ground import State
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.values import Binding


class Beyond(Exception):
    """What is asked depends on components that aren't open."""

    def __init__(self, components: frozenset[int]) -> None:
        super().__init__(components)
        self.components = components


@dataclass
class Oracle:
    """Says whether the goals, components that break a rule, could all go if only some rules were there.

    The others move along as far as they have to, and break no rule anew. `proved` turns False once the
    solver was given up over a question: what was taken for impossible then may not be.
    """

    problem: Problem
    search: Search
    proved: bool = True

    def failing(self, bindings: Sequence[Binding], goals: Iterable[int]) -> list[Binding] | None:
        """Those of the bindings that leave the goals no way together; None if they have one.

        Raises Beyond where that depends on components that aren't open.
        """
        try:
            if not self.search.may_go(bindings, goals):
                return self.search.blamed(bindings)
            beyond = self.search.moved_beyond()
        except Exhausted:
            self.proved = False
            return list(bindings)
        if not beyond or self.search.can_go(bindings, goals):
            return None
        raise Beyond(beyond)

    def way(self, bindings: Iterable[Binding], goals: Sequence[int]) -> State | None:
        """The best state in which no goal breaks one of the bindings; None if there is none.

        Raises Beyond where that depends on components that aren't open.
        """
        found = self.search.best(self.problem.under(bindings), goals)
        if found.beyond:
            raise Beyond(found.beyond)
        return found.state
