"""A situation under its rules, made ready for searching: what must change, and where each may go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from governance.resolution.ground import Ground, Places
from governance.resolution.influence import Influence
from governance.resolution.releases import Prefer, Release
from governance.resolution.situation import Situation
from governance.resolution.values import Binding


@dataclass(frozen=True)
class Problem:
    """A situation under its bindings, or under some of them."""

    influence: Influence
    bindings: tuple[Binding, ...]

    @classmethod
    def of(cls, situation: Situation, bindings: Iterable[Binding] | None = None) -> Problem:
        """The situation under its bindings, unless others are given."""
        return cls(Influence(Ground(situation)), tuple(situation.bindings if bindings is None else bindings))

    @cached_property
    def situation(self) -> Situation:
        """The situation."""
        return self.ground.situation

    @cached_property
    def start(self) -> dict[int, Release | None]:
        """What is installed."""
        return self.ground.start

    @cached_property
    def ground(self) -> Ground:
        """What holds between the releases."""
        return self.influence.ground

    def under(self, bindings: Iterable[Binding]) -> Problem:
        """The same under other bindings."""
        return Problem(self.influence, tuple(bindings))

    @cached_property
    def binding(self) -> dict[int, list[Binding]]:
        """The bindings of each component."""
        found: dict[int, list[Binding]] = {}
        for binding in self.bindings:
            found.setdefault(binding.component, []).append(binding)
        return found

    def broken(self, component_id: int) -> Sequence[Binding]:
        """The bindings that are to be acted on and that what is installed breaks."""
        known = self._broken.get(component_id)
        if known is None:
            installed = self.start[component_id]
            bindings = self.binding.get(component_id, ())
            known = [b for b in bindings if b.wanted and not b.allows(installed)]
            self._broken[component_id] = known
        return known

    @cached_property
    def obliged(self) -> tuple[int, ...]:
        """Components that break a rule and so must change, those with the weightiest reason first."""
        bound = (component for component in self.binding if component in self.start)
        reasons = {c: max(b.weight for b in broken) for c in bound if (broken := self.broken(c))}
        return tuple(sorted(reasons, key=lambda c: (-reasons[c], c)))

    def reach(self, component_id: int) -> int:
        """Where an open component may go from where it is, in bits of its candidates."""
        known = self._reached.get(component_id)
        if known is None:
            known = self._reached[component_id] = self._reach(component_id)
        return known

    def targets(self, component_id: int) -> Places:
        """The same, the best place first."""
        known = self._targeted.get(component_id)
        if known is None:
            known = self._targeted[component_id] = self._targets(component_id)
        return known

    # Worked out for those that are asked about, which mostly are few.
    @cached_property
    def _broken(self) -> dict[int, Sequence[Binding]]:
        return {}

    @cached_property
    def _reached(self) -> dict[int, int]:
        return {}

    @cached_property
    def _targeted(self) -> dict[int, Places]:
        return {}

    def _reach(self, component_id: int) -> int:
        component = self.situation.component(component_id)
        if not component.open:
            return 0
        left = self.situation.unbound(component_id)
        for binding in self.binding.get(component_id, ()):
            left &= binding.among(component.candidates)
        return left

    def _targets(self, component_id: int) -> Places:
        return self.ordered(component_id, self.reach(component_id))

    def ordered(self, component_id: int, places: int) -> Places:
        """Places of an open component, given in bits of its candidates, the best first."""
        return self.situation.component(component_id).ordered(places, self.prefer(component_id))

    def prefer(self, component_id: int) -> Prefer:
        """What the weightiest broken binding prefers; a mere dependency goes no further than it must."""
        broken = self.broken(component_id)
        return max(broken, key=lambda b: (b.weight, b.rule)).prefer if broken else Prefer.NEAREST
