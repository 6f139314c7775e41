"""The best of all states, against enumeration: what is settled, by how many changes, and where things go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Binding, Prefer, Relation, Release, decide
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


class Enumeration:
    """Every state that could be gone to: what changes breaks no rule, and nothing is newly wrong."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.start = {c: world.component(c, is_open=False).installed for c in world.installed}
        before = world.faults(self.start)
        self.states = [s for s in world.states() if self._may_be(s) and world.faults(s) <= before]
        self.goals = sorted(world.broken(), key=lambda c: (-max(b.weight for b in self._broken(c)), c))
        self.settled: list[int] = []
        for goal in self.goals:
            if self.may_go([*self.settled, goal]):
                self.settled.append(goal)
        self.stuck = set(self.goals) - set(self.settled)

    def may_go(self, goals: Iterable[int]) -> bool:
        """Whether all of these that break a rule can go somewhere together."""
        obliged = set(goals) & set(self.goals)
        return any(all(self._moves(state, goal) for goal in obliged) for state in self.states)

    def best(self) -> State:
        """The state with the fewest changes, and of those what is liked best, the weightiest first."""
        reached = [s for s in self.states if all(self._moves(s, goal) for goal in self.settled)]
        return min(reached, key=self._order)

    def _may_be(self, state: State) -> bool:
        return all(
            not self._moves(state, b.component) or b.allows(state[b.component]) for b in self.world.bindings
        )

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
    assert {unsettled.component for unsettled in outcome.unsettled} == enumeration.stuck
    assert world.after(outcome) == enumeration.best()


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_what_else_is_open_makes_no_difference(world: World) -> None:
    by_need, at_once = world.decide(), decide(world.situation())
    assert by_need.changes == at_once.changes
    assert {u.component for u in by_need.unsettled} == {u.component for u in at_once.unsettled}


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_no_way_within_the_bound_is_proof(world: World) -> None:
    assert all(unsettled.proved for unsettled in world.decide().unsettled)


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_without_any_one_of_its_rules_a_conflict_has_a_way(world: World) -> None:
    world = replace(world, bindings=tuple(b for b in world.bindings if b.kind != "absent"))
    enumeration = Enumeration(world)
    for unsettled in world.decide().unsettled:
        heavier = enumeration.goals[: enumeration.goals.index(unsettled.component)]
        together = [*(goal for goal in heavier if goal in enumeration.settled), unsettled.component]
        policies = {saying.policy for saying in unsettled.rules}
        for left_out in [None, *sorted(policies)]:
            kept = tuple(b for b in world.bindings if b.policy in policies - {left_out})
            assert Enumeration(replace(world, bindings=kept)).may_go(together) == (left_out is not None)
