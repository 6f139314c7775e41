"""What intersecting settles is what the search would have come to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from governance.resolution import Relation, conflicts, deciding
from governance.resolution.clauses import Clauses
from governance.resolution.direct import best_directly, blamed_directly, directly, some_directly
from governance.resolution.placing import Placing
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt, Search
from tests.governance.resolution.test_best import a_world, worlds
from tests.governance.resolution.worlds import World, absent, clash, either, holds, need, wants


def problem_of(world: World, *, opened: list[int] | None = None) -> Problem:
    situation = world.situation(opened) if opened is not None else world.situation()
    return Problem.of(situation)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_what_is_settled_without_the_search_is_what_it_finds(world: World) -> None:
    problem = problem_of(world)
    found = directly(problem, final=False)
    if found is not None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(conflicts, "hopeless_of", lambda _problem: ())
            stuck, attempt = deciding._searched(problem, final=False)
        assert sorted(found[0]) == sorted(stuck)
        assert found[1].state == attempt.state


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_what_has_to_be_opened_moves_in_every_state_that_the_search_finds(world: World) -> None:
    obliged = problem_of(world).obliged
    problem = problem_of(world, opened=list(obliged))
    attempt = some_directly(problem, obliged)
    if attempt is not None and attempt.beyond:
        with Clauses(problem) as clauses:
            search = Search(clauses, final=False)
            for closed in attempt.beyond:
                assert not clauses.solve(
                    [*clauses.given(problem.bindings, obliged), -clauses.moves[closed]]
                ), "without it there is no way"
            assert not search.can_go(problem.bindings, obliged)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_any_state_that_is_seen_breaks_nothing_and_takes_no_more_changes_than_the_best(world: World) -> None:
    problem = problem_of(world)
    some, best = some_directly(problem, problem.obliged), best_directly(problem, problem.obliged)
    if some is None or some.state is None:
        return
    assert not problem.ground.faults(some.state)
    moved = {c for c, to in some.state.items() if to is not problem.start[c]}
    assert moved.issuperset(problem.obliged)
    assert all(b.allows(some.state[b.component]) for b in problem.bindings if b.component in moved)
    assert best is not None
    assert best.state is not None
    assert moved == {c for c, to in best.state.items() if to is not problem.start[c]}


def test_who_asks_for_the_newest_that_another_lost_goes_with_an_older_one() -> None:
    """1 goes back to 1, which 2 at 3 doesn't bear, nor 3 at 3 the 2 that is left: all go back."""
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (2, 3): (need(1, [3]),),
        (3, 3): (need(2, [3]),),
        (2, 2): (either((1, [2]), (4, [2])),),
        (3, 2): (need(2, [2, 3]),),
    }
    world = World({1: 3, 2: 3, 3: 3, 4: 1}, relations, (wants(1, [1]),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Placing, "first", lambda _placing: None)
        attempt = some_directly(problem_of(world), [1])
    assert attempt is not None
    assert attempt.state is not None
    assert {c: to and to.version for c, to in attempt.state.items()} == {1: "1", 2: "1", 3: "1", 4: "1"}


def test_where_the_newest_dont_go_together_others_may() -> None:
    """2 and 3 mustn't be at the same: each gives way to the other at once."""
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (1, 2): (need(2, [2, 3]), need(3, [2, 3])),
        (2, 3): (clash(3, [3]),),
        (3, 3): (clash(2, [3]),),
        (2, 2): (clash(3, [2]),),
        (3, 2): (clash(2, [2]),),
    }
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2]),))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Placing, "first", lambda _placing: None)
        assert some_directly(problem_of(world), [1]) is None
    attempt = some_directly(problem_of(world), [1])
    assert attempt is not None
    assert attempt.state is not None
    assert {to.version for c, to in attempt.state.items() if c != 1 and to is not None} == {"2", "3"}


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_what_is_blamed_leaves_no_way_by_itself(world: World) -> None:
    problem = problem_of(world)
    blamed = blamed_directly(problem, problem.obliged)
    if blamed is not None:
        with Clauses(problem, whole=True) as clauses:
            assert not Search(clauses, final=True).may_go(blamed, problem.obliged)


def test_the_search_is_seldom_needed() -> None:
    problems = [problem_of(a_world(seed)) for seed in range(300)]
    settled = sum(directly(problem, final=False) is not None for problem in problems)
    assert settled > 240


def test_who_asks_what_the_host_no_longer_gives_moves_with_it() -> None:
    world = World({1: 1, 9: 1}, {(1, 1): (need(9, [1]),), (1, 2): (need(9, [2]),)}, (wants(9, [2]),))
    found = directly(problem_of(world), final=False)
    assert found is not None
    state = found[1].state
    assert state is not None
    assert {c: release.version for c, release in state.items() if release} == {1: "2", 9: "2"}


def test_where_either_of_two_would_do_it_is_left_to_the_search() -> None:
    relations = {(1, 2): (either((2, [2]), (3, [2])),)}
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2]),))
    assert directly(problem_of(world), final=False) is None


def test_a_place_that_another_would_have_to_make_room_for_is_passed_over() -> None:
    relations = {(1, 2): (clash(2, [1]),)}
    world = World({1: 1, 2: 1}, relations, (wants(1, [2, 3]),))
    found = directly(problem_of(world), final=False)
    assert found is not None
    assert found[1].state is not None
    assert found[1].state[1].version == "3"  # type: ignore[union-attr]


def test_what_is_removed_needs_nothing_any_more() -> None:
    relations = {(1, 1): (need(2, [1]),)}
    world = World({1: 1, 2: 1}, relations, (absent(1), wants(2, [2])))
    found = directly(problem_of(world), final=False)
    assert found is not None
    assert found[1].state is not None
    assert found[1].state[1] is None


def test_what_moves_by_the_rules_of_what_is_stuck_alone_is_opened_to_explain_it() -> None:
    relations = {(1, 2): (need(2, [2]), need(3, [2]))}
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2]), holds(2, 1)))
    problem = problem_of(world, opened=[1, 2])
    assert directly(problem, final=False) == ([(1,)], Attempt(beyond=frozenset({3})))
    untold = Problem.of(replace(problem.situation, why=False))
    for settled in (directly(untold, final=False), directly(problem, final=True)):
        assert settled is not None
        assert (settled[0], settled[1].beyond) == ([(1,)], frozenset())
