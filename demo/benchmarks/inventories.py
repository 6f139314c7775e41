"""Inventories of a wanted size, each grown from a dated state of the real fleet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property

from demo import jenkins, sources
from demo.benchmarks.world import Inventory, Tenancy, World

_PASSED_OVER = 0.35  # how often a plugin that many have is not there after all


class Inventories:
    """The real fleet's states, each padded or trimmed to `size` installations, the host among them.

    A state is named by its number. Padding takes plugins of the catalogue in one order for all, as popular
    ones are popular everywhere, at releases that go with what is there.
    """

    def __init__(self, world: World, *, size: int, seed: int) -> None:
        self.world = world
        self.size = size
        self.seed = seed
        self._made: dict[int, Inventory] = {}

    @cached_property
    def states(self) -> list[Inventory]:
        """Every dated state of the fleet whose host is known, as far as the catalogue knows it."""
        return [state for _, state in self._found]

    @cached_property
    def tenants(self) -> list[str]:
        """Whose state each of them was."""
        return [tenant for tenant, _ in self._found]

    @cached_property
    def _found(self) -> list[tuple[str, Inventory]]:
        return [one for one in self._states() if jenkins.HOST in one[1]]

    def grown(self, number: int) -> Inventory:
        """The state of that number in the wanted size. States that are alike grow alike."""
        first = self._alike[number]
        if first not in self._made:
            self._made[first] = self._grow(first)
        return self._made[first]

    def original(self, number: int) -> int:
        """The first state that is like the one of that number."""
        return self._alike[number]

    def _states(self) -> Iterator[tuple[str, Inventory]]:
        for tenant in sources.fleet():
            for state in tenant["snapshots"]:
                if state.get("resolved"):
                    named = {jenkins.HOST: state["core"], **dict(sorted(state["resolved"].items()))}
                    placed = {name: self.world.place(name, text) for name, text in named.items()}
                    known = {name: place for name, place in placed.items() if place is not None}
                    yield tenant["tenant"], known

    @cached_property
    def _alike(self) -> list[int]:
        first: dict[tuple[tuple[str, int], ...], int] = {}
        return [first.setdefault(tuple(state.items()), n) for n, state in enumerate(self.states)]

    @cached_property
    def _popular(self) -> list[str]:
        names = list(self.world.names)
        random.Random(self.seed).shuffle(names)
        return names

    def _grow(self, number: int) -> Inventory:
        state = self.states[number]
        chance = random.Random(f"{self.seed}/{number}")
        if len(state) > self.size:
            return self._trimmed(state, chance)
        tenancy = Tenancy(self.world, state)
        for name in self._popular:
            if len(tenancy.installed) >= self.size:
                break
            if name not in tenancy.installed and chance.random() > _PASSED_OVER:
                tenancy.add(name, room=self.size - len(tenancy.installed))
        return tenancy.installed

    def _trimmed(self, state: Inventory, chance: random.Random) -> Inventory:
        """Some of the plugins with all that they need; the last ones may be without."""
        kept: Inventory = {jenkins.HOST: state[jenkins.HOST]}
        names = sorted(state)
        chance.shuffle(names)
        for name in names:
            waiting = [name]
            while waiting and len(kept) < self.size:
                one = waiting.pop()
                if one not in kept:
                    kept[one] = state[one]
                    needs = self.world.line(one).needs[state[one]]
                    waiting += [need.plugin for need in needs if not need.optional and need.plugin in state]
        return kept
