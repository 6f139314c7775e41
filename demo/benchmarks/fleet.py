"""A generated fleet: tenants in situations of the real one, drifting from the policies by a wanted share."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from demo.benchmarks.inventories import Inventories
from demo.benchmarks.policies import Lines, Rule, compiled, documents
from demo.benchmarks.world import Inventory, Tenancy, World
from governance import selections
from governance.selections import TenantFacts

_SAMPLE = 300  # tenants whose plugins the policies are made for, and whose drift is measured beforehand
_NEAR = 6  # how far away, in releases that would do, a tenant's version is taken from
_EXEMPT = 100  # one in so many tenants has an exemption
_FROZEN = 0.03  # the share of the real tenants that a hold keeps from changing
_REGIONS = {"eu": 5, "us": 3, "apac": 2}
_RINGS = {"pilot": 5, "early": 20, "broad": 75}
_TIERS = {"critical": 20, "standard": 80}


@dataclass(frozen=True, slots=True)
class Size:
    """What is asked for. `distinct`: no tenant is like another."""

    tenants: int
    plugins: int
    policies: int
    drift: float
    distinct: bool = False
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Member:
    """One generated tenant. Those with equal `alike` have the same installed."""

    number: int
    key: str
    tier: str
    labels: Mapping[str, str]
    alike: str
    state: int


class Fleet:
    """The tenants and what they have, the same for the same size whatever is asked for first."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._mutated: dict[str, Inventory] = {}
        self._bound: dict[str, dict[str, frozenset[int]]] = {}

    @cached_property
    def world(self) -> World:
        """The real catalogue."""
        return World()

    @cached_property
    def inventories(self) -> Inventories:
        """What the real fleet's states come to in the wanted size."""
        return Inventories(self.world, size=self.size.plugins, seed=self.size.seed)

    @cached_property
    def lines(self) -> Lines:
        """The lines of hosts."""
        return Lines(self.world, self.inventories.states)

    @cached_property
    def policies(self) -> list[dict[str, Any]]:
        """The documents of the policies."""
        return documents(self.world, self.lines, count=self.size.policies, seed=self.size.seed)

    @cached_property
    def rules(self) -> list[Rule]:
        """What the policies come to."""
        return list(compiled(self.world, self.policies))

    def member(self, number: int) -> Member:
        """The tenant of that number."""
        chance = random.Random(f"{self.size.seed}/tenant/{number}")
        state = chance.randrange(len(self.inventories.states))
        original = self.inventories.original(state)
        tier, labels = self._settings(self.inventories.tenants[state])
        return Member(
            number=number,
            key=f"tenant-{number:06}",
            tier=tier,
            labels={**labels, "line": self.lines.of(self.inventories.states[state])},
            alike=f"{original}/{number}" if self.size.distinct else str(original),
            state=original,
        )

    def _settings(self, tenant: str) -> tuple[str, dict[str, str]]:
        """The tier and labels that the real tenant is given, whichever of its states is taken."""
        chance = random.Random(f"{self.size.seed}/{tenant}")
        labels = {"ring": _drawn(_RINGS, chance), "region": _drawn(_REGIONS, chance)}
        if chance.random() < _FROZEN:
            labels["freeze"] = "yes"
        return _drawn(_TIERS, chance), labels

    def members(self) -> Iterator[Member]:
        """All tenants."""
        return (self.member(number) for number in range(self.size.tenants))

    def installed(self, member: Member) -> Inventory:
        """What the tenant has, with the drift brought to the wanted share."""
        if self.size.distinct:
            return self._mutate(member, self._scale)
        if member.alike not in self._mutated:
            self._mutated[member.alike] = self._mutate(member, self._scale)
        return self._mutated[member.alike]

    def exemptions(self) -> list[dict[str, str]]:
        """By tenant and policy, as the YAML names them."""
        named = [policy for policy in self.policies if policy["kind"] != "hold"]
        return [
            {"tenant": self.member(number).key, "policy": named[number % len(named)]["name"]}
            for number in range(0, self.size.tenants, _EXEMPT)
        ]

    @cached_property
    def _scale(self) -> float:
        """By how much more drift is to be aimed at than is wanted, since not every move can be made."""
        sample = [self.member(number) for number in self._sample()]
        scale = 1.0
        for _ in range(3):
            drifting = sum(self.drift(one, self._mutate(one, scale)) for one in sample)
            scale *= self.size.drift * self.size.plugins * len(sample) / max(drifting, 1)
        return scale

    def drift(self, member: Member, installed: Inventory) -> int:
        """How many of the tenant's installations break a rule that is for it."""
        return sum(installed.get(plugin) in broken for plugin, broken in self._broken(member).items())

    def _mutate(self, member: Member, scale: float) -> Inventory:
        """Bring the tenant's drift near to what is wanted of it, by moves that leave it consistent."""
        if not self.size.distinct:  # those alike are: what none of them has of its own must not matter
            member = replace(member, tier="standard", labels={"line": member.labels["line"]})
        chance = random.Random(f"{self.size.seed}/drift/{member.alike}")
        tenancy = Tenancy(self.world, self.inventories.grown(member.state))
        broken = self._broken(member)
        wanted = round(self.size.plugins * self.size.drift * 2 * chance.random() * scale)
        names = [name for name in broken if name in tenancy.installed]
        chance.shuffle(names)
        drifting = sum(tenancy.installed[name] in broken[name] for name in names)
        for name in names:
            is_broken = tenancy.installed[name] in broken[name]
            if drifting != wanted and is_broken == (drifting > wanted):
                moved = _move(tenancy, name, broken[name], chance, into=not is_broken)
                drifting += moved if not is_broken else -moved
            elif self.size.distinct and is_broken:
                _move(tenancy, name, broken[name], chance, into=True)
        return tenancy.installed

    def _broken(self, member: Member) -> dict[str, frozenset[int]]:
        """By plugin, what breaks a rule for the tenant."""
        facts = TenantFacts(0, "", member.tier, member.labels)
        kind = repr((member.tier, member.labels))
        if kind not in self._bound:
            found: dict[str, frozenset[int]] = {}
            for rule in self.rules:
                if selections.chooses(rule.selection, facts):
                    found[rule.plugin] = found.get(rule.plugin, frozenset()) | rule.broken
            self._bound[kind] = found
        return self._bound[kind]

    def _sample(self) -> range:
        return range(0, self.size.tenants, max(self.size.tenants // _SAMPLE, 1))


def _move(tenancy: Tenancy, name: str, broken: Collection[int], chance: random.Random, *, into: bool) -> bool:
    """Move a plugin to a near release that breaks the rules, or that doesn't; whether that could be done."""
    here = tenancy.installed[name]
    last = len(tenancy.world.line(name).versions)
    others = [place for place in range(last) if place != here and (place in broken) == into]
    near = sorted(others, key=lambda place: (abs(place - here), place))[: 2 * _NEAR]
    fitting = [place for place in near if tenancy.allows(name, place)][:_NEAR]
    if not fitting:
        return False
    tenancy.put(name, chance.choice(fitting))
    return True


def _drawn(weights: Mapping[str, int], chance: random.Random) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]
