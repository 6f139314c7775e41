"""Components as a tenant has them, and what rules leave to them: frozen values, told apart by content."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from governance.resolution.candidates import NONE, Candidates
from governance.resolution.digests import Sent, digest_of, digest_of_set
from governance.resolution.releases import AskedByEach, Prefer, Relation, Release, preference
from governance.resolution.remembering import remembered

_KEPT = 20  # orders of places that a component remembers: there are many components


class _Gift(NamedTuple):
    """Which releases give of what is asked the same as one of them.

    Those that are in all that it meets: of what is asked of its component alone, and of it and others; None
    where it meets nothing. And those that meet something else, by what.
    """

    own: frozenset[int] | None
    joint: frozenset[int] | None
    others: tuple[frozenset[int], ...]


@dataclass(frozen=True)
class Component(Sent):
    """A plugin, or the host, in one tenant.

    Only an open component may change, to one of its `candidates`; the others are here because an open one
    has to get along with them.
    """

    id: int
    name: str
    installed: Release | None
    candidates: Candidates = NONE
    open: bool = False
    host: bool = False

    @cached_property
    def closed(self) -> Component:
        """The same, to stay as it is."""
        return replace(self, candidates=NONE, open=False) if self.open else self

    @cached_property
    def bystander(self) -> Component:
        """The same, to stay as it is, and asking nothing of others."""
        return replace(self.closed, installed=self.installed.bare if self.installed else None)

    def like(self, asked: AskedByEach) -> Component:
        """A bystander at one release that stands for all of which the same holds, so that tenants are alike.

        The version isn't told: one tenant's would be read in another.
        """
        if self.installed is None:
            return self
        known = self._likes.get(asked)
        if known is None:
            known = self._likes[asked] = self._at(self._least_alike(asked))
        return known

    def _least_alike(self, asked: AskedByEach) -> int:
        """The lowest of its releases that gives of what is asked the same as the installed one."""
        assert self.installed is not None
        gifts = [remembered(self._gifts, one, self._gift) for one in asked]
        own = [gift.own for gift in gifts if gift.own is not None]
        joint = [gift.joint for gift in gifts if gift.joint is not None]
        if own:
            others = (some for gift in gifts for some in gift.others)
            return min(frozenset.intersection(*own, *joint).difference(*others))
        return self.installed.id if joint else -self.id  # joint ones may name releases of others

    def _gift(self, asked: frozenset[Relation]) -> _Gift:
        """What the installed release gives of what one other asks."""
        assert self.installed is not None
        met = [one for one in asked if self.installed.id in one.releases]
        own = [one.releases for one in met if len(one.components) == 1]
        joint = [one.releases for one in met if len(one.components) > 1]
        return _Gift(
            frozenset.intersection(*own) if own else None,
            frozenset.intersection(*joint) if joint else None,
            tuple(one.releases for one in asked.difference(met)),
        )

    def _at(self, release_id: int) -> Component:
        """The same at another release of which nothing else is told."""
        known = self._places.get(release_id)
        if known is None:
            assert self.installed is not None
            there = replace(self.installed, id=release_id, version="")
            known = self._places[release_id] = replace(self, installed=there)
        return known

    @cached_property
    def _likes(self) -> dict[AskedByEach, Component]:
        return {}

    @cached_property
    def _gifts(self) -> dict[frozenset[Relation], _Gift]:
        return {}

    @cached_property
    def _places(self) -> dict[int, Component]:
        return {}

    @property
    def stands_by(self) -> bool:
        """Whether it stays as it is and asks nothing of others, so that its version says nothing."""
        return not self.open and (self.installed is None or not self.installed.relations)

    @cached_property
    def named(self) -> frozenset[int]:
        """Every component of which its releases ask something."""
        return frozenset(self.about)

    @cached_property
    def joint(self) -> tuple[Relation, ...]:
        """What its releases ask of several components together."""
        asked = dict.fromkeys(one for relations in self.about.values() for one in relations)
        return tuple(relation for relation in asked if len(relation.components) > 1)

    def ordered(self, places: int, prefer: Prefer) -> tuple[Release | None, ...]:
        """Places in bits of the candidates, the best first; equal versions have one order too.

        Upwards comes before downwards, the newest or nearest there, and being gone last.
        """
        return remembered(self._ordered, (places, prefer), self._in_order, kept=_KEPT)

    def _in_order(self, asked: tuple[int, Prefer]) -> tuple[Release | None, ...]:
        places, prefer = asked
        if prefer not in self._preferred:
            ordered = sorted(self.candidates, key=preference(self.installed, prefer))
            self._preferred[prefer] = tuple((one, self.candidates.bits[one.id]) for one in ordered)
        there = tuple([release for release, bit in self._preferred[prefer] if places & bit])
        return (*there, None) if places & self.candidates.gone else there

    @cached_property
    def _ordered(self) -> dict[tuple[int, Prefer], tuple[Release | None, ...]]:
        return {}

    @cached_property
    def _preferred(self) -> dict[Prefer, tuple[tuple[Release, int], ...]]:
        return {}

    @cached_property
    def about(self) -> Mapping[int, frozenset[Relation]]:
        """By component, what its releases ask of that one."""
        here = self.installed
        if here is None or here.id in self.candidates.bits:
            return self.candidates.about
        found: dict[int, set[Relation]] = defaultdict(set)
        for relation in here.relations:
            for other in relation.components:
                found[other].add(relation)
        mine = self.candidates.about
        more = {other: some for other, some in found.items() if not some <= mine.get(other, frozenset())}
        return {**mine, **{other: mine.get(other, frozenset()) | some for other, some in more.items()}}

    @cached_property
    def digest(self) -> str:
        """Of the content. Of a bystander only what others may ask: whether it is one of their releases."""
        if self.stands_by:
            here = self.installed.id if self.installed else ""
            return digest_of("bystander", self.id, self.name, self.host, here)
        return digest_of(
            *("component", self.id, self.name, self.open, self.host),
            self.installed.digest if self.installed else "",
            self.candidates.digest,
        )


@dataclass(frozen=True)
class Binding(Sent):
    """What one rule of a policy allows for one component in this tenant.

    `wanted` is False for a rule that isn't to be acted on: it lets a release that breaks it stay, and is
    still never broken anew.
    """

    policy: str
    key: str
    kind: str
    component: int
    allowed: frozenset[int]
    absence: bool = True  # whether the component may be missing
    weight: int = 100
    says: str = ""  # "wants crm 2.4.0 everywhere"
    prefer: Prefer = Prefer.NEAREST
    exact: bool = False  # it names one release
    wanted: bool = True

    def __hash__(self) -> int:
        """By the rule and the component, which hardly any two share."""
        return hash((self.policy, self.key, self.component))

    @property
    def rule(self) -> tuple[str, str]:
        """The rule's name: its policy's and its own."""
        return (self.policy, self.key)

    def allows(self, release: Release | None) -> bool:
        """Whether the component may be at that release, or missing if it is None."""
        return self.absence if release is None else release.id in self.allowed

    def among(self, candidates: Candidates) -> int:
        """Where the component may be, in bits of its candidates."""
        return candidates.of(self.allowed) | (candidates.gone if self.absence else 0)

    @cached_property
    def content(self) -> str:
        """The digest of what it demands; its weight and preference only order what people see."""
        return digest_of(
            *("binding", self.policy, self.key, self.kind, self.component, self.says),
            *(self.absence, self.exact, digest_of_set(self.allowed)),
        )

    @cached_property
    def digest(self) -> str:
        """Of everything."""
        return digest_of(self.content, self.weight, self.prefer, self.wanted)


def labels(bindings: Iterable[Binding]) -> dict[tuple[str, str], str]:
    """The rules' names for people: the policy's alone, unless several rules of it are told of together."""
    rules = {binding.rule for binding in bindings}
    counts = Counter(policy for policy, _ in rules)
    return {(policy, key): policy if counts[policy] == 1 else f"{policy}/{key}" for policy, key in rules}
