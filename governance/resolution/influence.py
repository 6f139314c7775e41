"""Who can't stay where another goes: what asks something of whom, as things are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import and_

from governance.resolution.candidates import Asked
from governance.resolution.ground import Ground
from governance.resolution.releases import Relation

Leaving = tuple[int, Relation]  # who can't stay, by what


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
                for watcher, asked in self._minding(component)
                for relation, giving in asked
                if giving is not None and not places & giving and self._stands(relation)
            ]
        return known

    def jointly(self, component: int) -> Sequence[Leaving]:
        """Who asks something that an open component gives together with others."""
        known = self._jointly.get(component)
        if known is None:
            known = self._jointly[component] = [
                (watcher, relation)
                for watcher, asked in self._minding(component)
                for relation, giving in asked
                if giving is None and self._stands(relation)
            ]
        return known

    def given(self, component: int, moving: frozenset[int]) -> int:
        """The places of an open component that give what those ask of it alone who aren't moving."""
        return reduce(
            and_,
            (
                giving
                for watcher, asked in self._minding(component)
                if watcher not in moving
                for relation, giving in asked
                if giving is not None and self._stands(relation)
            ),
            -1,
        )

    def asked_to_move(self, mover: int, places: int) -> Sequence[int]:
        """Whom every one of these places of an open component denies to stay."""
        known = self._asked_to_move.get(key := (mover, places))
        if known is None:
            mine = self.ground.situation.component(mover).candidates
            # Being gone asks nothing.
            relations = () if places & mine.gone else next(mine.among(places)).relations
            asked = dict.fromkeys(c for relation in relations for c in relation.components)
            known = self._asked_to_move[key] = [c for c in asked if not places & ~self.denied(mover, c)]
        return known

    def denied(self, mover: int, component: int) -> int:
        """The mover's places that ask something of the component that it denies them where it is."""
        situation = self.ground.situation
        if situation.find(component) is None:
            return 0
        here = self.ground.start[component]
        release_id = here.id if here is not None else None
        mine = situation.component(mover).candidates
        return mine.denied(component, release_id, complete=situation.complete)

    def _minding(self, component: int) -> Sequence[tuple[int, Asked]]:
        """Who of what is installed asks something of an open component, and what."""
        known = self._minders.get(component)
        if known is None:
            situation = self.ground.situation
            candidates = situation.component(component).candidates
            known = self._minders[component] = [
                (watcher, candidates.asked_by(release, component, complete=situation.complete))
                for watcher, release in self.ground.watching.get(component, ())
            ]
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
    def _jointly(self) -> dict[int, Sequence[Leaving]]:
        return {}

    @cached_property
    def _asked_to_move(self) -> dict[tuple[int, int], Sequence[int]]:
        return {}

    @cached_property
    def _minders(self) -> dict[int, Sequence[tuple[int, Asked]]]:
        return {}

    def _stands(self, relation: Relation) -> bool:
        """Whether it is to go on: not what doesn't hold anyway."""
        return self.ground.situation.strict or self.ground.stands(relation)
