"""What is too hard for the solver, or too much to enumerate: told as such, and never lost."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given, settings

from governance.resolution import conflicts, deciding
from governance.resolution.clauses import Clauses, Exhausted
from governance.resolution.conflicts import Bound
from governance.resolution.explaining import GIVEN_UP
from governance.resolution.problem import Problem
from governance.resolution.search import Attempt, Search
from tests.governance.resolution.test_best import Enumeration, worlds
from tests.governance.resolution.worlds import World, clash, holds, wants

BOUND = (wants(1, [2, 3], "one"), wants(2, [2, 3], "two"))


def find_nothing(search: Search, problem: Problem, goals: Sequence[int]) -> Attempt:
    """A search that is given up."""
    return Attempt(exhausted=True)


def leave_to_search(problem: Problem, *, final: bool) -> None:
    """Nothing is settled without the solver."""


def find_no_best(search: Search, problem: Problem, goals: Sequence[int]) -> Attempt:
    """A search for the best that is given up."""
    raise Exhausted


def test_what_has_no_way_within_the_bound_waits_and_is_said_to_be_unproved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciding, "directly", leave_to_search)
    monkeypatch.setattr(Search, "best", find_nothing)
    rules = (*BOUND, holds(3, 1), wants(3, [2], "three"))
    outcome = World({1: 1, 2: 1, 3: 1}, bindings=rules).decide()
    assert outcome.changes == ()
    proved = {one.stuck: one.proved for one in outcome.unsettled}
    assert proved == {(1,): False, (2,): False, (3,): True}
    first = outcome.unsettled[0]
    assert first.summary == f"one wants p1 in 2,3; {GIVEN_UP}"
    assert (first.sets, first.ways_out, first.complete) == ((), (), False)
    assert [saying.policy for saying in first.rules] == ["one"]


def test_a_conflict_without_a_proof_is_another_one_as_soon_as_the_rules_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deciding, "directly", leave_to_search)
    monkeypatch.setattr(Search, "best", find_nothing)
    rules = [wants(1, [2, 3]), wants(1, [2, 3], weight=7), wants(1, [3])]
    prints = [World({1: 1}, bindings=(rule,)).decide().unsettled[0].fingerprint for rule in rules]
    assert prints[0] == prints[1] != prints[2]


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_where_the_best_is_too_hard_to_find_any_sound_state_will_do(world: World) -> None:
    enumeration = Enumeration(world)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "directly", leave_to_search)
        patch.setattr(Search, "_best", find_no_best)
        outcome = world.decide()
    state = world.after(outcome)
    assert sorted(sorted(one.stuck) for one in outcome.unsettled) == sorted(map(sorted, enumeration.stuck))
    assert state in enumeration.sound
    assert all(state[c] != enumeration.start[c] for c in enumeration.settled)


@pytest.mark.parametrize("patience", range(12))
def test_wherever_the_solver_is_given_up_every_component_goes_or_waits(
    monkeypatch: pytest.MonkeyPatch, patience: int
) -> None:
    asked, solve = count(), Clauses.solve

    def give_up(clauses: Clauses, assumed: Sequence[int]) -> bool:
        if next(asked) >= patience:
            raise Exhausted
        return solve(clauses, assumed)

    monkeypatch.setattr(Clauses, "solve", give_up)
    outcome = World({1: 1, 2: 1, 3: 1}, {(1, 2): (clash(2, [2]),)}, BOUND).decide()
    moved = {change.component for change in outcome.changes}
    waiting = {component for one in outcome.unsettled for component in one.stuck}
    assert moved | waiting == {1, 2}
    assert not moved & waiting
    assert all(not one.proved for one in outcome.unsettled)


def test_more_in_each_others_way_than_is_looked_for_is_told_as_one_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(conflicts, "GOALS", Bound(sets=1, questions=99))
    goals = (1, 2, 3, 4)
    relations = {(c, 2): tuple(clash(other, [2]) for other in goals if other != c) for c in goals}
    world = World(dict.fromkeys(goals, 1), relations, tuple(wants(c, [2], f"wants-{c}") for c in goals))
    outcome = world.decide()
    assert outcome.changes == ()
    assert sorted(component for one in outcome.unsettled for component in one.stuck) == list(goals)
    assert all(one.sets and one.proved for one in outcome.unsettled)


def find_none_near(search: Search, given: Sequence[int], free: Sequence[int]) -> None:
    """A search near to what is installed that is given up."""
    raise Exhausted


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_where_a_near_way_is_too_hard_to_find_any_is_asked_for(world: World) -> None:
    problem = Problem.of(world.situation())
    with Clauses(problem) as clauses:
        near = Search(clauses, final=True).may_go(problem.bindings, problem.obliged)
    with pytest.MonkeyPatch.context() as patch, Clauses(problem) as clauses:
        patch.setattr(Search, "_apart", find_none_near)
        assert Search(clauses, final=True).may_go(problem.bindings, problem.obliged) == near
        if near:
            assert not problem.ground.faults(clauses.state())
