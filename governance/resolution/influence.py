"""Who can't stay where another goes: what asks something of whom, as things are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_, or_
from typing import NamedTuple

from governance.resolution.ground import Ground
from governance.resolution.releases import Relation

Leaving = tuple[int, Relation]  # who can't stay, by what


class _Minders(NamedTuple):
    """Who of what is installed asks something of a component that is given.

    Those who ask it of this one `alone` are with the places that give it; the others ask it `jointly`.
    """

    alone: list[tuple[int, Relation, int]]
    jointly: list[Leaving]


@dataclass(frozen=True)
class Influence:
    """What moves of open components do to what is installed, and the other way round.

    What a search asks over and over is worked out once.
    """

    ground: Ground

    def asking(self, component: int) -> Sequence[int]:
        """The open components of which some release asks something of this one."""
        return self._asking.get(component, ())

    def asked(self, component: int) -> Sequence[int]:
        """The open components of which some release of this open one asks something."""
        return self._asked[component]

    def leaving(self, component: int, places: int) -> Sequence[Leaving]:
        """Who can't stay where an open component is in one of these places, by what is asked of it alone."""
        known = self._leaving.get(key := (component, places))
        if known is None:
            known = self._leaving[key] = [
                (watcher, relation)
                for watcher, relation, giving in self._minders_of(component).alone
                if not places & giving
            ]
        return known

    def jointly(self, component: int) -> Sequence[Leaving]:
        """Who asks something that an open component gives together with others."""
        return self._minders_of(component).jointly

    def given(self, component: int, moving: frozenset[int]) -> int:
        """The places of an open component that give what those ask of it alone who aren't moving."""
        alone = self._minders_of(component).alone
        return reduce(and_, (giving for watcher, _, giving in alone if watcher not in moving), -1)

    def asked_to_move(self, mover: int, places: int) -> list[int]:
        """Whom every one of these places of an open component denies to stay."""
        return [component for component, denied in self._denying(mover) if not places & ~denied]

    def denied(self, mover: int, moving: Collection[int]) -> int:
        """The mover's places that ask something of those not moving that these don't give."""
        return reduce(
            or_, (denied for component, denied in self._denying(mover) if component not in moving), 0
        )

    def _denying(self, mover: int) -> Sequence[tuple[int, int]]:
        """Whom some of the places of an open component deny to stay, with these places."""
        known = self._deniers.get(mover)
        if known is None:
            situation, start = self.ground.situation, self.ground.start
            candidates, complete = situation.component(mover).candidates, situation.complete
            there = ((c, start[c]) for c in candidates.asks if c in start)
            denied = (
                (c, candidates.denied(c, here.id if here is not None else None, complete=complete))
                for c, here in there
            )
            known = self._deniers[mover] = [one for one in denied if one[1]]
        return known

    def _minders_of(self, component: int) -> _Minders:
        known = self._minders.get(component)
        if known is None:
            known = self._minders[component] = _Minders([], [])
            situation, here = self.ground.situation, self._here(component)
            candidates = situation.component(component).candidates
            for watcher, release in self.ground.watching.get(component, ()):
                for relation, giving in candidates.asked_by(release, component, complete=situation.complete):
                    if giving is None:
                        if self._stands(relation):
                            known.jointly.append((watcher, relation))
                    elif self._stands(relation) if here is None else giving & here:
                        known.alone.append((watcher, relation, giving))
        return known

    @cached_property
    def _asking(self) -> Mapping[int, Sequence[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        for component, others in self._asked.items():
            for other in others:
                found[other].append(component)
        return found

    @cached_property
    def _asked(self) -> Mapping[int, Sequence[int]]:
        opened = {one.id: one for one in self.ground.situation.components if one.open}
        return {c: [*(one.candidates.asks.keys() & opened.keys())] for c, one in opened.items()}

    @cached_property
    def _leaving(self) -> dict[tuple[int, int], Sequence[Leaving]]:
        return {}

    @cached_property
    def _deniers(self) -> dict[int, Sequence[tuple[int, int]]]:
        return {}

    @cached_property
    def _minders(self) -> dict[int, _Minders]:
        return {}

    def _here(self, component: int) -> int | None:
        """Where an open component is, in bits of its candidates; None where that doesn't say what stands.

        What is asked of it alone stands if this gives it, but all is to stand with `strict`.
        """
        if self.ground.situation.strict:
            return None
        here = self.ground.start[component]
        bits = self.ground.situation.component(component).candidates.bits
        return bits.get(here.id if here is not None else None)

    def _stands(self, relation: Relation) -> bool:
        """Whether it is to go on: not what doesn't hold anyway."""
        return self.ground.situation.strict or self.ground.stands(relation)
