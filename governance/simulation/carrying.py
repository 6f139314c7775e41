"""What the tenants would run once a supposition's plans were carried out; taken back with its savepoint."""

from __future__ import annotations

from collections.abc import Iterator

from governance.simulation import touching, weighing
from governance.simulation.judging import Judgements
from governance.simulation.standing_in import Row, stand_in
from governance.simulation.supposing import Settled, settle
from governance.simulation.weighing import Scene, Weighing


def weigh_done(scene: Scene, judgements: Judgements, since: Settled, *, of: Weighing, name: str) -> Weighing:
    """Let every tenant run what policies make of it, and weigh that; `of` is the weighing before."""
    stand_in(_rows(judgements))
    moved = [tenant for tenant, judgement in judgements.items() if judgement.actions]
    done = settle(scene, since, moved)
    # Where the tenants went may move the version that a rule wants of all, so that all have to be weighed.
    if touching.touched(since.binding, done.binding):
        return weighing.weigh(scene, name)
    return weighing.weigh_again(scene, name, of, moved)


def size_done(size: tuple[int, int], judgements: Judgements) -> tuple[int, int]:
    """How many tenants and installations there are then, by how many there were."""
    tenants, installations = size
    changes = [change for judgement in judgements.values() for change in judgement.actions]
    added = sum((change.after is not None) - (change.before is not None) for change in changes)
    return tenants, installations + added


def _rows(judgements: Judgements) -> Iterator[Row]:
    for tenant, judgement in judgements.items():
        for change in judgement.actions:
            yield tenant, change.component, change.after.id if change.after else None
