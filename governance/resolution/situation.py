"""All that the decision about one tenant is made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import attrgetter, or_

from governance.resolution.digests import Sent, digest_of
from governance.resolution.values import Binding, Component

_COMPONENT = attrgetter("id")
_BINDING = attrgetter("component", "rule", "digest")


@dataclass(frozen=True, eq=False)
class Situation(Sent):
    """All that the decision about one tenant depends on; tenants in equal situations share it.

    Situations are equal whose digests are.

    `complete` is False where the tenant's manifest may leave plugins unnamed: then what isn't listed may
    well be there, and nobody is blamed for its absence. With `strict`, what is installed has to be sound
    afterwards even where it isn't now; else only what changes has to. Unless `why`, nobody asks why what is
    unsettled has no way, which takes most of the time where something is.
    """

    components: tuple[Component, ...]
    bindings: tuple[Binding, ...]
    complete: bool = True
    strict: bool = False
    why: bool = True

    def __post_init__(self) -> None:
        """Put the parts into one order, so that nothing downstream can depend on theirs."""
        object.__setattr__(self, "components", tuple(sorted(self.components, key=_COMPONENT)))
        bindings = sorted(self.bindings, key=_BINDING)
        object.__setattr__(self, "bindings", tuple(bindings))

    @cached_property
    def digest(self) -> str:
        """Equal for equal situations."""
        return self._digest(why=self.why)

    @cached_property
    def explained(self) -> str:
        """The digest of the same where somebody asks why."""
        return self.digest if self.why else self._digest(why=True)

    def _digest(self, *, why: bool) -> str:
        return digest_of(
            *(self.complete, self.strict, why),
            *(component.digest for component in self.components),
            *(binding.digest for binding in self.bindings),
        )

    def __eq__(self, other: object) -> bool:
        """By the digest, which stands for all of it."""
        return isinstance(other, Situation) and self.digest == other.digest

    def __hash__(self) -> int:
        """By the digest too."""
        return hash(self.digest)

    def component(self, component_id: int) -> Component:
        """The component of that id."""
        return self._by_id[component_id]

    def find(self, component_id: int) -> Component | None:
        """The same, None where the situation doesn't have it."""
        return self._by_id.get(component_id)

    def binding(self, component_id: int) -> Sequence[Binding]:
        """The bindings of that component."""
        return self._bindings_of.get(component_id, ())

    def unbound(self, component_id: int) -> int:
        """Where an open component might go if nothing bound it, in bits of its candidates.

        Some of the bindings are asked with the freedom that all give, so that fewer never allow less: what is
        a target only because a rule names exactly it, and being gone because a rule says so.
        """
        known = self._unbound.get(component_id)
        if known is None:
            component, bindings = self.component(component_id), self.binding(component_id)
            candidates = component.candidates
            named = reduce(or_, (candidates.of(one.allowed) for one in bindings if one.exact), 0)
            reach = candidates.offered | candidates.nameable & named
            if component.installed is not None:
                reach &= ~candidates.bits.get(component.installed.id, 0)
            absent = component.installed is not None and any(b.kind == "absent" for b in bindings)
            known = reach | (candidates.gone if absent else 0)
            self._unbound[component_id] = known
        return known

    @cached_property
    def _unbound(self) -> dict[int, int]:
        return {}

    @cached_property
    def orders(self) -> dict[tuple[tuple[int, int | None], ...], tuple[int, ...]]:
        """In which order changes are made, as far as somebody asked: tenants share it as they share this."""
        return {}

    @cached_property
    def _bindings_of(self) -> dict[int, list[Binding]]:
        found: dict[int, list[Binding]] = {}
        for binding in self.bindings:
            found.setdefault(binding.component, []).append(binding)
        return found

    @cached_property
    def _by_id(self) -> dict[int, Component]:
        return {component.id: component for component in self.components}
