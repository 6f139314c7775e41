"""Where something must move along, but not the same in each way on: the way on in which the fewest do."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import branching, conflicts, deciding
from governance.resolution.branching import best_by_branches
from governance.resolution.direct import best_directly, some_directly
from governance.resolution.problem import Problem
from governance.resolution.releases import Prefer, Relation
from governance.resolution.search import Attempt
from tests.governance.resolution.test_direct import problem_of
from tests.governance.resolution.worlds import VERSIONS, World, clash, need, wants

# p1 may go to 2, beside which p2 and p3 have to move, or to 3, beside which p4 has to.
TWO_OR_ONE = World(
    installed={1: 1, 2: 1, 3: 1, 4: 1},
    relations={(1, 2): (need(2, [2]), need(3, [2])), (1, 3): (need(4, [2]),)},
    bindings=(wants(1, [2, 3]),),
)


def a_world(seed: int) -> World:
    """One in which the places of p1, and of whoever has to follow, ask for others than what is installed."""
    chance = Random(seed)
    others = range(2, 7)
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (1, version): tuple(need(c, [2, 3]) for c in chance.sample(others, number))
        for version, number in zip((2, 3), chance.sample((1, 2, 3), 2), strict=True)
    }
    for component in others:
        for version in VERSIONS[1:]:
            follow = [c for c in others if c != component]
            asked = chance.sample(follow, chance.choice([0, 0, 1]))
            asking = need if chance.random() < 0.7 else clash
            relations[component, version] = tuple(asking(c, [chance.choice(VERSIONS)]) for c in asked)
    goal = (wants(1, [2, 3], prefer=chance.choice(list(Prefer))),)
    return World(dict.fromkeys(range(1, 7), 1), relations, goal)


def worlds() -> st.SearchStrategy[World]:
    return st.integers(0, 2**32).map(a_world)


def versions(found: Attempt | None) -> dict[int, str]:
    assert found is not None
    assert found.state is not None
    return {component: release.version for component, release in found.state.items() if release}


def test_the_way_on_is_taken_beside_which_fewer_move() -> None:
    assert versions(best_directly(problem_of(TWO_OR_ONE), [1])) == {1: "3", 2: "1", 3: "1", 4: "2"}


def test_where_two_ways_on_take_as_few_it_is_left_to_the_search() -> None:
    relations = {(1, 2): (need(2, [2]),), (1, 3): (need(3, [2]),)}
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2, 3]),))
    assert best_directly(problem_of(world), [1]) is None


def test_a_way_on_that_leads_nowhere_is_none() -> None:
    relations = {(1, 2): (need(2, []), need(3, [2])), (1, 3): (need(3, [2]), need(4, [2]))}
    world = World({1: 1, 2: 1, 3: 1, 4: 1}, relations, (wants(1, [2, 3]),))
    assert versions(best_directly(problem_of(world), [1])) == {1: "3", 2: "1", 3: "2", 4: "2"}


def test_what_the_shortest_way_on_needs_is_opened_unless_only_what_moves_anyway_is_asked_for() -> None:
    problem = problem_of(TWO_OR_ONE, opened=[1])
    assert best_directly(problem, [1]) == Attempt(beyond=frozenset({4}))
    assert some_directly(problem, [1]) is None


def test_of_two_ways_on_in_which_as_few_move_the_one_is_asked_for_that_opens_less() -> None:
    relations = {(1, 2): (need(2, [2]), need(3, [2])), (1, 3): (need(4, [2]), need(5, [2]))}
    world = World(dict.fromkeys(range(1, 6), 1), relations, (wants(1, [2, 3]),))
    assert best_directly(problem_of(world, opened=[1, 4]), [1]) == Attempt(beyond=frozenset({5}))


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_what_is_found_by_branches_is_what_the_search_finds(world: World) -> None:
    problem = problem_of(world)
    found = by_branches(problem)
    if found is not None:
        assert not found.beyond, "all is open"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conflicts, "hopeless_of", lambda _problem: ())
            stuck, attempt = deciding._searched(problem, final=False)
        assert stuck == []
        assert found.state == attempt.state


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_a_tenant_is_decided_alike_whether_branches_are_looked_at_or_not(world: World) -> None:
    decided = world.decide()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(branching, "BRANCHES", 0)
        searched = world.decide()
    assert decided.changes == searched.changes
    assert [one.fingerprint for one in decided.unsettled] == [one.fingerprint for one in searched.unsettled]


def test_branches_settle_what_placing_alone_does_not() -> None:
    problems = [problem_of(a_world(seed)) for seed in range(200)]
    unsettled = [one for one in problems if some_directly(one, one.obliged) is None]
    assert sum(by_branches(problem) is not None for problem in unsettled) > 40


def by_branches(problem: Problem) -> Attempt | None:
    return best_by_branches(problem, problem.obliged)
