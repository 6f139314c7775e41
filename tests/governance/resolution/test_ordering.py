"""In which order changes are made."""

from __future__ import annotations

from governance.resolution import in_order
from tests.governance.resolution.worlds import HOST, World, need, wants


def order(world: World) -> list[int]:
    return [change.component for change in in_order(world.situation(), world.decide().changes)]


def test_what_is_needed_goes_before_what_needs_it() -> None:
    world = World({1: 1, 2: 1}, {(1, 2): (need(2, [2]),)}, (wants(1, [2]),))
    assert order(world) == [2, 1]


def test_the_host_goes_first_where_new_releases_need_it() -> None:
    world = World({1: 1, HOST: 1}, {(1, 2): (need(HOST, [2]),)}, (wants(1, [2]),))
    assert order(world) == [HOST, 1]


def test_the_host_goes_last_where_only_the_new_release_bears_it() -> None:
    relations = {(1, 1): (need(HOST, [1]),), (1, 2): (need(HOST, [1, 2]),)}
    world = World({1: 1, HOST: 1}, relations, (wants(HOST, [2]),))
    assert order(world) == [1, HOST]


def test_changes_that_only_hold_together_go_in_the_order_of_need() -> None:
    relations = {(2, 1): (need(1, [1]),), (2, 2): (need(1, [2]),), (1, 2): ()}
    world = World({1: 1, 2: 1}, relations, (wants(1, [2]),))
    assert order(world) == [1, 2]


def test_other_changes_of_the_same_parts_have_an_order_of_their_own() -> None:
    world = World({1: 1, 2: 1}, {(1, 2): (need(2, [2]),)}, (wants(1, [2]),))
    situation, changes = world.situation(), world.decide().changes
    for some in (changes, changes[:1], changes, changes[1:]):
        fresh = in_order(world.situation(), some)
        assert in_order(situation, some) == fresh
        assert sorted(one.component for one in fresh) == sorted(one.component for one in some)
