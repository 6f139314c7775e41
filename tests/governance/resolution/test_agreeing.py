"""Several tenants at once, against enumeration of all that they could run."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import Binding, Need, Release, Rule, Sameness, Tenants
from tests.governance.resolution.test_best import minimal, relations
from tests.governance.resolution.worlds import HOST, VERSIONS, World, absent, holds, ids, present, wants

COMPONENTS = (1, 2, HOST)
State = Mapping[int, Release | None]


@dataclass(frozen=True)
class Group:
    """Tenants on one catalogue. `same` are the components that shall be the same in all of them, by rule."""

    worlds: tuple[World, ...]
    same: Mapping[Rule, int]

    @property
    def rules(self) -> list[Rule]:
        """All rules."""
        of_tenants = {binding.rule for world in self.worlds for binding in world.bindings}
        return sorted({*of_tenants, *self.same})

    def ask(self) -> Tenants:
        """The group as the product sees it."""
        choices = {c: tuple(ids(c, [version]) for version in VERSIONS) for c in COMPONENTS}
        same = tuple(Sameness(rule, c, choices[c]) for rule, c in sorted(self.same.items()))
        return Tenants(tuple(replace(world.situation(), strict=True) for world in self.worlds), same)

    def least(self, rules: Collection[Rule]) -> int | None:
        """The fewest changes that meet these rules in all tenants, by trying every state of each."""
        wanted = [component for rule, component in self.same.items() if rule in rules]
        costs: dict[tuple[int | None, ...], int] = {(): 0} if not self.worlds else {}
        for place, world in enumerate(self.worlds):
            mine = self._costs(world, rules, wanted)
            costs = mine if place == 0 else _met(costs, mine)
        return min(costs.values(), default=None)

    def _costs(
        self, world: World, rules: Collection[Rule], wanted: Collection[int]
    ) -> dict[tuple[int | None, ...], int]:
        """The fewest changes of one tenant, by the versions of what shall be the same."""
        costs: dict[tuple[int | None, ...], int] = {}
        for state in world.states():
            allowed = all(b.allows(state[b.component]) for b in world.bindings if b.rule in rules)
            if allowed and not world.faults(state):
                at = tuple(None if (there := state[c]) is None else there.rank for c in wanted)
                costs[at] = min(costs.get(at, 99), world.cost(state))
        return costs


def _met(
    left: Mapping[tuple[int | None, ...], int], right: Mapping[tuple[int | None, ...], int]
) -> dict[tuple[int | None, ...], int]:
    """Both together: who lacks a component agrees with everyone."""
    found: dict[tuple[int | None, ...], int] = {}
    for (mine, cost), (theirs, more) in itertools.product(left.items(), right.items()):
        if all(a is None or b is None or a == b for a, b in zip(mine, theirs, strict=True)):
            at = tuple(b if a is None else a for a, b in zip(mine, theirs, strict=True))
            found[at] = min(found.get(at, 99), cost + more)
    return found


def a_group(seed: int) -> Group:
    """Up to two tenants; a rule binds one of them or both."""
    chance = Random(seed)
    related = {(c, v): _sound(relations(chance, c)) for c in (1, 2) for v in VERSIONS}
    installed: list[dict[int, int | None]] = [
        {1: chance.choice(VERSIONS), 2: chance.choice([None, 1, 2, 3]), HOST: chance.choice(VERSIONS)}
        for _ in range(chance.choice([1, 2, 2]))
    ]
    bound: list[list[Binding]] = [[] for _ in installed]
    same: dict[Rule, int] = {}
    for number in range(chance.choice([1, 2, 3, 4])):
        name = f"policy-{number}"
        if len(installed) > 1 and chance.random() < 0.3:
            same[name, name] = chance.choice([1, 2])
            continue
        component = chance.choice(COMPONENTS)
        versions = sorted(chance.sample(VERSIONS, chance.choice([1, 1, 2])))
        kind = chance.choice(["range", "range", "range", "hold", "absent", "present"])
        for place in chance.choice([range(len(installed)), [chance.randrange(len(installed))]]):
            bound[place] += _rule(kind, component, versions, name, installed[place][component])
    worlds = (World(mine, related, tuple(b)) for mine, b in zip(installed, bound, strict=True))
    return Group(tuple(worlds), same)


def _sound(asked: tuple[object, ...]) -> tuple[Need, ...]:
    """Among the components that there are here."""
    return tuple(one for one in asked if isinstance(one, Need) and one.components <= set(COMPONENTS))


def _rule(kind: str, component: int, versions: list[int], name: str, here: int | None) -> Iterator[Binding]:
    if kind == "hold" and here is not None:
        yield replace(holds(component, here), policy=name, key=name)
    elif kind in ("absent", "present") and component != HOST:
        yield absent(component, name) if kind == "absent" else present(component, name)
    elif kind == "range":
        yield wants(component, versions, name, name)


def groups() -> st.SearchStrategy[Group]:
    """Spread evenly: left alone, hypothesis dwells on groups with nothing to do."""
    return st.integers(0, 2**32).map(a_group)


@given(groups())
@settings(max_examples=300, deadline=None)
def test_a_group_can_agree_exactly_where_enumeration_finds_how_and_as_cheaply(group: Group) -> None:
    agreement, least = group.ask().agreement(), group.least(group.rules)
    assert (agreement is None) == (least is None)
    if agreement is not None:
        assert sum(map(len, agreement)) == least


@given(groups())
@settings(max_examples=300, deadline=None)
def test_the_sets_of_rules_that_cannot_hold_together_are_those_of_enumeration(group: Group) -> None:
    rules = group.rules
    expected = minimal(rules, lambda some: group.least(some) is None)
    assert set(group.ask().conflicts(rules)) == expected


@given(groups(), st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_a_further_rule_takes_no_conflict_away_unless_it_lets_a_plugin_go(group: Group, seed: int) -> None:
    chance = Random(seed)
    component, place = chance.choice(COMPONENTS), chance.randrange(len(group.worlds))
    further = wants(component, chance.sample(VERSIONS, 2), "further", "further")
    worlds = [
        replace(world, bindings=(*world.bindings, further)) if number == place else world
        for number, world in enumerate(group.worlds)
    ]
    more = Group(tuple(worlds), group.same)
    before = set(group.ask().conflicts(group.rules))
    after = set(more.ask().conflicts(more.rules))
    assert all(any(other <= known for other in after) for known in before)
    assert {known for known in after if ("further", "further") not in known} == before


@given(groups())
@settings(max_examples=150, deadline=None)
def test_a_tenants_answer_hangs_on_no_other_tenant_unless_they_shall_be_the_same(group: Group) -> None:
    apart = replace(group, same={})
    together = apart.ask().agreement()
    alone = [Group((world,), {}).ask().agreement() for world in group.worlds]
    assert (together is None) == any(one is None for one in alone)
    if together is not None:
        assert list(together) == [changes for one in alone if one is not None for changes in one]


@given(groups())
@settings(max_examples=150, deadline=None)
def test_the_names_of_rules_make_no_difference(group: Group) -> None:
    def renamed(rule: Rule) -> Rule:
        return (f"z{rule[0][::-1]}", f"y{rule[1]}")

    worlds = [
        replace(
            world,
            bindings=tuple(
                replace(b, policy=renamed(b.rule)[0], key=renamed(b.rule)[1]) for b in world.bindings
            ),
        )
        for world in group.worlds
    ]
    other = Group(tuple(worlds), {renamed(rule): component for rule, component in group.same.items()})
    assert {frozenset(map(renamed, one)) for one in group.ask().conflicts(group.rules)} == set(
        other.ask().conflicts(other.rules)
    )
    mine, theirs = group.ask().agreement(), other.ask().agreement()
    assert (mine is None) == (theirs is None)
    if mine is not None and theirs is not None:
        assert sum(map(len, mine)) == sum(map(len, theirs))
