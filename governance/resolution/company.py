"""Who moves along wherever a component goes, as far as that is seen from this component alone.

A decision would find the same and ask for these to be opened, once a situation was put together for it. Here
it is worked out once for all tenants that have the component so, under the same rules.

Where goals can't go together it may be more than a decision would have asked for. What changes, what is stuck
and by which rules is the same then; but where the others are may be told otherwise, so that it may be another
conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from operator import or_

from governance.resolution.ground import holds
from governance.resolution.problem import Problem
from governance.resolution.releases import Relation, Release
from governance.resolution.remembering import remembered
from governance.resolution.situation import Situation
from governance.resolution.values import Binding, Component

_KEPT = 60  # answers of one company; there are thousands of these
_NOBODY = frozenset[int]()


class Company:
    """Of an open component that moves under these bindings: who can't stay where it is, wherever it goes.

    They are some of those that `must_move` finds: what several ask together isn't looked at, nor that its
    places may be fewer by what others do.
    """

    def __init__(self, component: Component, bindings: Iterable[Binding], *, complete: bool) -> None:
        self._component = component
        self._candidates = component.candidates
        self._complete = complete
        problem = Problem.of(Situation((component,), tuple(bindings), complete=complete))
        vain = self._candidates.vain(complete=complete)
        self._places = problem.reach(component.id) & ~vain  # in bits of its candidates
        self._asked = tuple(self._asked_everywhere()) if self._places else ()
        self._denies: dict[tuple[int, int | None], bool] = {}
        self._drops: dict[int, bool] = {}
        self._known: dict[tuple[object, ...], frozenset[int]] = {}

    def of(
        self, installed: Mapping[int, int], askers: frozenset[int], release: Callable[[int], Release]
    ) -> frozenset[int]:
        """Those of a tenant's other components, by what is installed there.

        `askers` are the installed releases that ask something of this component, which `release` gives by
        their ids. Where it has nowhere to go, it takes nobody along.
        """
        if not self._places:
            return _NOBODY
        key = askers, *map(installed.get, self._asked)
        return remembered(self._known, key, lambda _: self._found(installed, askers, release), kept=_KEPT)

    def _found(
        self, installed: Mapping[int, int], askers: frozenset[int], release: Callable[[int], Release]
    ) -> frozenset[int]:
        found = {other for other in self._asked if self._denied(other, installed.get(other))}
        found.update(one.component for one in map(release, askers) if self._dropped(one))
        found.discard(self._component.id)
        return frozenset(found) if found else _NOBODY

    def _asked_everywhere(self) -> Iterator[int]:
        """Of whom each of the places asks something; no other is denied by all."""
        for other, asked in self._candidates.asks.items():
            if not self._places & ~reduce(or_, (askers for _, askers in asked)):
                yield other

    def _denied(self, other: int, release: int | None) -> bool:
        """Whether every place asks what the other, where it is, doesn't give."""
        known = self._denies.get(key := (other, release))
        if known is None:
            denied = self._candidates.denied(other, release, complete=self._complete)
            known = self._denies[key] = not self._places & ~denied
        return known

    def _dropped(self, asker: Release) -> bool:
        """Whether what is installed asks something, and is given it now, that none of the places gives."""
        known = self._drops.get(asker.id)
        if known is None:
            asked = self._candidates.asked_by(asker, self._component.id, complete=self._complete)
            known = self._drops[asker.id] = any(
                giving is not None and not self._places & giving and self._stands(relation)
                for relation, giving in asked
            )
        return known

    def _stands(self, relation: Relation) -> bool:
        state = {self._component.id: self._component.installed}
        return holds(relation, state, complete=self._complete)
