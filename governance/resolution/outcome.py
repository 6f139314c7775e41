"""What a decision comes to."""

from __future__ import annotations

from dataclasses import dataclass

from governance.resolution.values import Release

Rule = tuple[str, str]  # the policy's name and the rule's key


@dataclass(frozen=True)
class Change:
    """One component moves, is added (`before` None) or removed (`after` None)."""

    component: int
    before: Release | None
    after: Release | None
    because: str
    rules: tuple[Rule, ...] = ()  # those that want it; empty for what another change needs


@dataclass(frozen=True)
class Saying:
    """A rule that has a part in a conflict, in words."""

    policy: str
    key: str
    component: int
    weight: int
    says: str


@dataclass(frozen=True)
class WayOut:
    """Rules to set aside, checked to solve the conflict. `to` is where the component goes then."""

    rules: tuple[Rule, ...]
    weight: int
    says: str


@dataclass(frozen=True)
class Unsettled:
    """A component that breaks a rule and has no way to go.

    `rules` can't hold together, and any fewer of them could, given the dependencies that `chain` tells.
    `proved` is False where the search gave up at its bound rather than finding that there is none.
    """

    component: int
    fingerprint: str
    summary: str
    rules: tuple[Saying, ...]
    chain: tuple[str, ...] = ()
    ways_out: tuple[WayOut, ...] = ()
    proved: bool = True

    @property
    def components(self) -> frozenset[int]:
        """Those that the conflict is about: its own and those that its rules bind."""
        return frozenset({self.component, *(saying.component for saying in self.rules)})


@dataclass(frozen=True)
class Outcome:
    """Changes that satisfy all that can be checked, and what they leave unsettled.

    `beyond` names components that have to be opened before the situation can be judged; while there are
    any, nothing else is said.
    """

    changes: tuple[Change, ...] = ()
    unsettled: tuple[Unsettled, ...] = ()
    beyond: frozenset[int] = frozenset()
