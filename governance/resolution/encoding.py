"""Where a component that moves may go, in clauses for a SAT solver.

The places are in a line, and there is a variable for each "it goes no further than here" beside the one for
each place: the order encoding (Tamura and others, "Compiling finite linear CSP into SAT", Constraints 14,
2009). What releases ask and give holds for runs of them, mostly from one on, so that a run takes one clause
where each place would take one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from governance.resolution.candidates import Candidates
from governance.resolution.releases import Release

Cube = tuple[int, ...]  # literals that are true together


class Encoding:
    """The places of an open component, as literals that may be true where it moves.

    `new` makes a variable, `add` adds a clause of these literals. `reach` is where it may go, in bits of the
    candidates, and `move` the literal that it moves.
    """

    def __init__(
        self,
        candidates: Candidates,
        reach: int,
        move: int,
        *,
        new: Callable[[], int],
        add: Callable[..., None],
    ) -> None:
        self._candidates = candidates
        self._reach = reach
        self.places = {new(): release for release in self._in_line()}  # by their literals
        self.at = {None if r is None else r.id: place for place, r in self.places.items()}
        self._line = tuple(self.places)
        self._upto = self._chained(move, new, add)

    def place(self, model: Sequence[int]) -> int:
        """The literal of the place to which it goes in a model in which it moves."""
        return max(model[self._line[0] - 1 : self._line[-1]])  # their variables are consecutive

    def cubes(self, places: int) -> Iterator[Cube]:
        """Literals of which some are true together just where it goes to one of these places."""
        within = places & self._reach
        while within:
            first = (within & -within).bit_length() - 1
            outside = (self._reach & ~within) >> first
            end = first + (outside & -outside).bit_length() - 1 if outside else self._reach.bit_length()
            yield self._run(first, (within & ((1 << end) - 1)).bit_length() - 1)
            within = within >> end << end

    def _run(self, first: int, last: int) -> Cube:
        """That it goes to one from the `first` to the `last`, given by their bits."""
        lowest, highest = self._number(first), self._number(last)
        if lowest == highest:
            return (self._line[lowest],)
        return (self._upto[highest], -self._upto[lowest - 1]) if lowest else (self._upto[highest],)

    def _number(self, bit: int) -> int:
        """How many of the places come before this bit."""
        return (self._reach & ((1 << bit) - 1)).bit_count()

    def _in_line(self) -> Iterator[Release | None]:
        yield from self._candidates.among(self._reach)
        if self._reach & self._candidates.gone:
            yield None

    def _chained(self, move: int, new: Callable[[], int], add: Callable[..., None]) -> list[int]:
        """By place, the literal that it moves to this one or one before it.

        It is at exactly one of them if it moves, at none if it doesn't.
        """
        upto: list[int] = []
        for place in self._line:
            here = move if place == self._line[-1] else new()
            before = upto[-1:]
            add(-place, here)
            add(-here, place, *before)
            for lower in before:
                add(-lower, here)
                add(-lower, -place)
            upto.append(here)
        if not upto:
            add(-move)
        return upto
