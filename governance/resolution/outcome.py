"""What a decision comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from governance.resolution.links import Link
from governance.resolution.releases import Release
from governance.resolution.values import Binding

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
    kind: str
    component: int
    weight: int
    says: str

    @classmethod
    def of(cls, binding: Binding) -> Saying:
        """What the rule says of the component that it binds."""
        return cls(binding.policy, binding.key, binding.kind, binding.component, binding.weight, binding.says)

    @property
    def rule(self) -> Rule:
        """The rule's name: its policy's and its own."""
        return (self.policy, self.key)


@dataclass(frozen=True)
class ConflictingSet:
    """Rules that can't hold together, while any fewer of them could.

    `links` are the dependencies that close the conflict, where the rules alone don't; `chain` tells of them.
    """

    rules: tuple[Saying, ...]
    links: tuple[Link, ...] = ()

    @property
    def chain(self) -> tuple[str, ...]:
        """The links in words."""
        return tuple(map(str, self.links))


@dataclass(frozen=True)
class WayOut:
    """Rules to set aside, checked to solve the conflict.

    `goes` is where the components of the conflict go or stay then: None where one is gone, or not there;
    `where` tells it of those that are stuck or move. `aside` is what the rules say of these components, each
    by itself: what no longer binds.
    """

    rules: tuple[Rule, ...]
    weight: int
    says: str  # "Set freeze aside here"
    where: str = ""  # "crm goes to 2.4.0"
    goes: Mapping[int, Release | None] = field(default_factory=dict)
    aside: tuple[Saying, ...] = ()


@dataclass(frozen=True)
class Unsettled:
    """Components that break a rule and have no way to go together.

    `sets` are the minimal conflicting sets of rules, the simplest first, and all of them if `complete`.
    `proved` is False where the search gave up at its bound rather than finding that there is no way. Then
    there may be no set at all; `bound_by` is what the rules say of the stuck components in that case. Where
    nobody asked why, there may be nothing but who is stuck.
    """

    stuck: tuple[int, ...]
    fingerprint: str = ""
    summary: str = ""
    sets: tuple[ConflictingSet, ...] = ()
    ways_out: tuple[WayOut, ...] = ()
    complete: bool = True
    proved: bool = True
    bound_by: tuple[Saying, ...] = ()

    @property
    def component(self) -> int:
        """The weightiest of those that are stuck."""
        return self.stuck[0]

    @property
    def rules(self) -> tuple[Saying, ...]:
        """All rules that have a part in it, or may have one."""
        return tuple(dict.fromkeys([*(saying for one in self.sets for saying in one.rules), *self.bound_by]))

    @property
    def chain(self) -> tuple[str, ...]:
        """All that is told of dependencies."""
        return tuple(dict.fromkeys(link for one in self.sets for link in one.chain))

    @property
    def components(self) -> frozenset[int]:
        """Those that the conflict is about: the stuck ones and those that its rules bind."""
        return frozenset({*self.stuck, *(saying.component for saying in self.rules)})


@dataclass(frozen=True)
class Outcome:
    """Changes that satisfy all that can be checked, and what they leave unsettled.

    `beyond` names components that have to be opened before the situation can be judged; while there are
    any, nothing else is said. `widely` advises to open at once all that they have to do with: to tell what
    some of the rules would allow, much may have to move.
    """

    changes: tuple[Change, ...] = ()
    unsettled: tuple[Unsettled, ...] = ()
    beyond: frozenset[int] = frozenset()
    widely: bool = False
