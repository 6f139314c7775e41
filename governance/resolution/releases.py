"""Releases and what they ask of each other: frozen values whose digests depend on content, never on order.

Versions don't appear here except as text for people. Every relation of a release is a set of release ids,
compiled once by whoever knows the version dialects, so that deciding is set arithmetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property

from governance.resolution.digests import Sent, digest_of, digest_of_set


class Prefer(StrEnum):
    """Which of several targets that cost the same number of changes is the better one."""

    NEWEST = "newest"
    NEAREST = "nearest"


@dataclass(frozen=True)
class Need(Sent):
    """A release's demand that one of `releases` be installed beside it.

    `components` are those that could meet it, the named one included even when none of its releases would do.
    A range of alternatives (`any_of`) and what stands in for a name (`provides`) are in the set already.
    A need of the host can't be judged, and so isn't, where the host is unknown.
    """

    says: str  # "needs core >=3"
    releases: frozenset[int]
    components: frozenset[int]
    of_host: bool = False
    what: tuple[str, ...] = ()  # "core >=3", for words in other languages; it adds nothing to `says`

    def __hash__(self) -> int:
        """By the words, which hardly any two share: these are looked up by the million."""
        return hash(self.says)

    @cached_property
    def digest(self) -> str:
        """Of the content."""
        return digest_of(
            "need", self.says, self.of_host, digest_of_set(self.releases), digest_of_set(self.components)
        )


@dataclass(frozen=True)
class Clash(Sent):
    """A release's demand that none of `releases` be installed beside it.

    An optional requirement is one too: it clashes with the releases out of its range.
    """

    says: str  # "doesn't go with core <2"
    releases: frozenset[int]
    components: frozenset[int]
    only: bool = False  # whether it is an optional requirement
    what: tuple[str, ...] = ()  # as for a need

    def __hash__(self) -> int:
        """By the words, which hardly any two share: these are looked up by the million."""
        return hash(self.says)

    @cached_property
    def digest(self) -> str:
        """Of the content."""
        return digest_of("clash", self.says, digest_of_set(self.releases), digest_of_set(self.components))


Relation = Need | Clash
AskedByEach = tuple[frozenset[Relation], ...]  # what each of several components asks of another


@dataclass(frozen=True)
class Release(Sent):
    """One version of a component. `rank` orders the component's releases; equal versions share it."""

    id: int
    component: int
    version: str
    rank: int
    relations: tuple[Relation, ...] = ()
    offered: bool = True  # may be a target of its own accord
    nameable: bool = True  # may be a target when a rule names exactly it: withdrawn ones and pre-releases

    @cached_property
    def bare(self) -> Release:
        """The same without what it asks of others."""
        return replace(self, relations=(), offered=True, nameable=True) if self.relations else self

    @cached_property
    def about(self) -> Mapping[int, tuple[tuple[int, Relation], ...]]:
        """By component, what it asks of that one, each with its place among all that it asks."""
        found: dict[int, list[tuple[int, Relation]]] = defaultdict(list)
        for place, relation in enumerate(self.relations):
            for component in relation.components:
                found[component].append((place, relation))
        return {component: tuple(asked) for component, asked in found.items()}

    @cached_property
    def digest(self) -> str:
        """Of the content."""
        return digest_of(
            *("release", self.id, self.component, self.version, self.rank, self.offered, self.nameable),
            digest_of_set(relation.digest for relation in self.relations),
        )


def preference(installed: Release | None, prefer: Prefer) -> Callable[[Release], tuple[int, ...]]:
    """The order in which releases are targets of one who has that installed."""

    def key(release: Release) -> tuple[int, ...]:
        if installed is None or release.rank < installed.rank:
            return (1, -release.rank, release.id)
        return (0, -release.rank if prefer is Prefer.NEWEST else release.rank, release.id)

    return key
