"""In which order changes are made."""

from __future__ import annotations

from collections.abc import Iterable

from governance.resolution.ground import Ground
from governance.resolution.outcome import Change
from governance.resolution.releases import Clash, Release
from governance.resolution.situation import Situation


def in_order(situation: Situation, changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes so that as far as possible every state on the way is sound, dependencies first.

    Where no next change keeps the state sound, the one goes next that waits for the fewest others: what is
    needed before what needs it, and of those that need each other the host first.
    """
    ground = Ground(situation)
    waiting = sorted(changes, key=lambda change: (not _is_host(situation, change), change.component))
    state: dict[int, Release | None] = dict(ground.start)
    ordered: list[Change] = []
    while waiting:
        change = _next(ground, state, waiting)
        waiting.remove(change)
        state[change.component] = change.after
        ordered.append(change)
    return tuple(ordered)


def _next(ground: Ground, state: dict[int, Release | None], waiting: list[Change]) -> Change:
    before = _faults(ground, state)
    for change in waiting:
        if _faults(ground, {**state, change.component: change.after}) <= before:
            return change
    return min(waiting, key=lambda change: len(_awaited(change, waiting)))


def _faults(ground: Ground, state: dict[int, Release | None]) -> set[tuple[int, str]]:
    return {(fault.release.id, fault.relation.digest) for fault in ground.faults(state)}


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
