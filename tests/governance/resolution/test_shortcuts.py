"""All that is decided is the same with and without intersecting, on worlds that are harder than most.

Relations that several components may meet or break together, equal versions, withdrawn releases that a rule
names, needs of what the situation doesn't have, hosts that need something themselves, and closed components.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.resolution import (
    Binding,
    Candidates,
    Clash,
    Component,
    Need,
    Outcome,
    Prefer,
    Relation,
    Release,
    Situation,
    conflicts,
    decide,
    deciding,
    oracle,
    search,
)
from governance.resolution.forced import Forced
from tests.governance.resolution.worlds import HOST, absent, holds, ids, present, release_id, wants

ELSEWHERE = 7  # a component that no situation has


@dataclass
class Harder:
    """One tenant's situation, drawn from a seed; which of it is open is asked with it."""

    seed: int
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        chance = self.chance = Random(self.seed)
        count = chance.choice([2, 3, 4, 5])
        self.components = [*range(1, count + 1), *([HOST] if chance.random() < 0.85 else [])]
        self.versions = {
            c: range(1, chance.choice([2, 3, 4, 5])) for c in [*self.components, ELSEWHERE, HOST]
        }
        self.releases = {
            c: tuple(self._release(c, version) for version in self.versions[c]) for c in self.components
        }
        self.installed = {
            c: None if chance.random() < 0.2 else chance.choice(self.releases[c]) for c in self.components
        }
        rules = (self._rule(f"policy-{number}") for number in range(chance.choice([1, 2, 3, 4, 5])))
        self.bindings = tuple(rule for rule in rules if rule is not None)
        self.complete = chance.random() < 0.6

    @property
    def broken(self) -> set[int]:
        """The components that break a rule to be acted on."""
        return {b.component for b in self.bindings if b.wanted and not b.allows(self.installed[b.component])}

    def situation(self, opened: Collection[int]) -> Situation:
        """With these components open."""
        parts = tuple(
            Component(
                id=c,
                name=f"p{c}",
                installed=self.installed[c],
                candidates=Candidates(self.releases[c] if c in opened else ()),
                open=c in opened,
                host=c == HOST,
            )
            for c in self.components
        )
        return Situation(parts, self.bindings, self.complete)

    def decide(self, opened: Collection[int]) -> Outcome:
        """With what resolution asks for opened too."""
        opened = {*opened, *self.broken}
        while (outcome := decide(self.situation(opened))).beyond:
            opened |= outcome.beyond
        return outcome

    def _release(self, component: int, version: int) -> Release:
        chance = self.chance
        asks = component != HOST or chance.random() < 0.15
        relations = [
            self._relation(component) for _ in range(chance.choice([0, 0, 1, 1, 2, 3]) if asks else 0)
        ]
        rank = version if chance.random() < 0.7 else max(1, version - 1)
        offered = chance.random() < 0.85
        name = release_id(component, version)
        nameable = offered or chance.random() < 0.8
        return Release(name, component, str(version), rank, tuple(relations), offered, nameable)

    def _relation(self, component: int) -> Relation:
        chance = self.chance
        named = [*self.components, *([ELSEWHERE, HOST] if chance.random() < 0.1 else [])]
        others = sorted({c for c in named if c != component or chance.random() < 0.05}) or [ELSEWHERE]
        some = chance.sample(others, min(chance.choice([1, 1, 1, 1, 2, 2, 3]), len(others)))
        if HOST in some and chance.random() < 0.8:
            some = [HOST]
        releases = frozenset[int]().union(*(ids(c, self._some_versions(c)) for c in some))
        says = f"{sorted(releases)} of {sorted(some)}"
        if chance.random() < 0.35:
            return Clash(f"doesn't go with {says}", releases, frozenset(some))
        return Need(f"needs {says}", releases, frozenset(some), of_host=some == [HOST])

    def _some_versions(self, component: int) -> list[int]:
        versions = self.versions[component]
        least = 0 if self.chance.random() < 0.1 else 1
        return self.chance.sample(versions, self.chance.randint(least, len(versions)))

    def _rule(self, name: str) -> Binding | None:
        chance = self.chance
        component = chance.choice(self.components)
        here = self.installed[component]
        kind = chance.choice(["range"] * 6 + ["exact"] * 2 + ["hold", "absent", "present"])
        if kind == "hold":
            return holds(component, int(here.version), name) if here is not None else None
        if kind in ("absent", "present"):
            return absent(component, name) if kind == "absent" else present(component, name)
        versions = self._some_versions(component)
        if kind == "exact":
            versions = [chance.choice(self.versions[component])]
        return wants(
            component,
            versions,
            name,
            exact=kind == "exact",
            weight=chance.choice([10, 100, 200]),
            prefer=chance.choice(list(Prefer)),
            wanted=chance.random() < 0.85,
        )


def told(outcome: Outcome) -> tuple[object, ...]:
    """All of it but for words: what is open beside changes how exactly a bystander's version is told."""
    return (
        outcome.changes,
        [
            (one.stuck, one.complete, one.proved, {frozenset(s.rule for s in a.rules) for a in one.sets})
            for one in outcome.unsettled
        ],
        [[(way.rules, way.weight, way.goes) for way in one.ways_out] for one in outcome.unsettled],
    )


@given(st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=500, deadline=None)
def test_what_is_decided_is_what_the_search_alone_decides(seed: int, share: float) -> None:
    world = Harder(seed)
    opened = {c for c in world.components if world.chance.random() < share}
    decided = world.decide(opened)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deciding, "directly", lambda *_args, **_kinds: None)
        patch.setattr(search, "must_move", lambda one, goals: Forced(one, {}, frozenset(goals), {}, None))
        patch.setattr(conflicts, "hopeless_of", lambda _problem: ())
        patch.setattr(oracle, "best_directly", lambda *_args, **_kinds: None)
        patch.setattr(oracle, "some_directly", lambda *_args: None)
        patch.setattr(oracle, "blamed_directly", lambda *_args: None)
        assert told(decided) == told(world.decide(opened))


def test_what_needs_a_component_that_nobody_has_is_passed_over() -> None:
    need = Need("needs it", ids(ELSEWHERE, [1]), frozenset({ELSEWHERE}))
    first, second = (
        Release(release_id(1, version), 1, str(version), version, (need,) if version == 2 else ())
        for version in (1, 2)
    )
    situation = Situation(
        (Component(1, "p1", first, Candidates((first, second)), open=True),), (wants(1, [2]),)
    )
    outcome = decide(situation)
    assert not outcome.changes
    assert [one.stuck for one in outcome.unsettled] == [(1,)]


def test_a_rule_that_another_lets_be_kept_by_naming_a_withdrawn_release_is_not_to_blame() -> None:
    """Only `pin` names 1 of p2, which is withdrawn; without it nothing that `low` allows would be offered."""
    first, second = Release(101, 1, "1", 1), Release(102, 1, "2", 2)
    one, two = Release(201, 2, "1", 1, offered=False), Release(202, 2, "2", 2)
    asked = (Need("needs p2 1", ids(2, [1]), frozenset({2})), Clash("not p1 1", ids(1, [1]), frozenset({1})))
    three, four = Release(301, 3, "1", 1, asked), Release(302, 3, "2", 2)
    situation = Situation(
        (
            Component(1, "p1", first, Candidates((first, second)), open=True),
            Component(2, "p2", two, Candidates((one, two)), open=True),
            Component(3, "p3", four, Candidates((three, four)), open=True),
        ),
        (
            holds(1, 1, "kept"),
            wants(2, [1], "low", weight=200),
            wants(2, [1], "pin", exact=True),
            wants(3, [1], "down", weight=10),
        ),
    )
    outcome = decide(situation)
    assert [change.component for change in outcome.changes] == [2]
    (unsettled,) = outcome.unsettled
    assert [sorted(s.policy for s in one.rules) for one in unsettled.sets] == [["down", "kept"]]
