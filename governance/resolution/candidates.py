"""Where a component may go: its releases as sets in bits, and what they ask of others."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property, reduce
from operator import or_

from governance.resolution.digests import digest_of_set
from governance.resolution.matching import Matching
from governance.resolution.releases import Clash, Need, Relation, Release

# What is asked of a component, each with those of its candidates that give it; None where others may, too.
Asked = Sequence[tuple[Relation, int | None]]


class Candidates(tuple[Release, ...]):
    """The releases of a component, in the catalogue's order, the lowest first.

    A set of them is a number with a bit for each, and one for being gone.
    """

    def __reduce__(self) -> tuple[type[Candidates], tuple[tuple[Release, ...]]]:
        """Without what was worked out, which would be most of a message to another process."""
        return Candidates, (tuple(self),)

    @cached_property
    def bits(self) -> Mapping[int | None, int]:
        """By the id of a release its bit, and that for being gone by None."""
        return {**{release.id: 1 << place for place, release in enumerate(self)}, None: self.gone}

    @cached_property
    def by_id(self) -> Mapping[int, Release]:
        """The releases by their ids."""
        return {release.id: release for release in self}

    @cached_property
    def offered(self) -> int:
        """Those that may be targets of their own accord."""
        return reduce(or_, (self.bits[release.id] for release in self if release.offered), 0)

    @cached_property
    def nameable(self) -> int:
        """Those that may be targets when a rule names exactly them."""
        return reduce(or_, (self.bits[release.id] for release in self if release.nameable), 0)

    @property
    def gone(self) -> int:
        """The bit for being gone."""
        return 1 << len(self)

    def among(self, bits: int) -> Iterator[Release]:
        """The releases that are in a set."""
        bits &= ~self.gone
        while bits:
            lowest = bits & -bits
            yield self[lowest.bit_length() - 1]
            bits ^= lowest

    @cached_property
    def asking(self) -> Mapping[Relation, int]:
        """Which of them ask the same."""
        found: dict[Relation, int] = {}
        for place, release in enumerate(self):
            for relation in release.relations:
                found[relation] = found.get(relation, 0) | 1 << place
        return found

    @cached_property
    def asks(self) -> Mapping[int, tuple[tuple[Relation, int], ...]]:
        """By component, what is asked of it and by which of them."""
        found: dict[int, list[tuple[Relation, int]]] = defaultdict(list)
        for relation, askers in self.asking.items():
            for other in relation.components:
                found[other].append((relation, askers))
        return {other: tuple(asked) for other, asked in found.items()}

    @cached_property
    def about(self) -> Mapping[int, frozenset[Relation]]:
        """By component, what is asked of it."""
        return {other: frozenset(one for one, _ in asked) for other, asked in self.asks.items()}

    def vain(self, *, complete: bool) -> int:
        """Those that ask what there is no release to give, where that can be judged."""
        known = self._vain.get(complete)
        if known is None:
            needs = ((one, askers) for one, askers in self.asking.items() if isinstance(one, Need))
            never = (askers for need, askers in needs if not need.releases and complete and not need.of_host)
            known = self._vain[complete] = reduce(or_, never, 0)
        return known

    @cached_property
    def _vain(self) -> dict[bool, int]:
        return {}

    def of(self, releases: frozenset[int]) -> int:
        """Those of them with these ids."""
        known = self._of.get(releases)
        if known is None:
            known = self._of[releases] = sum(bit for pk, bit in self.bits.items() if pk in releases)
        return known

    @cached_property
    def _of(self) -> dict[frozenset[int], int]:
        return {}

    def meant(self, relation: Relation) -> int:
        """Those of them that the relation names."""
        known = self._meant.get(relation)
        if known is None:
            named = (bit for release, bit in self.bits.items() if release in relation.releases)
            known = self._meant[relation] = sum(named)
        return known

    def giving(self, relation: Relation, *, complete: bool) -> int:
        """Those that give what is asked of this component alone; being gone may."""
        met = self.meant(relation)
        if isinstance(relation, Clash):
            return ~met
        return met | self.gone if relation.of_host or not complete else met

    def asked_by(self, release: Release, component: int, *, complete: bool) -> Asked:
        """What a release asks of this component."""
        known = self._asked_by.get(key := (release.id, component, complete))
        if known is None or known[0] is not release:
            asked = [
                (one, None if len(one.components) > 1 else self.giving(one, complete=complete))
                for _, one in release.about.get(component, ())
            ]
            known = self._asked_by[key] = release, asked
        return known[1]

    def denied(self, component: int, release: int | None, *, complete: bool) -> int:
        """Those of them that ask something that a component alone denies them where it is.

        Where it is missing and not `complete`, or it is the host, it isn't known to deny what it might give.
        """
        known = self._denied.get(key := (component, release, complete))
        if known is None:
            asked = self.asks.get(component, ())
            denied = (who for relation, who in asked if _denies(relation, release, complete=complete))
            known = self._denied[key] = reduce(or_, denied, 0)
        return known

    def matching(self, component: int, theirs: Candidates, *, complete: bool) -> Matching:
        """Which of them go with which releases of a component, by what is asked of it alone."""
        known = self._matchings.get(key := (component, complete))
        if known is None or known[0] is not theirs:
            groups = tuple(self._matched(component, theirs, complete=complete))
            known = self._matchings[key] = theirs, Matching(groups)
        return known[1]

    def _matched(self, component: int, theirs: Candidates, *, complete: bool) -> Iterator[tuple[int, int]]:
        everything = (theirs.gone << 1) - 1
        groups = {everything: (self.gone << 1) - 1}
        for relation, askers in self.asks.get(component, ()):
            if len(relation.components) > 1:
                continue
            met = theirs.giving(relation, complete=complete)
            parted: dict[int, int] = defaultdict(int)
            for match, these in groups.items():
                parted[match & met] |= these & askers
                parted[match] |= these & ~askers
            groups = {match: these for match, these in parted.items() if these}
        yield from ((these, match) for match, these in groups.items())

    @cached_property
    def joint(self) -> Mapping[int, tuple[tuple[Relation, int], ...]]:
        """By component, what is asked of it and others together, and by which of them."""
        joint = {
            other: tuple((relation, askers) for relation, askers in asked if len(relation.components) > 1)
            for other, asked in self.asks.items()
        }
        return {other: asked for other, asked in joint.items() if asked}

    @cached_property
    def _matchings(self) -> dict[tuple[int, bool], tuple[Candidates, Matching]]:
        return {}

    @cached_property
    def _denied(self) -> dict[tuple[int, int | None, bool], int]:
        return {}

    @cached_property
    def _asked_by(self) -> dict[tuple[int, int, bool], tuple[Release, Asked]]:
        return {}

    @cached_property
    def _meant(self) -> dict[Relation, int]:
        return {}

    @cached_property
    def digest(self) -> str:
        """Of the content."""
        return digest_of_set(release.digest for release in self)


def _denies(relation: Relation, release: int | None, *, complete: bool) -> bool:
    """Whether the one component that it names doesn't give what is asked, while another place may."""
    if len(relation.components) > 1:
        return False
    met = release in relation.releases
    if isinstance(relation, Clash):
        return met
    unknown = release is None and (relation.of_host or not complete)
    return not met and bool(relation.releases) and not unknown


NONE = Candidates()
