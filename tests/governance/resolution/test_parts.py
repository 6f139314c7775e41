"""Situations taken apart into what can be decided by itself."""

from __future__ import annotations

from hypothesis import given, settings

from governance.resolution import decide
from governance.resolution.deciding import decide_whole
from governance.resolution.parts import parts
from tests.governance.resolution.test_best import worlds
from tests.governance.resolution.worlds import World, either, need, wants


def opened(world: World) -> list[list[int]]:
    """The open components of each part."""
    return [[c.id for c in part.components if c.open] for part in parts(world.situation())]


def test_components_that_ask_nothing_of_each_other_are_decided_by_themselves() -> None:
    assert opened(World({1: 1, 2: 1})) == [[1], [2]]


def test_components_belong_together_as_soon_as_one_release_asks_something_of_the_other() -> None:
    assert opened(World({1: 1, 2: 1, 3: 1}, {(3, 2): (need(1, [1]),)})) == [[1, 3], [2]]


def test_those_that_could_meet_one_demand_of_a_closed_component_belong_together() -> None:
    world = World({1: 1, 2: 1, 3: 1}, {(3, 1): (either((1, [1]), (2, [1])),)})
    situation = world.situation([1, 2])
    assert [[c.id for c in part.components] for part in parts(situation)] == [[1, 2, 3]]


def test_a_part_keeps_only_the_rules_that_bind_it() -> None:
    rules = (wants(1, [2]), wants(2, [2], "other"))
    assert [
        [b.policy for b in part.bindings] for part in parts(World({1: 1, 2: 1}, bindings=rules).situation())
    ] == [
        ["policy"],
        ["other"],
    ]


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_the_parts_come_to_what_the_whole_comes_to(world: World) -> None:
    situation = world.situation()
    assert decide(situation) == decide_whole(situation)
