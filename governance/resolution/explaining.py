"""Why a component has no way to go, in words, and which rules a person could set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from governance.resolution.chaining import chain
from governance.resolution.clauses import Exhausted
from governance.resolution.ground import State
from governance.resolution.outcome import Rule, Saying, Unsettled, WayOut
from governance.resolution.problem import Problem
from governance.resolution.search import Search
from governance.resolution.values import Binding, Component, Release, digest_of, labels

SHOWN_LINKS = 3  # how much of the chain the summary tells
ASIDE = 3  # the most rules that one way out sets aside


class Beyond(Exception):
    """What is asked depends on components that aren't open."""

    def __init__(self, components: frozenset[int]) -> None:
        super().__init__(components)
        self.components = components


def explain(oracle: Oracle, component_id: int, proved: bool) -> Unsettled:
    """Name a minimal set of rules that leaves the component no way, and the ways out of it.

    Raises Beyond where more has to be opened to say so.
    """
    problem = oracle.problem
    component = problem.situation.component(component_id)
    culprits = _minimal(oracle, component_id, problem.bindings)
    links = chain(problem.under(culprits), component)
    sayings = tuple(Saying(b.policy, b.key, b.component, b.weight, b.says) for b in culprits)
    return Unsettled(
        component=component_id,
        fingerprint=digest_of(component_id, *sorted(b.content for b in culprits), *links.demands),
        summary="; ".join([*_in_words(culprits), *_closing(component, culprits, links.told, proved)]),
        rules=sayings,
        chain=links.told,
        ways_out=_ways_out(oracle, component, culprits),
        proved=proved,
    )


@dataclass(frozen=True)
class Oracle:
    """Says whether a component would have a way if only some of the rules were there.

    It would have to go it together with the components in `beside`, as far as they have to move then. Most
    questions need no search: `settled` is a state that goes as far as all rules let it, with the stuck
    components as they are, so a component that breaks none of the rules asked about may stay there.
    """

    problem: Problem
    search: Search
    settled: State
    beside: tuple[int, ...] = ()

    def together(self, beside: tuple[int, ...]) -> Oracle:
        """The same, asked about a way together with these."""
        return replace(self, beside=beside)

    def is_stuck(self, component_id: int, bindings: Sequence[Binding]) -> bool:
        """Whether there is no state in which the component breaks none of the bindings.

        Raises Beyond where that depends on components that aren't open.
        """
        problem = self.problem.under(bindings)
        if not problem.broken(component_id):
            return False
        if not problem.targets[component_id]:
            return True
        if self.search.can_go(bindings, (*self.beside, component_id)):
            return False
        with suppress(Exhausted):
            if not self.search.final and self.search.may_go(bindings, (*self.beside, component_id)):
                raise Beyond(self.search.moved_beyond())
        return True

    def way(self, component_id: int, bindings: Iterable[Binding]) -> State | None:
        """The best state in which the component breaks none of the bindings; None if there is none.

        Raises Beyond where that depends on components that aren't open.
        """
        problem = self.problem.under(bindings)
        if not problem.broken(component_id):
            return self.settled
        if not problem.targets[component_id]:
            return None
        found = self.search.best(problem, (*self.beside, component_id))
        if found.beyond:
            raise Beyond(found.beyond)
        return found.state


def _minimal(oracle: Oracle, component_id: int, given: Iterable[Binding]) -> list[Binding]:
    """Bindings of which none can be left out without there being a way, the component's own preferred."""
    open_ones = {component.id for component in oracle.problem.situation.components if component.open}
    bindings = [b for b in given if b.component in open_ones]
    bindings.sort(key=lambda b: (b.component != component_id, -b.weight, b.rule, b.component))
    own = [b for b in bindings if b.component == component_id]

    def stuck(some: Sequence[Binding]) -> bool:
        return oracle.is_stuck(component_id, some)

    culprits = shrink(own, stuck) if stuck(own) else shrink(bindings, stuck)
    return sorted(culprits, key=lambda b: (b.kind != "hold", -b.weight, b.rule, b.component))


def shrink(items: Sequence[Binding], fails: Callable[[Sequence[Binding]], bool]) -> list[Binding]:
    """A minimal part of `items` that still fails, those in front preferred (QuickXplain)."""

    def among(background: list[Binding], changed: bool, rest: Sequence[Binding]) -> list[Binding]:
        if changed and fails(background):
            return []
        if len(rest) == 1:
            return list(rest)
        front, back = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        of_back = among([*background, *front], bool(front), back)
        return [*among([*background, *of_back], bool(of_back), front), *of_back]

    return among([], False, items) if items else []


def _in_words(bindings: Sequence[Binding]) -> list[str]:
    named = labels(bindings)
    return [f"{named[binding.rule]} {binding.says}" for binding in bindings]


def _closing(
    component: Component, culprits: Sequence[Binding], links: Sequence[str], proved: bool
) -> list[str]:
    """What the rules alone don't tell."""
    words = list(links[:SHOWN_LINKS])
    if len(culprits) == 1 and not links:
        words.append(f"the catalogue has no such release of {component.name} to go to")
    if not proved:
        words.append("the search for a way was given up at its bound")
    return words


def _ways_out(oracle: Oracle, component: Component, culprits: Sequence[Binding]) -> tuple[WayOut, ...]:
    """For each culprit the least that has to be set aside with it, the lightest first."""
    concerned = {component.id, *(b.component for b in culprits)}
    ways = {
        way.rules: way
        for rule in dict.fromkeys(b.rule for b in culprits)
        if (way := _way_out(oracle, component, rule, concerned)) is not None
    }
    return tuple(sorted(ways.values(), key=lambda way: (way.weight, len(way.rules), way.rules)))


def _way_out(oracle: Oracle, component: Component, first: Rule, concerned: set[int]) -> WayOut | None:
    bindings = oracle.problem.bindings
    aside = [first]
    while len(aside) <= ASIDE:
        left = [b for b in bindings if b.rule not in aside or b.component not in concerned]
        state = oracle.way(component.id, left)
        if state is not None:
            return _as_way(bindings, component, tuple(sorted(aside)), state)
        more = [b for b in _minimal(oracle, component.id, left) if b.component in concerned]
        if not more:
            return None
        aside.append(min(more, key=lambda b: (b.weight, b.rule)).rule)
    return None


def _as_way(
    bindings: Sequence[Binding], component: Component, rules: tuple[Rule, ...], state: State
) -> WayOut:
    named = {b.rule: b for b in bindings}
    names = labels(bindings)
    given_up = " and ".join(names[rule] for rule in rules)
    return WayOut(
        rules=rules,
        weight=sum(named[rule].weight for rule in rules),
        says=f"Set {given_up} aside here: {_goes(component, state[component.id])}",
    )


def _goes(component: Component, to: Release | None) -> str:
    if to == component.installed:
        return f"{component.name} stays {'away' if to is None else f'at {to.version}'}"
    return f"{component.name} {'is removed' if to is None else f'goes to {to.version}'}"
