"""The dependency chain that closes a conflict, from release to release."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from governance.resolution.ground import Fault
from governance.resolution.links import Demand, Link, Place, Stands
from governance.resolution.problem import Problem
from governance.resolution.releases import Clash, Relation, Release
from governance.resolution.values import Component

SHOWN_RELEASES = 3  # how many of the allowed releases are told of
SHOWN_FAULTS = 3  # and how much about each
LINKS = 400  # releases looked at for a chain before it is left untold

_Path = tuple[Fault, ...]


@dataclass(frozen=True)
class Chain:
    """What closes a conflict, and what it is by itself: the demands, whatever is installed."""

    links: tuple[Link, ...]
    demands: tuple[str, ...]


def chain(problem: Problem, component: Component) -> Chain:
    """Why the releases that the problem's bindings leave to the component don't help.

    Where another component's binding has a part in it, the shortest way from a demand of one of these
    releases to that component; otherwise what is wrong with the best of them as things stand.
    """
    faults = _shortest(problem, component) or tuple(_faults(problem, component))
    return Chain(
        links=tuple({str(link): link for link in (_link(problem, fault) for fault in faults)}.values()),
        demands=tuple(f"{fault.release.id} {fault.relation.digest}" for fault in faults),
    )


def _faults(problem: Problem, component: Component) -> Iterator[Fault]:
    for release in problem.targets(component.id)[:SHOWN_RELEASES]:
        yield from problem.ground.faults({**problem.start, component.id: release})[:SHOWN_FAULTS]


def _shortest(problem: Problem, component: Component) -> _Path:
    """From the component to a demand that another bound component can't meet; empty if none is near."""
    bound = {binding.component for binding in problem.bindings} - {component.id}
    waiting: deque[tuple[Release, _Path]] = deque(
        (release, ()) for release in problem.targets(component.id) if release is not None
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
    places = _places(problem, component)
    if isinstance(relation, Clash):
        return bool(places) and all(place is not None and place.id in relation.releases for place in places)
    return not any(
        place is not None and place.id in relation.releases
        for other in relation.components
        for place in _places(problem, other)
    )


def _places(problem: Problem, component: int) -> list[Release | None]:
    if component not in problem.start:
        return []
    here = problem.start[component]
    stays = all(binding.allows(here) for binding in problem.binding.get(component, ()))
    return [*([here] if stays else []), *problem.targets(component)]


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


def _link(problem: Problem, fault: Fault) -> Link:
    names, start, relation = problem.situation.component, problem.start, fault.relation
    others = sorted(c for c in relation.components if c != fault.component and c in start)
    return Link(
        plugin=names(fault.component).name,
        version=fault.release.version,
        says=relation.says,
        demand=_demand(relation),
        what=relation.what,
        stands=tuple(Stands(names(c).name, _at(names(c), start[c], relation)) for c in others),
    )


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
