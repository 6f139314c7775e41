"""Resolution against enumeration, on worlds small enough to enumerate."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Binding, Candidates, Relation, Situation, decide, in_order
from tests.governance.resolution.worlds import (
    HOST,
    VERSIONS,
    World,
    absent,
    clash,
    holds,
    need,
    present,
    wants,
)

COMPONENTS = (1, 2, HOST)
some_versions = st.sets(st.sampled_from(VERSIONS), min_size=1).map(sorted)


@st.composite
def relations(draw: st.DrawFn, component: int) -> tuple[Relation, ...]:
    others = [c for c in COMPONENTS if c != component]
    made: list[Relation] = []
    for kind in draw(st.lists(st.sampled_from(["need", "need", "clash"]), max_size=2)):
        made.append((clash if kind == "clash" else need)(draw(st.sampled_from(others)), draw(some_versions)))
    return tuple(made)


@st.composite
def rules(draw: st.DrawFn, installed: dict[int, int | None]) -> tuple[Binding, ...]:
    made: list[Binding] = []
    for number in range(draw(st.integers(1, 4))):
        component = draw(st.sampled_from(COMPONENTS))
        kind = draw(st.sampled_from(["range", "range", "range", "hold", "absent", "present"]))
        here = installed[component]
        name = f"policy-{number}"
        if kind == "range":
            weight = draw(st.sampled_from([10, 100, 200]))
            made.append(wants(component, draw(some_versions), name, weight=weight))
        elif kind == "hold" and here is not None:
            made.append(holds(component, here, name))
        elif component != HOST:
            made.append(absent(component, name) if kind == "absent" else present(component, name))
    return tuple(made)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    installed: dict[int, int | None] = {
        1: draw(st.sampled_from([1, 2, 3])),
        2: draw(st.sampled_from([None, 1, 2, 3])),
        HOST: draw(st.sampled_from([1, 2, 3])),
    }
    related = {(c, v): draw(relations(c)) for c in COMPONENTS if c != HOST for v in VERSIONS}
    return World(installed, related, draw(rules(installed)))


@st.composite
def single_worlds(draw: st.DrawFn) -> World:
    """One plugin under rules; the other and the host are there but nothing binds them."""
    world = draw(worlds())
    return replace(world, bindings=tuple(b for b in world.bindings if b.component == 1))


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_what_is_proposed_breaks_nothing_that_was_whole(world: World) -> None:
    outcome = world.decide()
    state = world.after(outcome)
    stuck = {component for unsettled in outcome.unsettled for component in unsettled.stuck}
    before = {c: world.component(c, is_open=False).installed for c in world.installed}
    assert world.faults(state) <= world.faults(before)
    for binding in world.bindings:
        assert binding.allows(state[binding.component]) or binding.component in stuck
    assert all(state[c] == before[c] for c in stuck)


@given(worlds())
@settings(max_examples=400, deadline=None)
def test_something_is_unsettled_exactly_where_enumeration_finds_no_solution(world: World) -> None:
    assert bool(world.decide().unsettled) == (next(world.solutions(), None) is None)


@given(single_worlds())
@settings(max_examples=300, deadline=None)
def test_the_fewest_components_change_where_one_plugin_is_bound(world: World) -> None:
    outcome = world.decide()
    costs = [world.cost(state) for state in world.solutions()]
    assert bool(outcome.unsettled) == (not costs)
    if costs:
        assert len(outcome.changes) == min(costs)


@given(single_worlds())
@settings(max_examples=200, deadline=None)
def test_a_plugin_that_can_move_alone_is_never_called_unsettled(world: World) -> None:
    if next(world.solutions(moving={1}), None) is not None:
        assert not world.decide().unsettled


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_every_way_out_leads_out_and_where_it_says(world: World) -> None:
    for unsettled in world.decide().unsettled:
        for way in unsettled.ways_out:
            after = world.without(way.rules, unsettled.components).decide()
            still = {component for other in after.unsettled for component in other.stuck}
            assert still.isdisjoint(unsettled.stuck)
            ended = {c: world.installed_release(c) for c in way.goes}
            ended |= {change.component: change.after for change in after.changes}
            assert way.goes == {component: ended[component] for component in way.goes}


@given(worlds(), st.integers())
@settings(max_examples=200, deadline=None)
def test_the_order_of_components_rules_and_releases_does_not_matter(world: World, seed: int) -> None:
    situation = world.situation()
    shuffled = _shuffled(situation, random.Random(seed))
    assert shuffled.digest == situation.digest
    assert decide(shuffled) == decide(situation)


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_steps_are_all_the_changes_once_each(world: World) -> None:
    outcome = world.decide()
    steps = in_order(world.situation(), outcome.changes)
    assert sorted(steps, key=lambda c: c.component) == sorted(outcome.changes, key=lambda c: c.component)


def _shuffled(situation: Situation, chance: random.Random) -> Situation:
    components = [
        replace(one, candidates=Candidates(chance.sample(one.candidates, len(one.candidates))))
        for one in situation.components
    ]
    bindings = list(situation.bindings)
    chance.shuffle(components)
    chance.shuffle(bindings)
    return Situation(tuple(components), tuple(bindings), situation.complete)
