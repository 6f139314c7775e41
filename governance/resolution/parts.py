"""A situation in the parts that can be decided one by one.

What is open hangs together only where a release asks something of several open components at once. Whoever
changes in one part is nobody's concern in another, so thousands of tenants that are unlike as wholes share
nearly all their parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from governance.resolution.releases import Relation
from governance.resolution.situation import Situation
from governance.resolution.values import Component

Askers = dict[int, list[Component]]  # by open component, who asks something of it where it is


def parts(situation: Situation) -> tuple[Situation, ...]:
    """The situation's parts, each with the closed components that it has to get along with."""
    opened = frozenset(c.id for c in situation.components if c.open)
    groups = _Groups(opened)
    askers: Askers = defaultdict(list)
    for component in situation.components:
        if component.stands_by:
            continue
        if component.open:
            groups.join((component.named & opened) | {component.id})
        else:
            for relation in component.joint:
                groups.join(relation.components & opened)
        for asked in component.closed.named & opened:
            askers[asked].append(component.closed)
    return tuple(_narrowed(situation, group, askers) for group in groups.members())


def _narrowed(situation: Situation, opened: set[int], askers: Askers) -> Situation:
    """The situation with only these of its open components open, and only what they have to get along with.

    A closed component that asks nothing of an open one is there for what it is, not for what it asks.
    """
    near = {one.id: one for c in opened for one in askers.get(c, ()) if one.id not in opened}
    mine = [situation.component(c) for c in opened]
    joint = [one for component in near.values() for one in component.joint if one.components & opened]
    asked = _asked(mine, joint)
    standing = (situation.find(c) for c in asked.keys() - near.keys() - opened)
    bystanders = (one.bystander.like(asked[one.id]) for one in standing if one is not None)
    return replace(
        situation,
        components=(*mine, *near.values(), *bystanders),
        bindings=tuple(b for b in situation.bindings if b.component in opened),
    )


def _asked(mine: Sequence[Component], joint: Sequence[Relation]) -> Mapping[int, Collection[Relation]]:
    """By component, what is asked of it that may come to matter."""
    if len(mine) == 1 and not joint:
        return mine[0].about
    found: dict[int, set[Relation]] = defaultdict(set)
    for component in mine:
        for other, relations in component.about.items():
            found[other] |= relations
    for relation in joint:
        for other in relation.components:
            found[other].add(relation)
    return found


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
