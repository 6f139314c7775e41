"""Who moves along wherever a component goes, held to every state in which it moves."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from governance.resolution import Outcome, decide
from governance.resolution.company import Company
from tests.governance.resolution.test_best import worlds
from tests.governance.resolution.worlds import HOST, World, absent, clash, need, release_id, wants


def along(world: World, goal: int) -> frozenset[int]:
    """Those that go along with one, by all that binds it."""
    bound = (binding for binding in world.bindings if binding.component == goal)
    company = Company(world.component(goal, is_open=True), bound, complete=world.complete)
    there = {c: world.installed_release(c) for c in world.installed}
    installed = {c: release.id for c, release in there.items() if release is not None}
    asking = {one.id: one for one in there.values() if one is not None and goal in one.about}
    return company.of(installed, frozenset(asking), asking.__getitem__)


def test_who_asks_for_what_is_left_goes_along() -> None:
    world = World({1: 1, 2: 1}, {(2, 1): (need(1, [1]),)}, (wants(1, [2, 3]),))
    assert along(world, 1) == {2}


def test_who_lacks_what_every_place_asks_goes_along() -> None:
    relations = {(1, 2): (need(2, [2]),), (1, 3): (need(2, [3]), clash(3, [1]))}
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2, 3]),))
    assert along(world, 1) == {2}


def test_one_place_that_suits_all_is_enough_for_all_to_stay() -> None:
    world = World({1: 1, 2: 1}, {(1, 3): (need(2, [3]),)}, (wants(1, [2, 3]),))
    assert along(world, 1) == frozenset()


def test_what_is_missing_and_needed_everywhere_comes_along() -> None:
    world = World({1: 1, 2: None}, {(1, 2): (need(2, [1]),)}, (wants(1, [2]),))
    assert along(world, 1) == {2}
    assert along(replace(world, complete=False), 1) == frozenset()


def test_a_wrong_that_is_there_already_makes_nobody_move() -> None:
    world = World({1: 1, 2: 1}, {(2, 1): (need(1, [3]),)}, (wants(1, [2]),))
    assert along(world, 1) == frozenset()


def test_nobody_goes_along_with_one_that_has_nowhere_to_go() -> None:
    world = World({1: 1, 2: 1}, {(2, 1): (need(1, [1]),)}, (wants(1, [2]), wants(1, [3], "other")))
    assert along(world, 1) == frozenset()


def test_who_needs_what_is_to_be_gone_goes_along() -> None:
    world = World({1: 1, 2: 1, HOST: 1}, {(2, 1): (need(1, [1, 2, 3]),)}, (absent(1),))
    assert along(world, 1) == {2}


def test_answers_depend_on_what_is_installed_each_time() -> None:
    relations = {(1, 2): (need(2, [2]),)}
    world = World({1: 1, 2: 1}, relations, (wants(1, [2]),))
    company = Company(world.component(1, is_open=True), world.bindings, complete=True)
    nobody = frozenset[int]()
    found = [company.of({2: release_id(2, v)}, nobody, lambda _: world.release(2, 1)) for v in (1, 2, 1)]
    assert found == [{2}, nobody, {2}]


def test_who_asks_for_it_is_looked_at_each_time() -> None:
    world = World({1: 1, 2: 1}, {(2, 1): (need(1, [1]),)}, (wants(1, [2]),))
    company = Company(world.component(1, is_open=True), world.bindings, complete=True)
    asker, installed = world.release(2, 1), {2: release_id(2, 1)}
    found = [company.of(installed, frozenset(some), lambda _: asker) for some in ([], [asker.id], [])]
    assert found == [frozenset(), {2}, frozenset()]


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_with_those_along_opened_the_same_changes_and_the_same_is_stuck_by_the_same_rules(
    world: World,
) -> None:
    opened = latest = world.broken()
    while latest:
        latest = set[int]().union(*(along(world, one) for one in latest)) - opened
        opened = opened | latest
    while (outcome := decide(world.situation(opened))).beyond:
        opened |= outcome.beyond
    asked = world.decide()
    assert outcome.changes == asked.changes
    assert told(outcome) == told(asked)


def told(outcome: Outcome) -> list[tuple[object, ...]]:
    """What is stuck, by which rules, and what could be done."""
    return [
        (one.stuck, {some.rules for some in one.sets}, one.complete, one.ways_out)
        for one in outcome.unsettled
    ]


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_whoever_goes_along_has_moved_in_every_state_in_which_the_goal_has(world: World) -> None:
    for goal in sorted(world.broken()):
        bound = tuple(binding for binding in world.bindings if binding.component == goal)
        company = along(world, goal)
        for state in replace(world, bindings=bound).solutions():
            assert all(state[one] != world.installed_release(one) for one in company)
