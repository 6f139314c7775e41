"""What is told of the dependencies that close a conflicting set of rules."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Binding, Relation, chaining, hindering
from governance.resolution.chaining import Chain, chain
from governance.resolution.clauses import Clauses
from governance.resolution.ground import holds as holds_in
from governance.resolution.links import Place, Stands
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from tests.governance.resolution.test_properties import worlds
from tests.governance.resolution.test_shortcuts import Harder
from tests.governance.resolution.worlds import World, absent, clash, either, holds, need, release_id, wants

KUBERNETES, CLIENT, STRUCTS, ANT = 1, 2, 3, 4
NEEDS_CLIENT = {(KUBERNETES, 2): (need(CLIENT, [2, 3], "needs p2 >=2"),)}
NEEDS_STRUCTS = {(CLIENT, v): (need(STRUCTS, [3], "needs p3 >=3"),) for v in (2, 3)}
ALL = {KUBERNETES: 2, CLIENT: 2, STRUCTS: 3, ANT: 1}
LOW_STRUCTS = wants(STRUCTS, [1, 2], "no-new-structs")


def chains(world: World) -> list[tuple[str, ...]]:
    """The chain of each conflicting set."""
    return [one.chain for unsettled in world.decide().unsettled for one in unsettled.sets]


def told(world: World, held_up: int) -> Chain:
    """The chain of all rules together."""
    situation = world.situation()
    return chain(Problem.of(situation), situation.component(held_up))


def test_a_hold_is_told_of_by_what_the_held_needs_although_that_is_met_now() -> None:
    relations = {**NEEDS_CLIENT, **NEEDS_STRUCTS, (ANT, 1): (need(STRUCTS, [2, 3], "needs p3 >=2"),)}
    assert chains(World(ALL, relations, (holds(KUBERNETES, 2), LOW_STRUCTS))) == [
        (
            "p1 2 needs p2 >=2, and p2 is at 2",
            "p2 2 needs p3 >=3, and p3 would be at 2",
        )
    ]


def test_what_one_rule_asks_for_is_followed_to_what_another_denies_whichever_weighs_more() -> None:
    relations = {(KUBERNETES, 3): (need(CLIENT, [2, 3], "needs p2 >=2"),), **NEEDS_STRUCTS}
    expected = [
        ("p1 3 needs p2 >=2, and p2 is at 2", "p2 2 needs p3 >=3, and p3 would be at 2"),
    ]
    for weight in (1, 999):
        newest = wants(KUBERNETES, [3], "newest", weight=weight)
        assert chains(World(ALL, relations, (newest, LOW_STRUCTS))) == expected


def test_two_that_ask_the_opposite_of_a_third_are_both_told_of() -> None:
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (KUBERNETES, 2): (need(CLIENT, [1], "needs p2 1"),),
        (STRUCTS, 2): (need(CLIENT, [2, 3], "needs p2 >=2"),),
    }
    world = World({KUBERNETES: 2, CLIENT: 1, STRUCTS: 1}, relations, (holds(1, 2), wants(STRUCTS, [2])))
    assert chains(world) == [
        ("p3 2 needs p2 >=2, and p2 is at 1", "p1 2 needs p2 1, and p2 is at 1"),
    ]


def test_a_demand_that_another_release_would_do_without_is_no_explanation() -> None:
    """The client needs the structs only at 2; at 3 it gets along, and nothing is wrong at all."""
    relations = {**NEEDS_CLIENT, (CLIENT, 2): (need(STRUCTS, [3], "needs p3 >=3"),)}
    world = World(ALL, relations, (holds(KUBERNETES, 2), LOW_STRUCTS))
    assert not world.decide().unsettled
    assert not told(world, STRUCTS).links or "p1 2" not in str(told(world, STRUCTS).links[0])


def test_what_breaks_a_rule_that_nobody_acts_on_is_told_where_it_is() -> None:
    relations = {(KUBERNETES, 2): (need(CLIENT, [3], "needs p2 3"),)}
    observed = wants(CLIENT, [2], "observed", wanted=False)
    world = World({KUBERNETES: 1, CLIENT: 1}, relations, (wants(KUBERNETES, [2], "up"), observed))
    assert chains(world) == [("p1 2 needs p2 3, and p2 is at 1",)]


def test_what_its_own_rules_leave_no_place_is_said_to_have_nowhere_to_go() -> None:
    relations = {(KUBERNETES, 2): (need(CLIENT, [3], "needs p2 3"),)}
    bindings = (wants(KUBERNETES, [2], "up"), wants(CLIENT, [], "gone", absence=False))
    assert told(World({KUBERNETES: 1, CLIENT: 1}, relations, bindings), KUBERNETES).links[0].stands == (
        Stands("p2", Place.NOWHERE),
    )


def test_a_demand_that_another_component_could_meet_is_no_explanation() -> None:
    relations = {(KUBERNETES, 2): (either((CLIENT, [2]), (ANT, [1, 2, 3])),), **NEEDS_STRUCTS}
    world = World(ALL, relations, (holds(KUBERNETES, 2), LOW_STRUCTS))
    assert all(link.plugin != "p1" for link in told(world, STRUCTS).links)


def test_who_clashes_with_all_that_is_left_is_told_of() -> None:
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {**NEEDS_CLIENT}
    relations |= {(CLIENT, v): (clash(STRUCTS, [1, 2]),) for v in (2, 3)}
    assert chains(World(ALL, relations, (holds(KUBERNETES, 2), LOW_STRUCTS))) == [
        (
            "p1 2 needs p2 >=2, and p2 is at 2",
            "p2 2 doesn't go with it, and p3 would be at 2",
        )
    ]


def test_what_would_be_gone_is_told_as_gone() -> None:
    relations = {(KUBERNETES, 2): (need(STRUCTS, [3], "needs p3 >=3"),)}
    assert chains(World(ALL, relations, (holds(KUBERNETES, 2), absent(STRUCTS)))) == [
        ("p1 2 needs p3 >=3, and p3 would not be installed",)
    ]


def test_where_the_rules_bind_one_component_each_of_its_releases_is_told_by_one_thing() -> None:
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (STRUCTS, 2): (need(5, [], "needs p5 9"), need(5, [], "needs p5 8")),
        (STRUCTS, 1): (need(5, [], "needs p5 7"),),
    }
    world = World({STRUCTS: 3, 5: 1}, relations, (LOW_STRUCTS,))
    at = "and p5 is installed at another version"
    assert chains(world) == [(f"p3 2 needs p5 9, {at}", f"p3 1 needs p5 7, {at}")]


def test_where_one_rule_alone_has_no_way_it_is_told_what_keeps_back_what_is_needed() -> None:
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (KUBERNETES, 2): (need(CLIENT, [2], "needs p2 2"),),
        (CLIENT, 2): (need(STRUCTS, [2], "needs p3 2"),),
        (STRUCTS, 2): (need(5, [], "needs p5 9"),),
        (STRUCTS, 3): (need(5, [], "needs p5 9"),),
    }
    world = World({KUBERNETES: 1, CLIENT: 1, STRUCTS: 1, 5: 1}, relations, (wants(KUBERNETES, [2], "up"),))
    assert chains(world) == [
        (
            "p1 2 needs p2 2, and p2 is at 1",
            "p2 2 needs p3 2, and p3 is at 1",
            "p3 2 needs p5 9, and p5 is installed at another version",
        )
    ]


def test_who_refuses_what_is_needed_is_told_of_where_one_rule_alone_has_no_way() -> None:
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (KUBERNETES, 2): (need(CLIENT, [2, 3], "needs p2 >=2"),),
        **{(ANT, version): (need(CLIENT, [1], "needs p2 <2"),) for version in (1, 2, 3)},
    }
    world = World({KUBERNETES: 1, CLIENT: 1, ANT: 1}, relations, (wants(KUBERNETES, [2], "up"),))
    assert chains(world) == [
        ("p1 2 needs p2 >=2, and p2 is at 1", "p4 1 needs p2 <2, and p2 is at 1"),
    ]


def test_what_another_release_would_do_without_keeps_nothing_back() -> None:
    """The nearest client can't be, but a newer one can: the ant is what is missing."""
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (KUBERNETES, 2): (need(CLIENT, [2, 3], "needs p2 >=2"), need(ANT, [2], "needs p4 2")),
        (CLIENT, 2): (need(5, [], "needs p5 9"),),
        (ANT, 2): (need(5, [], "needs p5 8"),),
    }
    world = World({KUBERNETES: 1, CLIENT: 1, ANT: 1, 5: 1}, relations, (wants(KUBERNETES, [2], "up"),))
    at = "and p5 is installed at another version"
    assert chains(world) == [("p1 2 needs p4 2, and p4 is at 1", f"p4 2 needs p5 8, {at}")]


def test_what_keeps_something_back_elsewhere_makes_it_no_other_conflict() -> None:
    """What is installed decides about it, and a decision is to hold for tenants that have it otherwise."""
    relations: dict[tuple[int, int], tuple[Relation, ...]] = {
        (KUBERNETES, 2): (need(CLIENT, [2], "needs p2 2"),),
        (CLIENT, 2): (need(STRUCTS, [2], "needs p3 2"),),
        **{(ANT, version): (need(CLIENT, [1], "needs p2 1"),) for version in (1, 2, 3)},
    }
    installed = {KUBERNETES: 1, CLIENT: 1, STRUCTS: 2, ANT: 1}
    rule = wants(KUBERNETES, [2], "up")
    (with_ant,) = World(installed, relations, (rule,)).decide().unsettled
    (without,) = World({KUBERNETES: 1, CLIENT: 1}, relations, (rule,)).decide().unsettled
    assert with_ant.fingerprint == without.fingerprint
    assert with_ant.sets[0].chain != without.sets[0].chain


def test_what_is_wrong_with_several_releases_is_told_once_of_the_best() -> None:
    relations = {(ANT, v): (need(STRUCTS, [3], "needs p3 >=3"),) for v in (1, 2, 3)}
    world = World({STRUCTS: 3, ANT: 1}, relations, (LOW_STRUCTS,))
    assert chains(world) == [("p4 1 needs p3 >=3, and p3 would be at 2",)]


def test_beyond_the_bound_only_what_is_wrong_as_things_stand_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaining, "LINKS", 0)
    monkeypatch.setattr(hindering, "LOOKED", 0)
    world = World(ALL, {**NEEDS_CLIENT, **NEEDS_STRUCTS}, (holds(KUBERNETES, 2), LOW_STRUCTS))
    assert chains(world) == [("p2 2 needs p3 >=3, and p3 would be at 2",)]


def test_of_what_is_wrong_that_is_told_which_another_rule_binds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaining, "LINKS", 0)
    asks = need(STRUCTS, [3], "needs p3 >=3")
    relations = {(CLIENT, 2): (asks,), (ANT, 1): (asks,)}
    world = World(ALL, relations, (holds(ANT, 1), LOW_STRUCTS))
    assert chains(world) == [("p4 1 needs p3 >=3, and p3 would be at 2",)]


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_every_link_is_a_demand_of_its_release_and_the_order_of_the_rules_changes_nothing(
    world: World, chance: random.Random
) -> None:
    situation = world.situation()
    shuffled: list[Binding] = chance.sample(situation.bindings, len(situation.bindings))
    problem = Problem.of(situation)
    asked = {
        f"{release_id(component, version)} {relation.digest}"
        for (component, version), relations in world.relations.items()
        for relation in relations
    }
    for held_up in problem.obliged:
        component = situation.component(held_up)
        found = chain(problem, component)
        assert found == chain(problem.under(shuffled), component)
        assert set(found.demands) <= asked


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_what_is_told_to_be_wrong_is_wrong_where_the_words_put_everybody(seed: int) -> None:
    world = Harder(seed)
    for one in world.components:
        situation = world.situation({*world.broken, one})
        problem = Problem.of(situation)
        bound = {binding.component for binding in problem.bindings} - {one}
        for fault, state in chaining._faults(problem, one, bound).items():
            assert not holds_in(fault.relation, state, complete=situation.complete)
            assert one in {fault.component, *fault.relation.components}


@given(st.integers(0, 2**32))
@settings(max_examples=400, deadline=None)
def test_what_is_told_to_keep_a_release_back_keeps_it_back(seed: int) -> None:
    """No state has it, whatever the goals do."""
    world = Harder(seed)
    situation = world.situation(set(world.components))
    for one in situation.components:
        for release in one.candidates:
            problem = Problem.of(situation)
            if release is not problem.start[one.id] and hindering.Hindrances(problem).of(release):
                here = Binding("here", "rule", "range", one.id, frozenset({release.id}), absence=False)
                only = Problem.of(replace(situation, bindings=(*situation.bindings, here)))
                with Clauses(only) as clauses:
                    assert not Search(clauses, final=True).may_go(only.bindings, [one.id])
