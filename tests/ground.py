"""What many tests of a module stand on, made once for all of them.

It is made in a transaction of its own, in which each test's transaction lies; a test gets a copy of what was
made and leaves it as it was. A test that asks for less than the one before it, or for nothing, finds just
that: the order of tests doesn't matter.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, TypeVar

import time_machine
from django.db import transaction

from tests import factories
from tests.governance.furnished import furnish

Made = TypeVar("Made")

# By the fixture that asks for it, each made on top of the one before it.
LAYERS: dict[str, Callable[[Any], Any]] = {
    "standing_world": lambda _: factories.world(),
    "standing_house": furnish,
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What was made, and the transaction that it was made in."""

    name: str
    made: Any
    block: transaction.Atomic


class Ground:
    """The layers that lie just now, the lowest first."""

    def __init__(self) -> None:
        self._layers: list[Layer] = []

    def lay(self, fixtures: Collection[str]) -> None:
        """See that there is what a test with these fixtures asks for, and nothing else."""
        names = list(LAYERS)
        asked = [place for place, name in enumerate(names, start=1) if name in fixtures]
        wanted = names[: max(asked, default=0)]
        while len(self._layers) > len(wanted):
            self._take_away()
        for name in wanted[len(self._layers) :]:
            self._add(name)

    def clear(self) -> None:
        """Leave nothing."""
        self.lay(())

    def copy(self, name: str, kind: type[Made]) -> Made:
        """A test's own copy of what a layer is; made for it alone where nothing was laid."""
        made = next((layer.made for layer in self._layers if layer.name == name), None) or self._make(name)
        assert isinstance(made, kind)
        return copy.deepcopy(made)

    def _add(self, name: str) -> None:
        block = transaction.atomic()
        block.__enter__()
        self._layers.append(Layer(name, self._make(name), block))

    def _make(self, name: str) -> Any:
        below = copy.deepcopy(self._layers[-1].made) if self._layers else None
        with time_machine.travel(factories.AT, tick=False):
            return LAYERS[name](below)

    def _take_away(self) -> None:
        layer = self._layers.pop()
        transaction.set_rollback(True)
        layer.block.__exit__(None, None, None)
