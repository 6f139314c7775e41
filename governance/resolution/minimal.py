"""All minimal parts of a collection that fail, whatever failing means.

The method is MARCO (Liffiton and others, "Fast, flexible MUS enumeration", Constraints 21, 2016): a second,
small solver keeps a map of what has been looked at, and is asked for the largest part that hasn't. One that
fails is shrunk to a minimal one; one that doesn't rules out all that is smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from pysat.solvers import Solver

# Says of a part, given by the places of its items, whether it fails: by naming what of it does, None if it
# doesn't. A part of what doesn't fail must not fail either.
Failing = Callable[[Sequence[int]], Collection[int] | None]


@dataclass(frozen=True)
class MinimalSets:
    """Minimal failing parts; `complete` is False where there may be more beyond the bound."""

    sets: tuple[frozenset[int], ...]
    complete: bool


def minimal_sets(
    size: int,
    failing: Failing,
    *,
    most_sets: int,
    most_questions: int,
    known: Iterable[Collection[int]] = (),
) -> MinimalSets:
    """Every minimal part of `size` items that fails, up to so many sets and questions.

    Items in front are preferred where the bound is hit. Nothing is looked for that contains a `known` part.
    """
    found: list[frozenset[int]] = []
    asking = _Counted(failing)
    with _Map(size) as unseen:
        for part in known:
            unseen.rule_out_above(part)
        while (seed := unseen.largest()) is not None:
            if len(found) >= most_sets or asking.asked >= most_questions:
                return MinimalSets(tuple(found), complete=False)
            failed = asking(seed)
            if failed is None:
                unseen.rule_out_below(seed)
            else:
                found.append(shrink(failed, asking))
                unseen.rule_out_above(found[-1])
    return MinimalSets(tuple(found), complete=True)


def shrink(places: Collection[int], failing: Failing) -> frozenset[int]:
    """A minimal part of failing places that still fails, the low ones preferred."""
    kept = set(places)
    for place in sorted(places, reverse=True):
        if place in kept:
            failed = failing(sorted(kept - {place}))
            if failed is not None:
                kept &= set(failed)
    return frozenset(kept)


class _Counted:
    """The question, and how often it was asked."""

    def __init__(self, failing: Failing) -> None:
        self._failing = failing
        self.asked = 0

    def __call__(self, places: Sequence[int]) -> Collection[int] | None:
        self.asked += 1
        return self._failing(places)


class _Map:
    """Which parts of so many items were looked at, or needn't be."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._solver = Solver(name="minisat22")
        self._solver.set_phases(list(range(1, size + 1)))

    def largest(self) -> list[int] | None:
        """The places of a part not looked at to which nothing can be added; None if there is none."""
        if not self._solver.solve():
            return None
        model = self._solver.get_model()
        # A variable that no clause names is free, and so belongs to the largest part.
        taken = [x for x in range(1, self._size + 1) if x > len(model) or model[x - 1] > 0]
        for variable in range(1, self._size + 1):
            if variable not in taken and self._solver.solve(assumptions=[*taken, variable]):
                taken.append(variable)
        return [variable - 1 for variable in sorted(taken)]

    def rule_out_below(self, places: Collection[int]) -> None:
        """This part doesn't fail, so none of its own does."""
        self._solver.add_clause([place + 1 for place in range(self._size) if place not in set(places)])

    def rule_out_above(self, places: Collection[int]) -> None:
        """This part fails minimally, so what contains it is no news."""
        self._solver.add_clause([-(place + 1) for place in places])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._solver.delete()
