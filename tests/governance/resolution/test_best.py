"""The best of all states, against enumeration: what is settled, by how many changes, and where things go."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from random import Random
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Binding, Prefer, Relation, Release, Saying, decide, leaving
from tests.governance.resolution.worlds import (
    HOST,
    VERSIONS,
    World,
    absent,
    clash,
    either,
    holds,
    need,
    present,
    wants,
)

COMPONENTS = (1, 2, 3, HOST)
State = Mapping[int, Release | None]


def relations(chance: Random, component: int) -> tuple[Relation, ...]:
    others = [c for c in COMPONENTS if c != component]
    made: list[Relation] = []
    for kind in chance.choices(["need", "either", "clash"], weights=[3, 1, 1], k=chance.choice([0, 1, 2, 2])):
        first, second = chance.sample(others, 2)
        if kind == "either" and HOST not in (first, second):
            made.append(either((first, some_versions(chance)), (second, some_versions(chance))))
        else:
            made.append((clash if kind == "clash" else need)(first, some_versions(chance)))
    return tuple(made)


def some_versions(chance: Random) -> list[int]:
    return sorted(chance.sample(VERSIONS, chance.choice([1, 1, 2, 2, 3])))


def rule(chance: Random, name: str, component: int, here: int | None) -> Binding:
    kind = chance.choices(["range", "hold", "absent", "present"], weights=[8, 1, 1, 1])[0]
    if kind == "hold" and here is not None:
        return holds(component, here, name)
    if kind in ("absent", "present") and component != HOST:
        return absent(component, name) if kind == "absent" else present(component, name)
    versions = [v for v in some_versions(chance) if v != here or chance.random() < 0.3]
    weight, prefer = chance.choice([10, 100, 200]), chance.choice(list(Prefer))
    return wants(component, versions, name, weight=weight, prefer=prefer, wanted=chance.random() < 0.8)


def a_world(seed: int) -> World:
    chance = Random(seed)
    installed = {c: chance.choice([None, 1, 1, 2, 3] if c != 1 else VERSIONS) for c in COMPONENTS}
    related = {(c, v): relations(chance, c) for c in COMPONENTS if c != HOST for v in VERSIONS}
    bound = chance.choices(COMPONENTS, k=chance.choice([1, 2, 3, 4]))
    rules = tuple(rule(chance, f"policy-{n}", c, installed[c]) for n, c in enumerate(bound))
    return World(installed, related, rules, complete=chance.random() < 0.7)


def worlds() -> st.SearchStrategy[World]:
    """Worlds spread evenly, most of them with something to do: left alone, hypothesis dwells on others."""
    return st.integers(0, 2**32).map(a_world)


T = TypeVar("T")


def minimal(items: Sequence[T], fails: Callable[[Collection[T]], bool]) -> set[frozenset[T]]:
    """All minimal parts that fail, by trying every part."""
    found: set[frozenset[T]] = set()
    for size in range(len(items) + 1):
        for some in map(frozenset, itertools.combinations(items, size)):
            if not any(known <= some for known in found) and fails(some):
                found.add(some)
    return found


class Enumeration:
    """Every state that could be gone to: what changes breaks no rule, and nothing is newly wrong.

    `stuck` are the minimal groups of components that can't go together, those made one that share a member;
    all others are `settled`.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.start = {c: world.component(c, is_open=False).installed for c in world.installed}
        before = world.faults(self.start)
        self.sound = [s for s in world.states() if world.faults(s) <= before]
        goals = sorted(world.broken(), key=lambda c: (-max(b.weight for b in self._broken(c)), c))
        self.stuck: list[set[int]] = []
        for group in minimal(goals, lambda some: not self.may_go(some, world.bindings)):
            near = [other for other in self.stuck if other & group]
            self.stuck = [*(o for o in self.stuck if not o & group), {*group}.union(*near)]
        self.settled = [goal for goal in goals if goal not in set[int]().union(*self.stuck)]

    def conflict(self, goals: Iterable[int]) -> set[frozenset[Binding]]:
        """All minimal sets of rules under which these can't go together."""
        goals = list(goals)
        return minimal(self.world.bindings, lambda rules: not self.may_go(goals, rules))

    def may_go(self, goals: Iterable[int], rules: Collection[Binding]) -> bool:
        """Whether all goals that break one of these rules can go somewhere together."""
        obliged = {b.component for c in goals for b in self._broken(c) if b in rules}
        states = (s for s in self.sound if self._may_be(s, rules))
        return any(all(self._moves(state, goal) for goal in obliged) for state in states)

    def best(self) -> State:
        """The state with the fewest changes, and of those what is liked best, the weightiest first."""
        allowed = (s for s in self.sound if self._may_be(s, self.world.bindings))
        reached = (s for s in allowed if all(self._moves(s, goal) for goal in self.settled))
        return min(reached, key=self._order)

    def _may_be(self, state: State, rules: Collection[Binding]) -> bool:
        return all(not self._moves(state, b.component) or b.allows(state[b.component]) for b in rules)

    def _moves(self, state: State, component: int) -> bool:
        return state[component] != self.start[component]

    def _broken(self, component: int) -> list[Binding]:
        mine = [b for b in self.world.bindings if b.component == component and b.wanted]
        return [b for b in mine if not b.allows(self.start[component])]

    def _order(self, state: State) -> tuple[object, ...]:
        others = [c for c in (HOST, *sorted(self.start)) if c not in self.settled]
        liked = (self._liking(c, state[c]) for c in [*self.settled, *others])
        return (sum(self._moves(state, c) for c in state), *liked)

    def _liking(self, component: int, to: Release | None) -> tuple[int, ...]:
        """Staying, then upwards, then downwards to what is nearest, then away."""
        here = self.start[component]
        if to == here:
            return (0, 0)
        if to is None:
            return (3, 0)
        if here is None or to.rank < here.rank:
            return (2, -to.rank)
        broken = self._broken(component)
        newest = broken and max(broken, key=lambda b: (b.weight, b.rule)).prefer is Prefer.NEWEST
        return (1, -to.rank if newest else to.rank)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_the_best_of_all_states_is_chosen_and_only_what_has_no_way_is_unsettled(world: World) -> None:
    outcome, enumeration = world.decide(), Enumeration(world)
    assert sorted(sorted(one.stuck) for one in outcome.unsettled) == sorted(map(sorted, enumeration.stuck))
    assert world.after(outcome) == enumeration.best()


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_what_else_is_open_makes_no_difference(world: World) -> None:
    by_need, at_once = world.decide(), decide(world.situation())
    assert by_need.changes == at_once.changes
    assert [u.fingerprint for u in by_need.unsettled] == [u.fingerprint for u in at_once.unsettled]


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_no_way_within_the_bound_is_proof(world: World) -> None:
    assert all(unsettled.proved for unsettled in world.decide().unsettled)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_a_conflict_names_all_minimal_sets_of_rules_that_cannot_hold_together(world: World) -> None:
    enumeration = Enumeration(world)
    for unsettled in world.decide().unsettled:
        named = enumeration.conflict([*unsettled.stuck, *enumeration.settled])
        assert _named(one.rules for one in unsettled.sets) == _named(named)
        assert len(unsettled.sets) == len(named)
        assert unsettled.complete


def _named(sets: Iterable[Iterable[Binding | Saying]]) -> set[frozenset[tuple[str, int]]]:
    return {frozenset((rule.policy, rule.component) for rule in rules) for rules in sets}


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_each_stuck_component_is_in_one_conflict(world: World) -> None:
    stuck = [component for unsettled in world.decide().unsettled for component in unsettled.stuck]
    assert len(stuck) == len(set(stuck))


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_a_way_out_is_among_the_lightest_that_enumeration_finds(world: World) -> None:
    enumeration = Enumeration(world)
    for unsettled in world.decide().unsettled:
        goals = [*unsettled.stuck, *enumeration.settled]
        rules_of_it = sorted({saying.rule for saying in unsettled.rules})
        leading_out = [
            rules
            for size in (1, 2, 3)
            for rules in itertools.combinations(rules_of_it, size)
            if enumeration.may_go(goals, world.without(rules, unsettled.components).bindings)
        ] or [tuple(rules_of_it)]
        minimal = {rules for rules in leading_out if not any(set(o) < set(rules) for o in leading_out)}
        assert {way.rules for way in unsettled.ways_out} == minimal
        assert [way.weight for way in unsettled.ways_out] == sorted(way.weight for way in unsettled.ways_out)


@given(worlds())
@settings(max_examples=100, deadline=None)
def test_there_is_a_way_out_of_each_conflict_however_few_rules_one_may_set_aside(world: World) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(leaving, "ASIDE", 0)
        outcome = world.decide()
    enumeration = Enumeration(world)
    for unsettled in outcome.unsettled:
        (way,) = unsettled.ways_out
        for rules in ((), *itertools.combinations(way.rules, len(way.rules) - 1), way.rules):
            left = world.without(rules, unsettled.components).bindings
            goals = [*unsettled.stuck, *enumeration.settled]
            assert enumeration.may_go(goals, left) == (rules == way.rules)
