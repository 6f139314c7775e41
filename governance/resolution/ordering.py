"""In which order changes are made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from governance.resolution.ground import Fault, Ground
from governance.resolution.outcome import Change
from governance.resolution.releases import Clash
from governance.resolution.situation import Situation


def in_order(situation: Situation, changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes so that as far as possible every state on the way is sound, dependencies first.

    Where no next change keeps the state sound, the one goes next that waits for the fewest others: what is
    needed before what needs it, and of those that need each other the host first.
    """
    by_component = {change.component: change for change in changes}
    goals = tuple(sorted((c, one.after.id if one.after else None) for c, one in by_component.items()))
    order = situation.orders.get(goals)
    if order is None:
        ordered = _ordered(situation, by_component.values())
        order = situation.orders[goals] = tuple(one.component for one in ordered)
    return tuple(by_component[component] for component in order)


def _ordered(situation: Situation, changes: Iterable[Change]) -> tuple[Change, ...]:
    waiting = sorted(changes, key=lambda change: (not _is_host(situation, change), change.component))
    on_the_way = _OnTheWay(Ground(situation))
    while waiting:
        change = on_the_way.sound(waiting) or min(waiting, key=lambda one: len(_awaited(one, waiting)))
        waiting.remove(change)
        on_the_way = on_the_way.after(change)
    return on_the_way.made


@dataclass(frozen=True)
class _OnTheWay:
    """How far the changes have come, and what is wrong there that wasn't from the start."""

    ground: Ground
    made: tuple[Change, ...] = ()
    faults: Sequence[Fault] = ()

    def sound(self, waiting: Iterable[Change]) -> Change | None:
        """The first of the changes with which nothing more is wrong."""
        return next((one for one in waiting if self.after(one).wrong <= self.wrong), None)

    def after(self, change: Change) -> _OnTheWay:
        """One change further."""
        made = (*self.made, change)
        state = {**self.ground.start, **{one.component: one.after for one in made}}
        changed = [one.component for one in made]
        faults = self.ground.faults_after(state, change.component, self.faults, changed)
        return _OnTheWay(self.ground, made, faults)

    @cached_property
    def wrong(self) -> set[tuple[int, str]]:
        """What is wrong, told apart by release and relation."""
        return {(fault.release.id, fault.relation.digest) for fault in self.faults}


def _awaited(change: Change, waiting: list[Change]) -> list[Change]:
    """The changes whose new releases the change's own needs."""
    if change.after is None:
        return []
    needed = [relation for relation in change.after.relations if not isinstance(relation, Clash)]
    return [
        other
        for other in waiting
        if other.after is not None and any(other.after.id in relation.releases for relation in needed)
    ]


def _is_host(situation: Situation, change: Change) -> bool:
    return situation.component(change.component).host
