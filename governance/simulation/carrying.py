"""What the tenants would run once a supposition's plans were carried out; taken back with its savepoint."""

from __future__ import annotations

from collections.abc import Iterator

from governance.simulation import touching, weighing
from governance.simulation.judging import Judgements
from governance.simulation.standing_in import Row, stand_in
from governance.simulation.supposing import Settled, settle
from governance.simulation.weighing import Scene


def weigh_done(scene: Scene, judgements: Judgements, since: Settled, *, of: str, name: str) -> None:
    """Let every tenant run what policies make of it, and weigh that; `of` is the weighing before."""
    stand_in(_rows(judgements))
    moved = [tenant for tenant, judgement in judgements.items() if judgement.actions]
    done = settle(scene, since, moved)
    # Where the tenants went may move the version that a rule wants of all, so that all have to be weighed.
    if touching.touched(since.binding, done.binding):
        weighing.weigh(scene, name)
        return
    weighing.weigh_again(scene, name, of, moved)


def _rows(judgements: Judgements) -> Iterator[Row]:
    for tenant, judgement in judgements.items():
        for change in judgement.actions:
            yield tenant, change.component, change.after.id if change.after else None
