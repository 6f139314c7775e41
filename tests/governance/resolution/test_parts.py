"""Situations taken apart into what can be decided by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Need, Relation, decide
from governance.resolution.deciding import decide_whole
from governance.resolution.parts import parts
from tests.governance.resolution.test_best import COMPONENTS, worlds
from tests.governance.resolution.worlds import HOST, VERSIONS, World, either, need, wants


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


NOWHERE = Need("needs what nobody made", frozenset(), frozenset({HOST}))


def told(installed: int, relation: Relation) -> tuple[str, ...]:
    """Why p1 can't go to 2 where p2 is at that version, and isn't asked to move."""
    world = World({1: 1, 2: installed, 3: installed, HOST: 1}, {(1, 2): (relation,)}, (wants(1, [2]),))
    (unsettled,) = decide(world.situation([1])).unsettled
    return unsettled.chain


@pytest.mark.parametrize(
    ("relation", "says"),
    [
        (NOWHERE, "p1 2 needs what nobody made, and host is installed at another version"),
        (either((2, []), (3, [])), "p1 2 needs one of them, and p2 is installed at another version and p3 "),
    ],
)
def test_of_who_merely_stands_by_no_version_is_told(relation: Relation, says: str) -> None:
    assert [link[: len(says)] for link in told(1, relation)] == [says]
    assert told(1, relation) == told(2, relation)


@given(
    worlds(),
    st.sets(st.sampled_from(COMPONENTS)),
    st.sampled_from(COMPONENTS),
    st.sampled_from(VERSIONS),
)
@settings(max_examples=400, deadline=None)
def test_equal_parts_are_told_in_equal_words(
    world: World, opened: set[int], component: int, version: int
) -> None:
    hopeless = {place: (NOWHERE, *asked) for place, asked in world.relations.items() if place[0] in opened}
    here = replace(world, relations={**world.relations, **hopeless}, complete=True)
    there = replace(here, installed={**here.installed, component: version})
    opened = opened | world.broken()
    known = {part.digest: part for part in parts(here.situation(opened))}
    for part in parts(there.situation(opened)):
        assert decide_whole(part) == decide_whole(known.get(part.digest, part))


def come_to(world: World, *, why: bool) -> tuple[object, ...]:
    """What changes and who is stuck, once all is opened that is asked for."""
    opened = world.broken()
    while (outcome := decide(replace(world.situation(opened), why=why))).beyond - opened:
        opened = opened | outcome.beyond
    return outcome.changes, [unsettled.stuck for unsettled in outcome.unsettled]


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_the_same_changes_whether_or_not_anybody_asks_why(world: World) -> None:
    assert come_to(world, why=False) == come_to(world, why=True)


def test_a_bystander_is_never_taken_for_a_release_of_another() -> None:
    asks = {(1, version): (either((2, [1]), (3, [2])),) for version in VERSIONS}
    (part,) = parts(World({1: 1, 2: 1, 3: 2}, asks, (wants(1, [2]),)).situation([1]))
    installed = {one.id: one.installed.id for one in part.components if one.installed and not one.open}
    assert installed == {2: 201, 3: 302}
