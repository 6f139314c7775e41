"""Deciding one situation at a time."""

from __future__ import annotations

from dataclasses import replace

from governance.resolution import Binding, Candidates, Need, Outcome, Prefer, decide
from tests.governance.resolution.worlds import (
    HOST,
    World,
    absent,
    clash,
    holds,
    ids,
    need,
    present,
    wants,
)


def moves(outcome: Outcome) -> dict[int, str | None]:
    """Where each changed component goes."""
    return {c.component: c.after.version if c.after else None for c in outcome.changes}


def test_nothing_changes_where_no_rule_is_broken() -> None:
    assert decide(World({1: 2}, bindings=(wants(1, [2, 3]),)).situation()) == Outcome()


def test_a_component_that_breaks_a_rule_goes_to_the_newest_release_that_all_rules_allow() -> None:
    rules = (wants(1, [2, 3]), wants(1, [1, 2], "cap"))
    assert moves(World({1: 1}, bindings=rules).decide()) == {1: "2"}


def test_the_profile_decides_between_the_newest_and_the_nearest() -> None:
    near = wants(1, [2, 3], prefer=Prefer.NEAREST)
    assert moves(World({1: 1}, bindings=(near,)).decide()) == {1: "2"}
    assert moves(World({1: 1}, bindings=(replace(near, prefer=Prefer.NEWEST),)).decide()) == {1: "3"}


def test_a_downgrade_is_chosen_only_where_nothing_higher_is_allowed() -> None:
    assert moves(World({1: 2}, bindings=(wants(1, [1, 3]),)).decide()) == {1: "3"}
    assert moves(World({1: 3}, bindings=(wants(1, [1, 2]),)).decide()) == {1: "2"}


def test_a_change_says_which_rule_wants_it() -> None:
    (change,) = World({1: 1}, bindings=(wants(1, [2], "core", "align"),)).decide().changes
    assert change.because == "core wants p1 in 2"
    assert change.rules == (("core", "align"),)


def test_rules_that_leave_no_release_are_named_as_a_conflict_and_nothing_changes() -> None:
    rules = (wants(1, [2], "core-align", "core-align"), holds(1, 1, "hold-b"), wants(1, [1, 2, 3], "other"))
    outcome = World({1: 1}, bindings=rules).decide()
    assert outcome.changes == ()
    (unsettled,) = outcome.unsettled
    assert unsettled.summary == "hold-b keeps p1 at 1; core-align wants p1 in 2"
    assert {(saying.policy, saying.key) for saying in unsettled.rules} == {
        ("hold-b", "hold-b"),
        ("core-align", "core-align"),
    }


def test_ways_out_are_ranked_by_weight_and_say_what_they_lead_to() -> None:
    rules = (wants(1, [2], "align", "align", weight=200), replace(holds(1, 1), weight=50))
    (unsettled,) = World({1: 1}, bindings=rules).decide().unsettled
    assert [(way.says, way.where) for way in unsettled.ways_out] == [
        ("Set hold aside here", "p1 goes to 2"),
        ("Set align aside here", "p1 stays at 1"),
    ]


def test_a_way_out_sets_as_many_rules_aside_as_it_takes() -> None:
    rules = (
        wants(1, [2], "two", "two"),
        replace(holds(1, 1), weight=10),
        replace(wants(1, [1, 3], "odd", "odd"), weight=20),
    )
    world = World({1: 1}, bindings=rules)
    (unsettled,) = world.decide().unsettled
    assert [way.rules for way in unsettled.ways_out] == [
        (("hold", "hold"), ("odd", "odd")),
        (("two", "two"),),
    ]
    assert all(not world.without(way.rules, {1}).decide().unsettled for way in unsettled.ways_out)


def test_where_more_rules_than_are_looked_for_have_to_give_way_one_tried_set_is_offered() -> None:
    needs = tuple(need(component, [2]) for component in (2, 3, 4, 5))
    keeps = [replace(holds(component, 1, f"hold-{component}"), weight=10) for component in (2, 3, 4, 5)]
    raises = [wants(1, [2], f"raise-{n}", f"raise-{n}", weight=900) for n in range(4)]
    world = World(dict.fromkeys((1, 2, 3, 4, 5), 1), {(1, 2): needs}, (*keeps, *raises))
    (unsettled,) = world.decide().unsettled
    (way,) = unsettled.ways_out
    assert way.rules == tuple((f"hold-{n}", f"hold-{n}") for n in (2, 3, 4, 5))
    assert {component: to and to.version for component, to in way.goes.items()} == dict.fromkeys(
        (1, 2, 3, 4, 5), "2"
    )
    assert not world.without(way.rules, unsettled.components).decide().unsettled


def test_a_way_out_says_where_every_component_of_the_conflict_goes_and_what_no_longer_binds() -> None:
    relations = {(1, 2): (need(2, [2, 3], "needs p2 >=2"),)}
    rules = (wants(1, [2], "raise", "raise"), holds(2, 1), wants(2, [1, 2], "cap", "cap"))
    (unsettled,) = World({1: 1, 2: 1}, relations, rules).decide().unsettled
    ways = {way.rules: way for way in unsettled.ways_out}
    lifted = ways[(("hold", "hold"),)]
    assert {component: to and to.version for component, to in lifted.goes.items()} == {1: "2", 2: "2"}
    assert (lifted.says, lifted.where) == ("Set hold aside here", "p1 goes to 2, p2 goes to 2")
    assert [(saying.rule, saying.component) for saying in lifted.aside] == [(("hold", "hold"), 2)]
    left = ways[(("raise", "raise"),)]
    assert {component: to and to.version for component, to in left.goes.items()} == {1: "1", 2: "1"}
    assert (left.says, left.where) == ("Set raise aside here", "p1 stays at 1")


def test_a_rule_that_no_release_meets_is_a_conflict_of_its_own() -> None:
    (unsettled,) = World({1: 1}, bindings=(wants(1, [], "far", "far"),)).decide().unsettled
    assert unsettled.summary == "far wants p1 in ; the catalogue has no such release of p1 to go to"


def test_the_newest_release_is_passed_over_when_an_older_one_needs_nothing_else() -> None:
    world = World({1: 1, 2: 1}, {(1, 3): (need(2, [2, 3]),)}, (wants(1, [2, 3]),))
    assert moves(world.decide()) == {1: "2"}


def test_a_dependency_is_pulled_up_no_further_than_needed() -> None:
    relations = {(1, 2): (need(2, [2, 3], "needs p2 >=2"),)}
    outcome = World({1: 1, 2: 1}, relations, (wants(1, [2]),)).decide()
    assert moves(outcome) == {1: "2", 2: "2"}
    assert [c.because for c in outcome.changes if c.component == 2] == ["p1 2 needs p2 >=2"]


def test_a_missing_dependency_is_added() -> None:
    world = World({1: 1, 2: None}, {(1, 2): (need(2, [1, 2]),)}, (wants(1, [2]),))
    assert moves(world.decide()) == {1: "2", 2: "2"}


def test_a_missing_dependency_is_not_demanded_of_a_list_that_may_be_incomplete() -> None:
    world = World({1: 1, 2: None}, {(1, 2): (need(2, [1, 2]),)}, (wants(1, [2]),), complete=False)
    assert moves(world.decide()) == {1: "2"}


def test_a_dependency_stays_within_its_own_rules() -> None:
    world = World({1: 1, 2: 1}, {(1, 2): (need(2, [2]),)}, (wants(1, [2]), holds(2, 1)))
    (unsettled,) = world.decide().unsettled
    assert [saying.policy for saying in unsettled.rules] == ["hold", "policy"]
    assert unsettled.chain == ("p1 2 needs it, and p2 is at 1",)


def test_what_depends_on_a_changed_component_moves_along() -> None:
    relations = {(2, 1): (need(1, [1]),), (2, 2): (need(1, [2]),)}
    assert moves(World({1: 1, 2: 1}, relations, (wants(1, [2]),)).decide()) == {1: "2", 2: "2"}


def test_a_conflict_between_releases_is_avoided() -> None:
    world = World({1: 1, 2: 1}, {(1, 3): (clash(2, [1]),)}, (wants(1, [2, 3]),))
    assert moves(world.decide()) == {1: "2"}


def test_the_host_is_raised_where_the_only_allowed_release_needs_it() -> None:
    world = World({1: 1, HOST: 1}, {(1, 2): (need(HOST, [2, 3]),)}, (wants(1, [2]),))
    assert moves(world.decide()) == {1: "2", HOST: "2"}


def test_an_unknown_host_is_not_held_against_a_release() -> None:
    world = World({1: 1, HOST: None}, {(1, 2): (need(HOST, [2, 3]),)}, (wants(1, [2]),))
    assert moves(world.decide()) == {1: "2"}


def test_an_inconsistency_that_was_there_before_is_not_blamed_on_the_change() -> None:
    relations = {(2, 1): (need(3, [3]), need(1, [3]))}
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2]),))
    assert moves(world.decide()) == {1: "2"}


def test_a_component_that_must_go_goes_and_what_needs_it_moves_to_a_release_that_does_not() -> None:
    relations = {(2, 1): (need(1, [1, 2, 3]),)}
    world = World({1: 1, 2: 1}, relations, (absent(1),))
    assert moves(world.decide()) == {1: None, 2: "2"}


def test_a_component_that_must_be_there_is_added() -> None:
    assert moves(World({1: None}, bindings=(present(1),)).decide()) == {1: "3"}


def test_withdrawn_releases_and_pre_releases_are_targets_only_by_name() -> None:
    situation = World({1: 1}, bindings=(wants(1, [2, 3]),)).situation()
    (component,) = situation.components
    beta = replace(component.candidates[2], offered=False)
    component = replace(component, candidates=Candidates((*component.candidates[:2], beta)))
    assert moves(decide(replace(situation, components=(component,)))) == {1: "2"}
    named = wants(1, [3], exact=True)
    assert moves(decide(replace(situation, components=(component,), bindings=(named,)))) == {1: "3"}


def test_an_uncatalogued_release_is_never_a_target() -> None:
    situation = World({1: 1}, bindings=(wants(1, [3], exact=True),)).situation()
    (component,) = situation.components
    unknown = replace(component.candidates[2], offered=False, nameable=False)
    component = replace(component, candidates=Candidates((*component.candidates[:2], unknown)))
    outcome = decide(replace(situation, components=(component,)))
    assert outcome.changes == ()
    assert len(outcome.unsettled) == 1


def test_what_can_be_settled_is_settled_beside_what_cannot() -> None:
    rules = (wants(1, [2]), holds(1, 1), wants(2, [3], "other"))
    outcome = World({1: 1, 2: 1}, bindings=rules).decide()
    assert moves(outcome) == {2: "3"}
    assert [u.component for u in outcome.unsettled] == [1]


def test_a_rule_not_acted_on_lets_what_breaks_it_stay_but_is_not_broken_anew() -> None:
    reminder = replace(wants(2, [3], "reminder"), wanted=False)
    world = World({1: 1, 2: 1}, {(1, 2): (need(2, [2, 3]),)}, (wants(1, [2]), reminder))
    assert moves(replace(world, relations={}).decide()) == {1: "2"}
    assert moves(world.decide()) == {1: "2", 2: "3"}


def test_alternatives_are_met_by_any_of_them() -> None:
    either = Need("needs p2 or p3", ids(2, [3]) | ids(3, [1]), frozenset({2, 3}))
    world = World({1: 1, 2: 1, 3: None}, {(1, 2): (either,)}, (wants(1, [2]), holds(2, 1)))
    assert moves(world.decide()) == {1: "2", 3: "1"}


def test_a_conflict_keeps_its_fingerprint_while_its_inputs_do_and_whatever_the_weights() -> None:
    def fingerprint(*rules: Binding) -> str:
        return World({1: 1, 2: 1}, bindings=rules).decide().unsettled[0].fingerprint

    align, hold = wants(1, [2], "align"), holds(1, 1)
    first = fingerprint(align, hold)
    assert fingerprint(hold, replace(align, weight=7), wants(2, [1], "more")) == first
    assert fingerprint(replace(align, allowed=ids(1, [2, 3])), hold) != first
    assert fingerprint(replace(align, says="else"), hold) != first


def test_a_conflict_far_off_is_told_from_release_to_release() -> None:
    relations = {(1, 2): (need(2, [2], "needs p2 2"),), (2, 2): (need(3, [2], "needs p3 2"),)}
    world = World({1: 1, 2: 1, 3: 1}, relations, (wants(1, [2]), holds(3, 1)))
    (unsettled,) = world.decide().unsettled
    assert unsettled.chain == ("p1 2 needs p2 2, and p2 is at 1", "p2 2 needs p3 2, and p3 is at 1")
    assert unsettled.summary.endswith("p1 2 needs p2 2, and p2 is at 1; p2 2 needs p3 2, and p3 is at 1")


def test_the_same_demands_are_the_same_conflict_whatever_is_installed() -> None:
    relations = {(1, 3): (need(2, [3], "needs p2 3"),)}
    rules = (wants(1, [3]), wants(2, [1, 2], "cap"))
    prints = {World({1: 1, 2: here}, relations, rules).decide().unsettled[0].fingerprint for here in (1, 2)}
    assert len(prints) == 1


def test_a_way_out_also_gets_along_with_what_goes_in_any_case() -> None:
    world = World(
        {1: 3, 2: 1, HOST: 1},
        {(2, 3): (need(1, [2, 3]),)},
        (wants(1, [1], "first"), wants(2, [1], "second"), wants(2, [3], "third")),
    )
    outcome = world.decide()
    assert [(change.component, change.after) for change in outcome.changes] == [(1, world.release(1, 1))]
    (unsettled,) = outcome.unsettled
    assert unsettled.stuck == (2,)
    sets = {frozenset(saying.policy for saying in one.rules) for one in unsettled.sets}
    assert sets == {frozenset({"second", "third"}), frozenset({"first", "third"})}
    for way in unsettled.ways_out:
        after = world.without(way.rules, unsettled.components).decide()
        assert not after.unsettled
