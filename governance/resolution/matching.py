"""What goes with what: the candidates of two components compared as sets, in bits of each."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import or_

from governance.resolution.remembering import remembered

Groups = tuple[tuple[int, int], ...]  # who of the one, and with which of the other these go


class Matching:
    """Which of one component's candidates go with which of another's, by what they ask of it alone."""

    def __init__(self, groups: Groups) -> None:
        """Those who ask nothing go with all, and are in a group too."""
        self._groups = groups
        self._refused: dict[int, int] = {}
        self._allowed: dict[int, int] = {}

    def refused(self, there: int) -> int:
        """Who asks what none of the other's candidates `there` gives."""
        return remembered(self._refused, there, self._find_refused)

    def allowed(self, these: int) -> int:
        """The other's candidates with which one of these goes."""
        return remembered(self._allowed, these, self._find_allowed)

    def _find_refused(self, there: int) -> int:
        return _union(these for these, match in self._groups if not match & there)

    def _find_allowed(self, these: int) -> int:
        return _union(match for some, match in self._groups if some & these)


def _union(sets: Iterable[int]) -> int:
    return reduce(or_, sets, 0)
