"""Who must move, found by intersecting alone."""

from __future__ import annotations

from governance.resolution.forced import hopeless_of
from governance.resolution.problem import Problem
from tests.governance.resolution.worlds import World, holds, need, wants


def test_what_all_places_of_one_ask_for_bounds_where_the_other_may_go() -> None:
    """p2 could stay low, which asks nothing of p3; but wherever p1 goes, it asks for a high p2."""
    world = World(
        installed={1: 1, 2: 2, 3: 1},
        relations={
            (1, 3): (need(2, [3], "needs p2"),),
            (2, 3): (need(3, [2], "needs p3"),),
        },
        bindings=(wants(1, [3]), holds(3, 1)),
    )
    situation = world.situation()
    assert hopeless_of(Problem.of(situation)) == (1,)
