"""Ways out of a conflict: the least sets of rules to set aside, each tried."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations, islice

from governance.resolution.conflicts import Conflict, stuck_together
from governance.resolution.ground import State
from governance.resolution.minimal import shrink
from governance.resolution.oracle import Oracle
from governance.resolution.outcome import Rule, Saying, WayOut
from governance.resolution.releases import Release
from governance.resolution.values import Binding, Component, labels

ASIDE = 3  # the most rules that one way out sets aside, unless none does with so few
WAYS = 6  # how many ways out are told, the lightest first


def ways_out(
    oracle: Oracle, conflict: Conflict, settled: Sequence[int], rest: Sequence[Conflict] = ()
) -> tuple[Conflict, tuple[WayOut, ...]]:
    """The ways out, the lightest first, and the conflict with what was found out about it on the way.

    Who wants out sets aside a rule of every conflicting set. Where that doesn't lead out, there is a further
    set, and it begins anew. Where it takes more rules than are looked for, one set that will do is told.
    Out is where what is stuck goes beside the `settled`, which go in any case; of the `rest`, which is stuck
    for other reasons, some may go then too.
    """
    goals = (*conflict.stuck, *settled)
    while conflict.sets:
        ways: list[WayOut] = []
        further: tuple[Binding, ...] | None = None
        for rules in list(_candidates(conflict)) or [_giving_way(oracle, conflict, goals)]:
            left = _left(oracle, conflict, rules)
            state = oracle.way(left, goals)
            if state is not None:
                state = _with_more(oracle, left, goals, rest) or state
                ways.append(_way(oracle, conflict, rules, state))
                continue
            further = _further(oracle, goals, left)
            break
        if not further:
            return conflict, tuple(ways)
        conflict = replace(conflict, sets=(*conflict.sets, further))
    return conflict, ()


def _with_more(
    oracle: Oracle, left: Sequence[Binding], goals: Sequence[int], rest: Iterable[Conflict]
) -> State | None:
    """The best state in which all of the rest goes that is stuck no longer; None where that is nothing."""
    kept = frozenset(left)
    # Against each of the others there is a set of rules that are all there still.
    freed = [one for one in rest if not any(map(kept.issuperset, one.sets))]
    more = [goal for one in freed for goal in one.stuck]
    if not more:
        return None
    state = oracle.way(left, (*goals, *more))
    if state is not None or len(freed) == 1:
        return state
    under = oracle.problem.under(left)
    stuck = {goal for group in stuck_together(under, oracle.search) for goal in group}
    return oracle.way(left, (*goals, *(goal for goal in more if goal not in stuck)))


def _candidates(conflict: Conflict) -> Iterator[tuple[Rule, ...]]:
    """The smallest sets of rules that have one of every conflicting set, the lightest first."""
    sets = [frozenset(binding.rule for binding in bindings) for bindings in conflict.sets]
    weights = _weights(conflict)
    hitting: list[frozenset[Rule]] = []
    for size in range(1, ASIDE + 1):
        for rules in map(frozenset, combinations(sorted(weights), size)):
            if not any(known <= rules for known in hitting) and all(rules & one for one in sets):
                hitting.append(rules)
    ordered = sorted(
        hitting, key=lambda rules: (sum(map(weights.__getitem__, rules)), len(rules), sorted(rules))
    )
    return islice((tuple(sorted(rules)) for rules in ordered), WAYS)


def _giving_way(oracle: Oracle, conflict: Conflict, goals: Sequence[int]) -> tuple[Rule, ...]:
    """Which of the rules have to go if the weighty ones are kept as far as there is a way with them."""
    weights = _weights(conflict)
    aside = set(weights)
    for rule in sorted(weights, key=lambda rule: (-weights[rule], rule)):
        left = _left(oracle, conflict, aside - {rule})
        if oracle.failing(left, goals) is None:
            aside.remove(rule)
    return tuple(sorted(aside))


def _weights(conflict: Conflict) -> dict[Rule, int]:
    return {binding.rule: binding.weight for bindings in conflict.sets for binding in bindings}


def _left(oracle: Oracle, conflict: Conflict, aside: Collection[Rule]) -> list[Binding]:
    concerned = conflict.components
    bindings = oracle.problem.bindings
    return [b for b in bindings if b.rule not in aside or b.component not in concerned]


def _further(oracle: Oracle, goals: Sequence[int], left: Sequence[Binding]) -> tuple[Binding, ...] | None:
    """A minimal conflicting set among the rules that are left; None where no rule is to blame."""

    def failing(places: Sequence[int]) -> list[int] | None:
        failed = oracle.failing([left[place] for place in places], goals)
        return None if failed is None else [left.index(binding) for binding in failed]

    failed = failing(range(len(left)))
    return tuple(left[place] for place in sorted(shrink(failed, failing))) if failed else None


def _way(oracle: Oracle, conflict: Conflict, rules: tuple[Rule, ...], state: State) -> WayOut:
    concerned = [b for b in oracle.problem.bindings if b.component in conflict.components]
    weights = {b.rule: b.weight for b in concerned}
    names = labels(concerned)
    part = oracle.problem.situation.component
    others = sorted(conflict.components.difference(conflict.stuck))
    goes = {component: state[component] for component in (*conflict.stuck, *others)}
    moving = [c for c in others if state[c] != part(c).installed]
    where = ", ".join(_goes(part(component), state[component]) for component in (*conflict.stuck, *moving))
    return WayOut(
        rules=rules,
        weight=sum(weights[rule] for rule in rules),
        says=f"Set {' and '.join(names[rule] for rule in rules)} aside here",
        where=where,
        goes=goes,
        aside=tuple(Saying.of(binding) for binding in concerned if binding.rule in rules),
    )


def _goes(component: Component, to: Release | None) -> str:
    here = component.installed
    if to == here:
        return f"{component.name} stays {'away' if to is None else f'at {to.version}'}"
    if to is None:
        return f"{component.name} is removed"
    back = here is not None and to.rank < here.rank
    return f"{component.name} goes {'back ' if back else ''}to {to.version}"
