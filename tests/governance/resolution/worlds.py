"""Tiny worlds for the tests of resolution, and their answers by enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

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
    decide,
)

VERSIONS = (1, 2, 3)
HOST = 9


def release_id(component: int, version: int) -> int:
    """Ids that tell what they stand for: 203 is the plugin 2 at version 3."""
    return component * 100 + version


def ids(component: int, versions: Iterable[int]) -> frozenset[int]:
    """The ids of some versions of a component."""
    return frozenset(release_id(component, version) for version in versions)


def need(component: int, versions: Iterable[int], says: str = "needs it") -> Need:
    """One of the versions must be there."""
    return Need(says, ids(component, versions), frozenset({component}), of_host=component == HOST)


def either(*choices: tuple[int, Iterable[int]]) -> Need:
    """One of the versions of one of the components must be there."""
    releases = frozenset[int]().union(*(ids(component, versions) for component, versions in choices))
    return Need("needs one of them", releases, frozenset(component for component, _ in choices))


def clash(component: int, versions: Iterable[int]) -> Clash:
    """None of the versions may be there."""
    return Clash("doesn't go with it", ids(component, versions), frozenset({component}))


@dataclass(frozen=True)
class World:
    """A catalogue, one tenant, and what binds it. `relations` are by (component, version)."""

    installed: Mapping[int, int | None]
    relations: Mapping[tuple[int, int], tuple[Relation, ...]] = field(default_factory=dict)
    bindings: tuple[Binding, ...] = ()
    complete: bool = True

    def release(self, component: int, version: int) -> Release:
        """One release of the catalogue."""
        return Release(
            release_id(component, version),
            component,
            str(version),
            version,
            self.relations.get((component, version), ()),
        )

    def component(self, component: int, *, is_open: bool) -> Component:
        """A component as this tenant has it."""
        version = self.installed[component]
        return Component(
            id=component,
            name="host" if component == HOST else f"p{component}",
            installed=None if version is None else self.release(component, version),
            candidates=Candidates(self.release(component, v) for v in VERSIONS if is_open),
            open=is_open,
            host=component == HOST,
        )

    def situation(self, opened: Iterable[int] | None = None) -> Situation:
        """The tenant's situation with some components open, by default all."""
        opened = set(self.installed if opened is None else opened)
        return Situation(
            tuple(self.component(c, is_open=c in opened) for c in self.installed),
            self.bindings,
            self.complete,
        )

    def broken(self) -> set[int]:
        """The components that break a binding."""
        return {
            b.component
            for b in self.bindings
            if b.wanted and not b.allows(self.installed_release(b.component))
        }

    def decide(self) -> Outcome:
        """Decide as the product does: with the offenders open, and others as they are asked for."""
        opened = self.broken()
        while (outcome := decide(self.situation(opened))).beyond:
            assert not outcome.beyond <= opened
            opened |= outcome.beyond
        return outcome

    def after(self, outcome: Outcome) -> dict[int, Release | None]:
        """The state that the outcome's changes lead to."""
        state = {c: self.installed_release(c) for c in self.installed}
        for change in outcome.changes:
            assert change.before == state[change.component]
            state[change.component] = change.after
        return state

    def faults(self, state: Mapping[int, Release | None]) -> set[tuple[int, Relation]]:
        """Every relation that doesn't hold, read off naively."""
        present = {r.id for r in state.values() if r is not None}
        there = {c for c, r in state.items() if r is not None}

        def holds(relation: Relation) -> bool:
            if isinstance(relation, Clash):
                return not relation.releases & present
            unknown = (relation.of_host or not self.complete) and not relation.components & there
            return bool(relation.releases & present) or unknown

        return {
            (release.id, relation)
            for release in state.values()
            if release is not None
            for relation in release.relations
            if not holds(relation)
        }

    def is_sound(self, state: Mapping[int, Release | None]) -> bool:
        """Whether the state satisfies every binding and every relation that wasn't broken before."""
        before = self.faults({c: self.installed_release(c) for c in self.installed})
        return all(b.allows(state[b.component]) for b in self.bindings) and self.faults(state) <= before

    def solutions(self, *, moving: set[int] | None = None) -> Iterator[dict[int, Release | None]]:
        """Every sound state that keeps what is installed installed, unless a rule says absent."""
        return (state for state in self.states(moving=moving) if self.is_sound(state))

    def states(self, *, moving: set[int] | None = None) -> Iterator[dict[int, Release | None]]:
        """Every state, sound or not, that keeps what is installed installed, unless a rule says absent."""
        removable = {b.component for b in self.bindings if b.kind == "absent"}
        choices: list[list[Release | None]] = []
        for component, version in self.installed.items():
            here = self.installed_release(component)
            if moving is not None and component not in moving:
                choices.append([here])
                continue
            releases: list[Release | None] = [self.release(component, v) for v in VERSIONS]
            choices.append([*releases, None] if version is None or component in removable else releases)
        for state in itertools.product(*choices):
            yield dict(zip(self.installed, state, strict=True))

    def cost(self, state: Mapping[int, Release | None]) -> int:
        """How many components differ from now."""
        return sum(state[c] != self.installed_release(c) for c in self.installed)

    def without(self, rules: Iterable[tuple[str, str]], components: Iterable[int]) -> World:
        """The world with rules set aside."""
        rules, components = set(rules), set(components)
        kept = (b for b in self.bindings if b.rule not in rules or b.component not in components)
        return replace(self, bindings=tuple(kept))

    def installed_release(self, component: int) -> Release | None:
        """What a component is at."""
        version = self.installed[component]
        return None if version is None else self.release(component, version)


def wants(
    component: int, versions: Iterable[int], policy: str = "policy", key: str = "rule", **more: object
) -> Binding:
    """A version rule."""
    versions = tuple(versions)
    values: dict[str, object] = {
        "kind": "range",
        "says": f"wants p{component} in {','.join(map(str, versions))}",
        "prefer": Prefer.NEWEST,
        **more,
    }
    return Binding(policy, key, component=component, allowed=ids(component, versions), **values)  # type: ignore[arg-type]


def holds(component: int, version: int, policy: str = "hold") -> Binding:
    """A hold at what is installed."""
    says = f"keeps p{component} at {version}"
    return wants(component, [version], policy, policy, kind="hold", absence=False, says=says)


def absent(component: int, policy: str = "banned") -> Binding:
    """A rule that the component be gone."""
    return wants(component, [], policy, policy, kind="absent", says=f"wants no p{component}")


def present(component: int, policy: str = "needed") -> Binding:
    """A rule that the component be there."""
    return wants(
        component, VERSIONS, policy, policy, kind="present", absence=False, says=f"wants p{component}"
    )
