"""The dependency chain that closes a conflict, from release to release."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass

from governance.resolution.confining import places, ways
from governance.resolution.ground import Fault, State
from governance.resolution.hindering import Hindrances
from governance.resolution.links import Demand, Link, Place, Stands
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Relation, Release
from governance.resolution.values import Component

SHOWN_RELEASES = 3  # of the allowed releases so many are told of, one thing about each
LINKS = 400  # releases looked at for a chain before it is left untold

_NOTHING: State = {}

_Path = tuple[Fault, ...]


@dataclass(frozen=True)
class Chain:
    """What closes a conflict, and what it is by itself: the demands, whatever is installed."""

    links: tuple[Link, ...]
    demands: tuple[str, ...]


def chain(problem: Problem, component: Component) -> Chain:
    """Why the releases that the problem's bindings leave to the component don't help.

    Where another component's binding has a part in it, the shortest way from a demand of one of these
    releases to that component, or what else the bound ones demand that leaves some component nowhere to go;
    otherwise what is wrong with the best of these releases as things stand, and what keeps that from being
    mended where it is seen; this depends on what is installed, and so is no part of the demands.
    """
    held_up, bound = component.id, {binding.component for binding in problem.bindings}
    if way := _shortest(problem, held_up) or _confined(problem, held_up, bound):
        return _told(way, [_link(problem, fault) for fault in way])
    faults = _faults(problem, held_up, bound - {held_up})
    hindrances = Hindrances(problem)
    links = [
        _link(problem, step, state)
        for fault, state in faults.items()
        for step in hindrances.of(state[held_up]) or (fault,)
    ]
    return _told(tuple(faults), links)


def _told(faults: Sequence[Fault], links: Iterable[Link]) -> Chain:
    return Chain(
        links=tuple({str(link): link for link in links}.values()),
        demands=tuple(f"{fault.release.id} {fault.relation.digest}" for fault in faults),
    )


def _faults(problem: Problem, held_up: int, bound: Set[int]) -> dict[Fault, State]:
    """What is wrong with the best targets, one thing of each: rather what the others that are bound are in.

    With each, where all are then: the others where their bindings take them, or where they are if nothing is
    wrong with that. What is wrong with several is told of the best of them.
    """
    found: dict[Fault, State] = {}
    away = {c: there[0] for c in sorted(bound & problem.start.keys()) if (there := places(problem, c))}
    for release in problem.targets(held_up)[:SHOWN_RELEASES]:
        for others in (away, _NOTHING):
            state = {**problem.start, **others, held_up: release}
            faults = problem.ground.faults_of(state, held_up, [held_up, *others])
            about = (fault for fault in faults if bound & {fault.component, *fault.relation.components})
            first = next(about, next(iter(faults), None))
            if first is not None:
                found.setdefault(first, state)
                break
    return found


def _confined(problem: Problem, held_up: int, bound: Set[int]) -> _Path:
    """The demands of all that are bound that leave some component nowhere to go; empty if none is near."""
    if bound <= {held_up}:
        return ()
    return tuple(dict.fromkeys(fault for way in ways(problem, bound, LINKS) for fault in way))


def _shortest(problem: Problem, held_up: int) -> _Path:
    """From the component to a demand that another bound component can't meet; empty if none is near."""
    bound = {binding.component for binding in problem.bindings} - {held_up}
    waiting: deque[tuple[Release, _Path]] = deque(
        (release, ()) for release in problem.targets(held_up) if release is not None
    )
    seen: set[int] = set()
    while waiting and len(seen) < LINKS:
        release, path = waiting.popleft()
        if release.id in seen:
            continue
        seen.add(release.id)
        for place, relation in enumerate(release.relations):
            link = (*path, Fault(release.component, release, place, relation))
            if any(_fails(problem, other, relation) for other in relation.components & bound):
                return link
            waiting.extend((following, link) for following in _following(problem, relation))
    return ()


def _fails(problem: Problem, component: int, relation: Relation) -> bool:
    """Whether nowhere that its bindings leave to it the component meets the relation."""
    there = places(problem, component)
    if isinstance(relation, Clash):
        return bool(there) and all(place is not None and place.id in relation.releases for place in there)
    return not any(
        place is not None and place.id in relation.releases
        for other in relation.components
        for place in places(problem, other)
    )


def _following(problem: Problem, relation: Relation) -> Iterator[Release]:
    """The releases nearest to what is installed by which an unmet demand could be met."""
    start = problem.start
    met = any(
        (here := start.get(c)) is not None and here.id in relation.releases for c in relation.components
    )
    if isinstance(relation, Clash) or met:
        return
    for component in sorted(relation.components & start.keys()):
        meeting = (to for to in problem.targets(component) if to is not None and to.id in relation.releases)
        first = next(meeting, None)
        if first is not None:
            yield first


def _link(problem: Problem, fault: Fault, supposed: State = _NOTHING) -> Link:
    """The demand, and where the others are or, for the `supposed` and those that can't stay, would be."""
    relation = fault.relation
    others = sorted(c for c in relation.components if c != fault.component and c in problem.start)
    return Link(
        plugin=problem.situation.component(fault.component).name,
        version=fault.release.version,
        says=relation.says,
        demand=_demand(relation),
        what=relation.what,
        stands=tuple(_stands(problem, c, relation, supposed) for c in others),
    )


def _stands(problem: Problem, component: int, relation: Relation, supposed: State) -> Stands:
    named = problem.situation.component(component)
    there = (supposed[component],) if component in supposed else places(problem, component)[:1]
    if not there:
        return Stands(named.name, Place.NOWHERE)
    such = there[0] is not None and there[0].id in relation.releases
    would = there[0] is not problem.start[component]
    return Stands(named.name, _at(named, there[0], relation), would=would, such=such)


def _demand(relation: Relation) -> Demand:
    if isinstance(relation, Clash):
        return Demand.ONLY if relation.only else Demand.NOT
    return Demand.NEEDS


def _at(component: Component, release: Release | None, relation: Relation) -> str | Place:
    """Where a component is. Of a bystander only what its digest tells, for tenants share the words."""
    if release is None:
        return Place.GONE
    if component.stands_by:
        return Place.SUCH if release.id in relation.releases else Place.ANOTHER
    return release.version
