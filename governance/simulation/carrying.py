"""What the tenants would run once a supposition's plans were carried out; taken back with its savepoint."""

from __future__ import annotations

from collections.abc import Iterator

from governance.simulation import touching, weighing
from governance.simulation.judging import Judgements
from governance.simulation.standing_in import Row, stand_in
from governance.simulation.supposing import settle
from governance.simulation.weighing import Scene


def weigh_done(scene: Scene, judgements: Judgements, *, of: str, name: str) -> None:
    """Let every tenant run what policies make of it, and weigh that; `of` is the weighing before."""
    before = touching.binding(scene)
    stand_in(_rows(judgements))
    settle(scene)
    # Where the tenants went may move the version that a rule wants of all, so that all have to be weighed.
    if touching.touched(before, touching.binding(scene)):
        weighing.weigh(scene, name)
        return
    moved = [tenant for tenant, judgement in judgements.items() if judgement.actions]
    weighing.weigh(scene, f"{name}_there", tenant_ids=moved)
    weighing.replace(name, of, f"{name}_there", moved)


def _rows(judgements: Judgements) -> Iterator[Row]:
    for tenant, judgement in judgements.items():
        for change in judgement.actions:
            yield tenant, change.component, change.after.id if change.after else None
