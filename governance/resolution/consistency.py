"""Whether what is installed goes together, and what of it can't run.

A release can run if some part of what is installed holds it and the host, all that the part's releases need,
and nothing that clashes. So two that clash can each run without the other, and what needs both of them can't.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from pysat.solvers import Solver

from governance.resolution.ground import holds
from governance.resolution.releases import Clash, Need, Relation, Release

CONFLICTS = 20_000  # that the solver may run into over one release before it is taken to run


class Why(StrEnum):
    """In which way a relation has to do with a trouble."""

    UNMET = "unmet"  # nothing that is there meets a need
    CLASH = "clash"  # something is there that mustn't be
    THROUGH = "through"  # only what can't run itself would meet the need
    TORN = "torn"  # a clash between two that the release needs both


@dataclass(frozen=True)
class Reason:
    """A relation of `release` that makes trouble, and what is `beside` it that has to do with that."""

    why: Why
    release: Release
    place: int  # of the relation among the release's own
    relation: Relation
    beside: tuple[Release, ...] = ()

    @property
    def direct(self) -> bool:
        """Whether it is a fact about the relation alone, whatever follows from it for others."""
        return self.why in (Why.UNMET, Why.CLASH)


@dataclass(frozen=True)
class Trouble:
    """Why a release isn't right where it is. It can run, without what it clashes with, if it is `usable`."""

    release: Release
    usable: bool
    reasons: tuple[Reason, ...]


def troubles(
    installed: Iterable[Release], *, host: Release | None, complete: bool = True
) -> tuple[Trouble, ...]:
    """All that is wrong with what is installed, by component; nothing if everything goes together.

    Without the host, nothing that is asked of it is judged; what it asks itself keeps nobody else from
    running. `complete` is False where plugins may be there that aren't listed: nobody is blamed for their
    absence then.
    """
    together = _Together(
        {release.component: release for release in (*installed, *([host] if host else ()))},
        host.component if host else None,
        complete,
    )
    found = (together.trouble(release) for release in together.releases)
    return tuple(trouble for trouble in found if trouble.reasons)


@dataclass(frozen=True)
class _Together:
    """The releases that are there, by component."""

    state: Mapping[int, Release]
    host: int | None
    complete: bool

    @cached_property
    def releases(self) -> list[Release]:
        return [self.state[component] for component in sorted(self.state)]

    def trouble(self, release: Release) -> Trouble:
        direct = self.direct.get(release.component, ())
        indirect = (*self._through(release), *self.torn.get(release.component, ()))
        usable = release.component not in self.stopped and release.component not in self.torn
        return Trouble(release, usable, (*direct, *indirect))

    @cached_property
    def direct(self) -> dict[int, tuple[Reason, ...]]:
        """By component, its relations that don't hold."""
        found = {release.component: tuple(self._faults(release)) for release in self.releases}
        return {component: reasons for component, reasons in found.items() if reasons}

    def _faults(self, release: Release) -> Iterator[Reason]:
        for place, relation in enumerate(release.relations):
            if not holds(relation, self.state, complete=self.complete):
                clash = isinstance(relation, Clash)
                beside = self._met_by(relation) if clash else self._there(relation)
                yield Reason(Why.CLASH if clash else Why.UNMET, release, place, relation, tuple(beside))

    def _there(self, relation: Relation) -> list[Release]:
        return [self.state[c] for c in sorted(relation.components) if c in self.state]

    def _met_by(self, relation: Relation) -> list[Release]:
        return [release for release in self._there(relation) if release.id in relation.releases]

    @cached_property
    def needs(self) -> dict[int, list[tuple[int, Need, frozenset[int]]]]:
        """By component, its needs that others meet: their places, and the components of those others.

        What the host or the release itself meets is met for good.
        """
        found: dict[int, list[tuple[int, Need, frozenset[int]]]] = {}
        for release in self.releases:
            listed = found[release.component] = []
            for place, relation in enumerate(release.relations):
                meeting = frozenset(r.component for r in self._met_by(relation))
                if (
                    isinstance(relation, Need)
                    and meeting
                    and meeting.isdisjoint({self.host, release.component})
                ):
                    listed.append((place, relation, meeting))
        return found

    @cached_property
    def stopped(self) -> set[int]:
        """The components that can't run whatever is left out: a need is unmet, or would be without these."""
        stopped = {
            component
            for component, reasons in self.direct.items()
            if component != self.host and any(self._final(reason) for reason in reasons)
        }
        before = -1
        while before != len(stopped):
            before = len(stopped)
            for component, needs in self.needs.items():
                if component != self.host and any(meeting <= stopped for _, _, meeting in needs):
                    stopped.add(component)
        return stopped

    def _final(self, reason: Reason) -> bool:
        """Whether leaving something else out wouldn't help: the host always is there."""
        always = {self.host, reason.release.component}
        return reason.why is Why.UNMET or any(r.component in always for r in reason.beside)

    def _through(self, release: Release) -> Iterator[Reason]:
        unusable = self.stopped | self.torn.keys()
        for place, need, meeting in self.needs[release.component]:
            if meeting <= unusable:
                beside = tuple(self.state[c] for c in sorted(meeting))
                yield Reason(Why.THROUGH, release, place, need, beside)

    @cached_property
    def torn(self) -> dict[int, tuple[Reason, ...]]:
        """By component that can't run for that reason alone, the clashes between what it needs."""
        running = [c for c in sorted(self.state) if c != self.host and c not in self.stopped]
        clashes = [
            reason
            for component in running
            for reason in self.direct.get(component, ())
            if reason.why is Why.CLASH
        ]
        if not clashes:
            return {}
        with _Parts(running, self.needs, clashes) as parts:
            found = {component: parts.torn(component) for component in running}
        return {
            component: tuple(replace(reason, why=Why.TORN) for reason in reasons)
            for component, reasons in found.items()
            if reasons
        }


class _Parts:
    """The parts of what is installed in which every need is met, in clauses; the clashes can be assumed."""

    def __init__(
        self,
        running: Sequence[int],
        needs: Mapping[int, Iterable[tuple[int, Need, frozenset[int]]]],
        clashes: Sequence[Reason],
    ) -> None:
        self._solver = Solver(name="minisat22")
        self._there = {component: number for number, component in enumerate(running, start=1)}
        self._clashes = {len(running) + number: clash for number, clash in enumerate(clashes, start=1)}
        for component in running:
            for _, _, meeting in needs[component]:
                met = (self._there[c] for c in sorted(meeting) if c in self._there)
                self._solver.add_clause([-self._there[component], *met])
        for assumed, clash in self._clashes.items():
            for other in clash.beside:
                if other.component in self._there:
                    ends = self._there[clash.release.component], self._there[other.component]
                    self._solver.add_clause([-assumed, *(-end for end in ends)])

    def torn(self, component: int) -> list[Reason]:
        """A smallest set of clashes that keeps every part with the component from being without them."""
        if self._exists(component, self._clashes):
            return []
        blamed = [x for x in self._clashes if x in set(self._solver.get_core() or ())]
        for clash in list(blamed):
            others = [x for x in blamed if x != clash]
            if not self._exists(component, others):
                blamed = others
        return [self._clashes[clash] for clash in blamed]

    def _exists(self, component: int, clashes: Iterable[int]) -> bool:
        self._solver.conf_budget(CONFLICTS)
        return self._solver.solve_limited(assumptions=[self._there[component], *clashes]) is not False

    def __enter__(self) -> _Parts:
        return self

    def __exit__(self, *_: object) -> None:
        self._solver.delete()
