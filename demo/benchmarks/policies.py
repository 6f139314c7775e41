"""Policies for a generated fleet: all common kinds of rules, about what it really has."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from demo import jenkins
from demo.benchmarks.world import AT, Inventory, World
from governance import selections
from governance.rules import ReleaseFacts, parse_all, violating

Document = dict[str, Any]

PROFILES: tuple[Document, ...] = (
    {"name": "align", "mode": "enforce", "prefer": "nearest", "weight": 200},
    {"name": "advise", "mode": "remind", "prefer": "nearest", "weight": 150},
    {"name": "watch", "mode": "observe", "prefer": "newest", "weight": 50},
)
_PROFILED = ("align", "advise", "align", "advise", "align", "align", "advise", "align", "align", "watch")
# What policies are about, over and over until there are enough, and about how many plugins each.
_KINDS = (
    "floor", "range", "same", "deny", "floor", "within", "floor", "hold", "floor", "deny", "range", "same",
    "floor", "vulnerable", "floor", "deny", "within", "floor", "range", "floor", "deny", "hold", "floor",
    "choose", "range",
)  # fmt: skip
_PLUGINS = {
    "floor": 3,
    "range": 2,
    "same": 1,
    "deny": 2,
    "within": 1,
    "hold": 3,
    "vulnerable": 4,
    "choose": 1,
}
_TENANTS: tuple[Any, ...] = (
    "*", "*", "*", {"labels": {"region": ["eu", "us"]}}, "*", {"tiers": ["critical"]}, "*",
    {"labels": {"ring": ["pilot", "early"]}},
)  # fmt: skip
_FROZEN = {"labels": {"freeze": "yes"}}
# What asks for the newest there is, is asked of the newest hosts only.
_OF_THE_NEWEST = frozenset({"vulnerable", "within", "choose"})
_ROOM = 10  # releases above the newest in use that a range allows
_COMMON = 0.6  # the share of the tenants that have a plugin worth a policy


class Lines:
    """The fleet's states by the age of their hosts, so many in each line.

    Plugins come out for host lines, so a group with hosts of four years words its rules for each of them.
    """

    def __init__(self, world: World, states: Sequence[Inventory], *, count: int = 8) -> None:
        hosts = sorted(state[jenkins.HOST] for state in states)
        self._first = sorted({hosts[len(hosts) * number // count] for number in range(count)})
        self.names = [world.line(jenkins.HOST).versions[place] for place in self._first]
        self._usage: list[dict[str, list[int]]] = [{} for _ in self.names]
        for state in states:
            usage = self._usage[self._number(state)]
            for name, place in state.items():
                usage.setdefault(name, []).append(place)

    def of(self, state: Inventory) -> str:
        """The name of the line that the state is in: its lowest host version."""
        return self.names[self._number(state)]

    def quantile(self, line: str, plugin: str, share: float) -> int:
        """The place that this share of the line's states that have the plugin have a lower release than."""
        places = sorted(self._usage[self.names.index(line)][plugin])
        return places[min(int(share * len(places)), len(places) - 1)]

    def common(self) -> list[str]:
        """The plugins that many have in every line, in several versions over all, the host left out."""
        sizes = [len(usage[jenkins.HOST]) for usage in self._usage]
        names = set.intersection(*map(set, self._usage)) - {jenkins.HOST}
        return sorted(
            name
            for name in names
            if all(len(u[name]) > _COMMON * size for u, size in zip(self._usage, sizes, strict=True))
            and len({place for usage in self._usage for place in usage[name]}) > 3
        )

    def _number(self, state: Inventory) -> int:
        return bisect_right(self._first, state[jenkins.HOST]) - 1


def documents(world: World, lines: Lines, *, count: int, seed: int) -> list[Document]:
    """So many policies about what the fleet has."""
    chance = random.Random(f"{seed}/policies")
    plugins = lines.common()
    chance.shuffle(plugins)
    made = [_policy(world, lines, "floor", [jenkins.HOST], chance, 0)]
    turn = 0
    while len(made) < count:
        kind = _KINDS[(len(made) - 1) % len(_KINDS)]
        chosen = [plugins[(turn + place) % len(plugins)] for place in range(_PLUGINS[kind])]
        turn += len(chosen)
        made.append(_policy(world, lines, kind, sorted(set(chosen)), chance, len(made)))
    return made


def _policy(
    world: World, lines: Lines, kind: str, plugins: Sequence[str], chance: random.Random, number: int
) -> Document:
    name = f"{kind}-{number:02}"
    if kind == "hold":
        reason = "The release train is being built."
        return {"name": name, "kind": "hold", "plugins": list(plugins), "tenants": _FROZEN, "reason": reason}
    tenants = _TENANTS[number % len(_TENANTS)]
    if kind in _OF_THE_NEWEST:
        tenants = {"labels": {"line": lines.names[-1]}}
    return {
        "name": name,
        "kind": "policy",
        "profile": _PROFILED[number % len(_PROFILED)],
        "tenants": tenants,
        "rules": [_rule(world, lines, kind, one, chance) for one in plugins],
    }


def _rule(world: World, lines: Lines, kind: str, plugin: str, chance: random.Random) -> Document:
    """What is wanted of the newest line, and as variants of the others."""
    share = chance.uniform(0.02, 0.2)
    *others, newest = ((line, _wish(world, lines, line, kind, plugin, share)) for line in lines.names)
    rule = {"name": plugin, "plugins": [plugin], **newest[1]}
    variants = [
        {"name": f"on-{line.replace('.', '-')}", "tenants": {"labels": {"line": line}}, **wish}
        for line, wish in others
        if wish != newest[1]
    ]
    return {**rule, "variants": variants} if variants and kind not in _OF_THE_NEWEST else rule


def _wish(world: World, lines: Lines, line: str, kind: str, plugin: str, share: float) -> Document:
    versions = world.line(plugin).versions
    low, usual = lines.quantile(line, plugin, share), lines.quantile(line, plugin, 0.5)
    high = min(lines.quantile(line, plugin, 1) + _ROOM, len(versions) - 1)
    match kind:
        case "floor":
            return {"at_least": versions[low]}
        case "range":
            return {"range": f">={versions[low]} <={versions[high]}"}
        case "same":
            return {"same": True, "at": versions[usual]}
        case "deny":
            return {"deny": f"<{versions[low]}"}
        case "within":
            return {"within": {"releases": max(len(versions) - 1 - low, 1)}}
        case "vulnerable":
            return {"deny": "vulnerable"}
        case _:
            return {"same": True}


@dataclass(frozen=True, slots=True)
class Rule:
    """What breaks a rule, and the selection of tenants that it is for."""

    plugin: str
    selection: Mapping[str, Any]
    broken: frozenset[int]


def compiled(world: World, policies: Sequence[Mapping[str, Any]]) -> Iterator[Rule]:
    """What the policies come to; holds are broken by nothing. A rule that chooses wants the newest."""
    for policy in policies:
        for spec in parse_all(policy.get("rules", ())):
            others = [variant.tenants for variant in spec.variants]
            wishes = [(spec.wish, selections.combined([policy["tenants"]], others))]
            wishes += [
                (variant.wish, selections.combined([policy["tenants"], variant.tenants], others[:place]))
                for place, variant in enumerate(spec.variants)
            ]
            for name in spec.plugins or ():
                facts = _facts(world, name)
                newest = facts[-1].id
                for wish, selection in wishes:
                    broken = violating(wish, facts, dialect=jenkins.SCHEME, at=AT, target=newest)
                    yield Rule(name, selection, broken)


def _facts(world: World, name: str) -> list[ReleaseFacts]:
    warned = {text for warning in world.advisories(name) for text in warning["affects"]}
    return [
        ReleaseFacts(id=place, version=version, rank=place, vulnerable=version in warned)
        for place, version in enumerate(world.line(name).versions)
    ]
