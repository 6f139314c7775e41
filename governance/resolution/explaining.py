"""A conflict in words for people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from governance.resolution.chaining import Chain, chain
from governance.resolution.clauses import Clauses
from governance.resolution.conflicts import RULES, Bound, Conflict, conflict, with_others
from governance.resolution.digests import digest_of, digest_of_set
from governance.resolution.ground import State
from governance.resolution.leaving import ways_out
from governance.resolution.oracle import Oracle
from governance.resolution.outcome import ConflictingSet, Saying, Unsettled, WayOut
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.values import Binding, Component, labels

SHOWN_LINKS = 3  # how much of the chain the summary tells
GIVEN_UP = "the search for a way was given up at its bound"


def explain(
    problem: Problem,
    stuck: Iterable[tuple[int, ...]],
    settled: State | None,
    *,
    final: bool,
    bound: Bound = RULES,
) -> tuple[Unsettled, ...]:
    """Say why these components have no way to go together, and what would give them one.

    `settled` is the best state for all others, None where there is none. Raises Beyond where components have
    to be opened first; not if `final`.
    """
    groups = list(stuck)
    if not groups:
        return ()
    others = [goal for goal in problem.obliged if not any(goal in group for group in groups)]
    with Clauses(problem, whole=True) as clauses:
        search = Search(clauses, final=final)
        oracles = [Oracle(problem, search, settled) for _ in groups]
        own = [conflict(oracle, stuck, others, bound) for oracle, stuck in zip(oracles, groups, strict=True)]
        found = with_others(Oracle(problem, search, settled), own, others, bound)
        return tuple(
            _explained(oracle, one, others, [*found[:place], *found[place + 1 :]])
            for place, (oracle, one) in enumerate(zip(oracles, found, strict=True))
        )


def _explained(oracle: Oracle, one: Conflict, settled: Sequence[int], rest: Sequence[Conflict]) -> Unsettled:
    """Why it is stuck beside the `settled`; the `rest` is stuck for reasons of its own."""
    found, ways = ways_out(oracle, one, settled, rest)
    return _unsettled(oracle.problem, found, ways, proved=oracle.proved)


def _unsettled(problem: Problem, found: Conflict, ways: tuple[WayOut, ...], *, proved: bool) -> Unsettled:
    if not found.sets:
        return _given_up(problem, found.stuck)
    reasons = sorted((_reason(problem, found, rules) for rules in found.told), key=lambda one: one.order)
    return Unsettled(
        stuck=found.stuck,
        fingerprint=digest_of(*found.stuck, digest_of_set(reason.digest for reason in reasons)),
        summary=_summary(reasons, proved=proved),
        sets=tuple(reason.told for reason in reasons),
        ways_out=ways,
        complete=found.complete,
        proved=proved,
    )


def _given_up(problem: Problem, stuck: tuple[int, ...]) -> Unsettled:
    """No way was found, and nothing that rules one out: all that is known is what binds there.

    It is the same conflict as long as all rules are.
    """
    broken = [binding for component in stuck for binding in problem.broken(component)]
    bindings = [binding for component in stuck for binding in problem.binding[component]]
    return Unsettled(
        stuck=stuck,
        fingerprint=digest_of(*stuck, GIVEN_UP, digest_of_set(b.content for b in problem.bindings)),
        summary="; ".join([*_in_words(broken), GIVEN_UP]),
        sets=(),
        complete=False,
        proved=False,
        bound_by=tuple(map(Saying.of, bindings)),
    )


@dataclass(frozen=True)
class _Reason:
    """One conflicting set, with the dependencies that close it for a component that it holds up."""

    component: Component
    bindings: Sequence[Binding]
    links: Chain

    @property
    def told(self) -> ConflictingSet:
        return ConflictingSet(tuple(map(Saying.of, self.bindings)), self.links.links)

    @property
    def digest(self) -> str:
        """Of what makes it a conflict, whatever else is installed."""
        return digest_of(*sorted(b.content for b in self.bindings), *self.links.demands)

    @property
    def order(self) -> tuple[object, ...]:
        """The simplest first: few rules, and those of one component before others."""
        components = {b.component for b in self.bindings}
        return (len(components), len(self.bindings), [(b.rule, b.component) for b in self.bindings])

    def words(self) -> str:
        """The rules, what closes them, and what these alone don't tell."""
        words = [*_in_words(self.bindings), *map(str, self.links.links[:SHOWN_LINKS])]
        if len(self.bindings) == 1 and not self.links.links:
            words.append(f"the catalogue has no such release of {self.component.name} to go to")
        return "; ".join(words)


def _reason(problem: Problem, found: Conflict, bindings: Iterable[Binding]) -> _Reason:
    ordered = sorted(bindings, key=lambda b: (b.kind != "hold", -b.weight, b.rule, b.component))
    component = problem.situation.component(_held_up(problem, found.stuck, ordered))
    return _Reason(component, ordered, chain(problem.under(ordered), component))


def _held_up(problem: Problem, stuck: Sequence[int], bindings: Collection[Binding]) -> int:
    """The weightiest of the stuck components that breaks one of the bindings."""
    breaking = {b.component for b in bindings if not b.allows(problem.start[b.component])}
    return next((component for component in stuck if component in breaking), stuck[0])


def _summary(reasons: Sequence[_Reason], *, proved: bool) -> str:
    words = [reasons[0].words()]
    if len(reasons) > 1:
        others = len(reasons) - 1
        words.append(f"and {others} more {'set' if others == 1 else 'sets'} of rules can't hold together")
    if not proved:
        words.append(GIVEN_UP)
    return "; ".join(words)


def _in_words(bindings: Sequence[Binding]) -> list[str]:
    named = labels(bindings)
    return [f"{named[binding.rule]} {binding.says}" for binding in bindings]
