"""A situation in the parts that can be decided one by one.

What is open hangs together only where a release asks something of several open components at once. Whoever
changes in one part is nobody's concern in another, so thousands of tenants that are unlike as wholes share
nearly all their parts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from governance.resolution.values import Component, Relation, Situation


def parts(situation: Situation) -> tuple[Situation, ...]:
    """The situation's parts, each with the closed components that it has to get along with."""
    opened = frozenset(c.id for c in situation.components if c.open)
    groups = _Groups(opened)
    for component in situation.components:
        for touched in _touched(component, opened):
            groups.join(touched)
    return tuple(narrowed(situation, group) for group in groups.members())


def narrowed(situation: Situation, opened: Collection[int]) -> Situation:
    """The situation with only these of its open components open, and only what they have to get along with.

    A closed component that asks nothing of an open one is there for what it is, not for what it asks.
    """
    around = set(opened)
    for component in situation.components:
        if component.id in opened:
            around.update(*component.asks)
        elif touching := [asked for asked in component.closed.asks if not asked.isdisjoint(opened)]:
            around.update({component.id}, *touching)
    kept = [_seen(component, opened) for component in situation.components if component.id in around]
    asked = _asked(kept, opened)
    return replace(
        situation,
        components=tuple(_alike(component, asked.get(component.id, ())) for component in kept),
        bindings=tuple(b for b in situation.bindings if b.component in opened),
    )


def _seen(component: Component, opened: Collection[int]) -> Component:
    if component.id in opened:
        return component
    asks = any(not asked.isdisjoint(opened) for asked in component.closed.asks)
    return component.closed if asks else component.bystander


def _asked(components: Iterable[Component], opened: Collection[int]) -> dict[int, set[Relation]]:
    """By component, what the others ask of it that may come to matter."""
    found: dict[int, set[Relation]] = {}
    for component in components:
        for other, relations in component.about.items():
            mine = found.setdefault(other, set())
            if component.id in opened:
                mine.update(relations)
            else:
                mine.update(one for one in relations if not one.components.isdisjoint(opened))
    return found


def _alike(component: Component, asked: Collection[Relation]) -> Component:
    """A bystander at one release that stands for all of which the same holds, so that tenants are alike.

    Its version isn't told: one tenant's would be read in another.
    """
    here = component.installed
    if component.open or here is None or here.relations:
        return component
    met = [one.releases for one in asked if here.id in one.releases]
    other = [one.releases for one in asked if here.id not in one.releases]
    alike = frozenset.intersection(*met).difference(*other) if met else frozenset({-component.id})
    return replace(component, installed=replace(here, id=min(alike), version=""))


def _touched(component: Component, opened: frozenset[int]) -> Iterator[frozenset[int]]:
    """The sets of open components of which the component's releases ask something together."""
    own = {component.id} if component.open else set()
    for asked in component.asks:
        yield (asked & opened) | own


class _Groups:
    """Disjoint sets of components, joined as they turn out to belong together."""

    def __init__(self, components: Iterable[int]) -> None:
        self._of = {component: {component} for component in components}

    def join(self, together: Iterable[int]) -> None:
        """Put these into one group."""
        mine: set[int] | None = None
        for component in together:
            theirs = self._of[component]
            if mine is None:
                mine = theirs
            elif mine is not theirs:
                mine |= theirs
                for component in theirs:
                    self._of[component] = mine

    def members(self) -> list[set[int]]:
        """The groups, by their lowest component."""
        return sorted({id(group): group for group in self._of.values()}.values(), key=min)
