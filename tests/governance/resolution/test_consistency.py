"""What goes together and what can't run, against enumeration of every part of what is installed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Clash, Need, Relation, Release, Trouble, Why, troubles
from tests.governance.resolution.worlds import HOST, VERSIONS, World, clash, either, need

PLUGINS = (1, 2, 3, 4)
some_versions = st.sets(st.sampled_from(VERSIONS)).map(sorted)


@st.composite
def relations(draw: st.DrawFn) -> tuple[Relation, ...]:
    made: list[Relation] = []
    for kind in draw(st.lists(st.sampled_from(["need", "need", "either", "clash"]), max_size=2)):
        one, other = draw(st.sampled_from((*PLUGINS, HOST))), draw(st.sampled_from(PLUGINS))
        if kind == "either":
            made.append(either((one, draw(some_versions)), (other, draw(some_versions))))
        else:
            made.append((clash if kind == "clash" else need)(one, draw(some_versions)))
    return tuple(made)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    installed = {c: draw(st.sampled_from([None, 1, 2, 2])) for c in (*PLUGINS, HOST)}
    related = {(c, v): draw(relations()) for c in PLUGINS for v in (1, 2)}
    return World(installed, related, complete=draw(st.booleans()))


def installed(world: World) -> dict[int, Release]:
    return {c: world.release(c, v) for c, v in world.installed.items() if v is not None}


def judged(world: World) -> tuple[Trouble, ...]:
    there = installed(world)
    return troubles([r for c, r in there.items() if c != HOST], host=there.get(HOST), complete=world.complete)


def unusable(found: tuple[Trouble, ...]) -> set[int]:
    return {trouble.release.component for trouble in found if not trouble.usable}


def parts(there: Mapping[int, Release]) -> Iterator[dict[int, Release]]:
    """Every part of what is installed; the host is in all of them."""
    plugins = [c for c in there if c != HOST]
    for chosen in itertools.product([True, False], repeat=len(plugins)):
        taken = {c for c, is_in in zip(plugins, chosen, strict=True) if is_in} | {HOST}
        yield {c: r for c, r in there.items() if c in taken}


def holds_together(world: World, part: Mapping[int, Release]) -> bool:
    """Read off naively. What isn't listed at all may be there; what is listed and left out isn't."""
    ids, listed = {r.id for r in part.values()}, installed(world).keys()

    def holds(relation: Relation) -> bool:
        if isinstance(relation, Clash):
            return not relation.releases & ids
        may_be_there = (relation.of_host or not world.complete) and not relation.components & listed
        return bool(relation.releases & ids) or may_be_there

    return all(holds(relation) for release in part.values() for relation in release.relations)


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_a_plugin_can_run_exactly_where_some_part_with_it_holds_together(world: World) -> None:
    there = installed(world)
    can_run = {c for part in parts(there) if holds_together(world, part) for c in part}
    assert unusable(judged(world)) == there.keys() - can_run - {HOST}


@given(worlds())
@settings(max_examples=300, deadline=None)
def test_the_direct_facts_are_the_relations_that_dont_hold(world: World) -> None:
    state = {c: world.component(c, is_open=False).installed for c in world.installed}
    direct = {
        (reason.release.id, reason.relation)
        for trouble in judged(world)
        for reason in trouble.reasons
        if reason.direct
    }
    assert direct == world.faults(state)


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_whatever_cant_run_has_a_reason_and_its_reasons_can_be_followed_to_a_fact(world: World) -> None:
    found = {trouble.release.component: trouble for trouble in judged(world)}
    for trouble in found.values():
        assert trouble.reasons
        for reason in trouble.reasons:
            if reason.why is Why.THROUGH:
                assert all(not found[r.component].usable for r in reason.beside)
            if reason.why is Why.TORN:
                assert any(r.relation is reason.relation for r in found[reason.release.component].reasons)


@given(worlds())
@settings(max_examples=200, deadline=None)
def test_a_plugin_that_nobody_speaks_of_changes_nothing(world: World) -> None:
    more = replace(world, installed={**world.installed, 7: 1})
    assert judged(more) == judged(world)


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=200, deadline=None)
def test_other_ids_and_another_order_change_nothing(world: World, chance: random.Random) -> None:
    there = installed(world)
    others = dict(zip(there, chance.sample(range(10, 99), len(there)), strict=True))
    renamed = {c: _renamed(release, others) for c, release in there.items()}
    host = renamed.pop(HOST, None)
    shuffled = chance.sample(list(renamed.values()), len(renamed))
    found = troubles(shuffled, host=host, complete=world.complete)
    assert unusable(found) == {others[c] for c in unusable(judged(world))}
    assert {t.release.component for t in found} == {others[t.release.component] for t in judged(world)}


def _renamed(release: Release, others: Mapping[int, int]) -> Release:
    def name(component: int) -> int:
        return others.get(component, component + 100)

    def number(pk: int) -> int:
        return name(pk // 100) * 1000 + pk % 100

    def relation(old: Relation) -> Relation:
        ids, components = frozenset(map(number, old.releases)), frozenset(map(name, old.components))
        return replace(old, releases=ids, components=components)

    return replace(
        release,
        id=number(release.id),
        component=name(release.component),
        relations=tuple(relation(old) for old in release.relations),
    )


def world(relations: Mapping[int, tuple[Relation, ...]], *, complete: bool = True) -> World:
    """Three plugins and the host at version 1."""
    related = {(c, 1): asked for c, asked in relations.items()}
    return World({1: 1, 2: 1, 3: 1, HOST: 1}, related, complete=complete)


def test_what_goes_together_has_no_troubles() -> None:
    assert judged(world({1: (need(2, [1]), need(HOST, [1])), 2: (clash(3, [2]),)})) == ()


def test_what_depends_on_what_cant_run_cant_run_either() -> None:
    first, second = judged(world({1: (need(2, [1]),), 2: (need(3, [2]),)}))
    assert [reason.why for reason in first.reasons] == [Why.THROUGH]
    assert [release.component for release in first.reasons[0].beside] == [2]
    assert [reason.why for reason in second.reasons] == [Why.UNMET]
    assert [release.version for release in second.reasons[0].beside] == ["1"]
    assert not first.usable
    assert not second.usable


def test_two_that_clash_can_run_without_each_other_but_what_needs_both_cant() -> None:
    first, second = judged(world({1: (need(2, [1]), need(3, [1])), 2: (clash(3, [1]),)}))
    assert [reason.why for reason in first.reasons] == [Why.TORN]
    assert not first.usable
    assert [reason.why for reason in second.reasons] == [Why.CLASH]
    assert second.usable


def test_what_clashes_with_the_host_cant_run_since_the_host_stays() -> None:
    assert unusable(judged(world({1: (clash(HOST, [1]),)}))) == {1}


def test_one_alternative_that_can_run_is_enough() -> None:
    either_one = either((2, [1]), (3, [1]))
    assert unusable(judged(world({1: (either_one,), 2: (need(HOST, [2]),)}))) == {2}
    both_out = {1: (either_one,), 2: (need(HOST, [2]),), 3: (need(HOST, [2]),)}
    assert unusable(judged(world(both_out))) == {1, 2, 3}


@pytest.mark.parametrize(("complete", "blamed"), [(True, {1, 2}), (False, {2})])
def test_an_incomplete_list_lets_plugins_be_there_unnamed_but_not_at_another_version(
    complete: bool, blamed: set[int]
) -> None:
    found = judged(world({1: (need(8, [1]),), 2: (need(3, [2]),)}, complete=complete))
    assert unusable(found) == blamed


def test_nothing_is_asked_of_a_host_that_nobody_knows() -> None:
    asked = Release(101, 1, "1", 1, (need(HOST, [2]),))
    assert troubles([asked], host=None) == ()


def test_a_need_that_nothing_in_the_catalogue_could_meet_is_unmet() -> None:
    (trouble,) = troubles([Release(101, 1, "1", 1, (Need("needs x", frozenset(), frozenset()),))], host=None)
    assert not trouble.usable
