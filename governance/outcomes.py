"""The outcomes of tenants: each distinct situation decided once, recorded decisions of people applied."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from config.garbage import uncollected
from governance.answers import Answer, Answers, deciders
from governance.resolution import (
    Binding,
    Change,
    Component,
    Outcome,
    Rule,
    Situation,
    Unsettled,
    combined,
    digest_of,
    in_order,
)
from governance.situations import Aside, Inputs, Setting, Situations


@dataclass(frozen=True, slots=True)
class Precedent:
    """What a person decided about a conflict: the rules set aside, and by whom, when and why in words."""

    rules: frozenset[Rule]
    says: str = ""


Precedents = Mapping[str, Precedent]  # by the fingerprint of the conflict


@dataclass(frozen=True)
class TenantOutcome:
    """What was decided for one tenant, by the parts of its situation.

    `decided` are its conflicts that a recorded decision settled, `said` is by whom, when and why, by the
    conflict's fingerprint.
    """

    parts: tuple[Situation, ...]
    outcome: Outcome
    decided: tuple[Unsettled, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def digest(self) -> str:
        """Equal where the same is decided from the same."""
        return digest_of(*(part.digest for part in self.parts))

    @property
    def bindings(self) -> Iterator[Binding]:
        """The rules that bind what may change."""
        return (binding for part in self.parts for binding in part.bindings)

    def component(self, component_id: int) -> Component:
        """One of those that may change. Raises KeyError for any other."""
        for part in self.parts:
            component = part.find(component_id)
            if component is not None and component.open:
                return component
        raise KeyError(component_id)

    @cached_property
    def changes_in_order(self) -> tuple[Change, ...]:
        """The changes, what is needed first; the host's part before the others, which have nothing to do."""
        ordered = (in_order(part, some) for part in self.parts if (some := self._changes_of(part)))
        by_part = sorted(ordered, key=lambda some: not any(self.component(c.component).host for c in some))
        return tuple(change for some in by_part for change in some)

    def _changes_of(self, part: Situation) -> list[Change]:
        opened = {component.id for component in part.components if component.open}
        return [change for change in self.outcome.changes if change.component in opened]

    def decision_on(self, unsettled: Unsettled) -> str:
        """The recorded decision that settled a conflict, in words: who took it comes first."""
        said = self.said.get(unsettled.fingerprint)
        return f"a recorded decision{f' ({said})' if said else ''} on: {unsettled.summary}"

    @property
    def given_way(self) -> Mapping[int, Unsettled]:
        """By component of a decided conflict, that conflict.

        Its rules that were set aside bind none of these. So whatever else is broken there is why one moves or
        is stuck, and one that does neither stays as it is by the decision.
        """
        return {component: one for one in self.decided for component in sorted(one.components)}


@dataclass
class _Kind:
    """How far the evaluation of tenants that are alike has come."""

    aside: list[Aside] = field(default_factory=list)
    decided: dict[str, Unsettled] = field(default_factory=dict)
    asked: dict[frozenset[int], tuple[Situation, Answer]] = field(default_factory=dict)  # by what is open

    def set_aside(self, rules: frozenset[Rule], components: frozenset[int]) -> None:
        """Ask again about these components, without those rules."""
        self.aside.append((rules, components))
        for group in [group for group in self.asked if group & components]:
            del self.asked[group]


AHEAD = 3  # slices under way: while some are decided, the next is put together
AT_A_TIME = 150  # parts that are asked about together


@uncollected()
def evaluate_outcomes(inputs: Inputs, precedents: Precedents) -> dict[int, TenantOutcome]:
    """The outcome of every tenant in which something breaks a rule to be acted on.

    It reads and doesn't write: the real evaluation, a plan and a simulation call it with other inputs.
    """
    settled: dict[int, TenantOutcome] = {}
    # A conflict that was decided is known by why it is one.
    slices = Setting(replace(inputs, why=inputs.why or bool(precedents))).slices()
    with deciders() as those:
        answers = Answers(those)
        under_way = deque(_Slice(one, answers, precedents) for one in islice(slices, AHEAD))
        while under_way:
            one = under_way.popleft()
            settled |= one.settled()
            if one.waiting:
                one.ask()
                under_way.append(one)
            else:
                under_way.extend(_Slice(one, answers, precedents) for one in islice(slices, 1))
    return settled


class _Slice:
    """Kinds of tenants that are evaluated together, opening more of them where that is asked for.

    A situation is decided as it is before what people set aside is taken away, so that a conflict is seen to
    stand, decided or not. A part that nothing else is opened beside stays as it is.
    """

    def __init__(self, situations: Situations, answers: Answers, precedents: Precedents) -> None:
        self._situations = situations
        self._answers = answers
        self._precedents = precedents
        self.waiting = {example: _Kind() for example in situations.kinds}
        self.ask()

    def ask(self) -> None:
        """Have those that wait decided as they are by now, the first while the next are put together."""
        self._situations.prepare(self.waiting)
        new = self._unasked()
        while some := list(islice(new, AT_A_TIME)):
            answers = self._answers.ask([part for _, _, part in some])
            for (kind, group, part), answer in zip(some, answers, strict=True):
                kind.asked[group] = part, answer

    def _unasked(self) -> Iterator[tuple[_Kind, frozenset[int], Situation]]:
        """The parts that are new, by the kind and by what is open."""
        for example, kind in self.waiting.items():
            groups = self._situations.groups(example)
            kind.asked = {group: kind.asked[group] for group in groups if group in kind.asked}
            for group in groups:
                if group not in kind.asked:
                    yield kind, group, self._situations.part(example, group, kind.aside)

    def settled(self) -> dict[int, TenantOutcome]:
        """By tenant, what is settled of all that was asked, once that is answered."""
        found: dict[int, TenantOutcome] = {}
        for example, kind in list(self.waiting.items()):
            outcome = combined([self._answers.outcome(*asked) for asked in kind.asked.values()])
            if not self._goes_on(example, kind, outcome):
                del self.waiting[example]
                said = {fingerprint: self._precedents[fingerprint].says for fingerprint in kind.decided}
                parts = sorted((part for part, _ in kind.asked.values()), key=lambda part: part.digest)
                result = TenantOutcome(tuple(parts), outcome, tuple(kind.decided.values()), said)
                found |= dict.fromkeys(self._situations.kinds[example].tenant_ids, result)
        return found

    def _goes_on(self, example: int, kind: _Kind, outcome: Outcome) -> bool:
        """Whether more has to be asked about the kind, which is seen to."""
        known = self._precedents
        news = [u for u in outcome.unsettled if u.fingerprint in known and u.fingerprint not in kind.decided]
        if outcome.beyond:
            self._situations.open(example, outcome.beyond, widely=outcome.widely)
        for unsettled in news:
            kind.decided[unsettled.fingerprint] = unsettled
            kind.set_aside(known[unsettled.fingerprint].rules, unsettled.components)
        return bool(outcome.beyond or news)
