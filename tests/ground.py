"""What many tests of a module stand on, made once for all of them.

It is made in a transaction of its own, in which each test's transaction lies; a test gets a copy of what was
made and leaves it as it was. A test that asks for less than the one before it, or for nothing, finds just
that: the order of tests doesn't matter.

Besides what all modules know, a module may have a scene of its own: what it names `SCENE` is made once for
its tests, and each that asks for `standing_scene` gets a copy.
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


@dataclass(frozen=True, slots=True)
class Kind:
    """How a layer is made, on top of which other one."""

    make: Callable[[Any], Any]
    on: str = "standing_world"


# By the fixture that asks for it.
KINDS = {
    "standing_world": Kind(lambda _: factories.world(), on=""),
    "standing_house": Kind(furnish),
}


@dataclass(frozen=True, slots=True)
class Layer:
    """What was made, and the transaction that it was made in."""

    name: str
    made: Any
    block: transaction.Atomic


class Ground:
    """The layers that lie just now, the lowest first."""

    def __init__(self, scene: Kind | None) -> None:
        self._kinds = KINDS if scene is None else {**KINDS, "standing_scene": scene}
        self._layers: list[Layer] = []

    def lay(self, fixtures: Collection[str]) -> None:
        """See that there is what a test with these fixtures asks for, and nothing else."""
        asked = [self._down_to(name) for name in self._kinds if name in fixtures]
        wanted = max(asked, key=len, default=())
        assert all(wanted[: len(one)] == one for one in asked), f"{asked} can't lie on each other"
        while tuple(layer.name for layer in self._layers) != wanted[: len(self._layers)]:
            self._take_away()
        for name in wanted[len(self._layers) :]:
            self._add(name)

    def clear(self) -> None:
        """Leave nothing."""
        self.lay(())

    def copy(self, name: str, kind: type[Made]) -> Made:
        """A test's own copy of what a layer is; made for it alone where nothing was laid."""
        made = self._copy(name)
        assert isinstance(made, kind)
        return made

    def _down_to(self, name: str) -> tuple[str, ...]:
        below = self._kinds[name].on
        return (*(self._down_to(below) if below else ()), name)

    def _add(self, name: str) -> None:
        block = transaction.atomic()
        block.__enter__()
        self._layers.append(Layer(name, self._make(name), block))

    def _copy(self, name: str) -> Any:
        made = next((layer.made for layer in self._layers if layer.name == name), None)
        return copy.deepcopy(made) if made is not None else self._make(name)

    def _make(self, name: str) -> Any:
        kind = self._kinds[name]
        below = self._copy(kind.on) if kind.on else None
        with time_machine.travel(factories.AT, tick=False):
            return kind.make(below)

    def _take_away(self) -> None:
        layer = self._layers.pop()
        transaction.set_rollback(True)
        layer.block.__exit__(None, None, None)
