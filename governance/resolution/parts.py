"""A situation in the parts that can be decided one by one.

What is open hangs together only where a release asks something of several open components at once. Whoever
changes in one part is nobody's concern in another, so thousands of tenants that are unlike as wholes share
nearly all their parts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

from governance.resolution.releases import AskedByEach, Relation
from governance.resolution.situation import Situation
from governance.resolution.values import Binding, Component


def parts(situation: Situation) -> tuple[Situation, ...]:
    """The situation's parts, each with the closed components that it has to get along with."""
    opened = {c.id: c for c in situation.components if c.open}
    closed = [c for c in situation.components if not c.open and not c.stands_by]
    askers: dict[int, list[Component]] = defaultdict(list)
    for component in closed:
        for asked in component.named & opened.keys():
            askers[asked].append(component)
    groups = together(
        {c.id: c.named & opened.keys() for c in opened.values()},
        (relation.components & opened.keys() for c in closed for relation in c.joint),
    )
    return tuple(_narrowed(situation, [opened[c] for c in sorted(group)], askers) for group in groups)


def _narrowed(
    situation: Situation, mine: Sequence[Component], askers: Mapping[int, Sequence[Component]]
) -> Situation:
    """The situation with only these open, and only with what they have to get along with."""
    near = {one.id: one for component in mine for one in askers.get(component.id, ())}
    frame = Frame(tuple(mine), tuple(near.values()))
    standing = ((situation.find(c), asked) for c, asked in frame.asked.items())
    ids = {component.id for component in mine}
    return frame.filled(
        (one.bystander.like(asked) for one, asked in standing if one is not None),
        (b for b in situation.bindings if b.component in ids),
        complete=situation.complete,
        strict=situation.strict,
        why=situation.why,
    )


class Frame:
    """A part without its bystanders and rules: what is open, and what closed asks something of it."""

    def __init__(self, mine: tuple[Component, ...], near: tuple[Component, ...]) -> None:
        self.mine = mine
        self.near = near

    @cached_property
    def asked(self) -> Mapping[int, AskedByEach]:
        """What is asked of each bystander, which is there for what it is and not for what it asks."""
        opened = {component.id for component in self.mine}
        joint = [one for component in self.near for one in component.joint if one.components & opened]
        found = _asked(self.mine, joint)
        apart = opened.union(component.id for component in self.near)
        return {component: found[component] for component in sorted(found.keys() - apart)}

    def filled(
        self,
        bystanders: Iterable[Component],
        bindings: Iterable[Binding],
        *,
        complete: bool,
        strict: bool = False,
        why: bool = True,
    ) -> Situation:
        """The part with these bystanders, and these rules of the open components."""
        components = (*self.mine, *self.near, *bystanders)
        return Situation(components, tuple(bindings), complete, strict, why)


def _asked(mine: Sequence[Component], joint: Sequence[Relation]) -> Mapping[int, AskedByEach]:
    """By component, what is asked of it that may come to matter."""
    found: dict[int, list[frozenset[Relation]]] = defaultdict(list)
    for component in mine:
        for other, relations in component.about.items():
            found[other].append(relations)
    for relation in joint:
        for other in relation.components:
            found[other].append(frozenset({relation}))
    return {other: tuple(some) for other, some in found.items()}


def together(named: Mapping[int, Collection[int]], joint: Iterable[Collection[int]]) -> list[frozenset[int]]:
    """The open components, those that hang together as one, by their lowest.

    `named` is of which others each one's releases ask something, `joint` of which ones together closed
    components ask something.
    """
    group_of = {component: {component} for component in named}
    linked = [(component, *others) for component, others in named.items() if others]
    for first, *others in (*linked, *(some for some in joint if len(some) > 1)):
        mine = group_of[first]
        for component in others:
            theirs = group_of[component]
            if mine is not theirs:
                mine |= theirs
                group_of.update(dict.fromkeys(theirs, mine))
    distinct = {id(group): group for group in group_of.values()}
    return [frozenset(group) for group in sorted(distinct.values(), key=min)]
