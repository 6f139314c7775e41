"""The outcomes of tenants: each distinct situation decided once, recorded decisions of people applied."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice

from django.conf import settings

from governance.answers import Answer, Answers
from governance.deciders import Deciders
from governance.resolution import Outcome, Rule, Situation, Unsettled
from governance.situations import Inputs, Setting, Situations


@dataclass(frozen=True, slots=True)
class Precedent:
    """What a person decided about a conflict: the rules set aside, and by whom, when and why in words."""

    rules: frozenset[Rule]
    says: str = ""


Precedents = Mapping[str, Precedent]  # by the fingerprint of the conflict


@dataclass(frozen=True)
class TenantOutcome:
    """What was decided for one tenant. `decided` are its conflicts that a recorded decision settled.

    `said` is by whom, when and why, by the conflict's fingerprint.
    """

    situation: Situation
    outcome: Outcome
    decided: tuple[Unsettled, ...] = ()
    said: Mapping[str, str] = field(default_factory=dict)

    def decision_on(self, unsettled: Unsettled) -> str:
        """The recorded decision that settled a conflict, in words: who took it comes first."""
        said = self.said.get(unsettled.fingerprint)
        return f"a recorded decision{f' ({said})' if said else ''} on: {unsettled.summary}"


@dataclass
class _Kind:
    """How far the evaluation of tenants that are alike has come."""

    aside: list[tuple[frozenset[Rule], frozenset[int]]] = field(default_factory=list)
    decided: dict[str, Unsettled] = field(default_factory=dict)

    def of(self, situation: Situation) -> Situation:
        """The situation without what people set aside."""
        for rules, components in self.aside:
            situation = situation.without(rules, components)
        return situation


AHEAD = 3  # slices under way: while some are decided, the next is put together


def evaluate_outcomes(inputs: Inputs, precedents: Precedents) -> dict[int, TenantOutcome]:
    """The outcome of every tenant in which something breaks a rule to be acted on.

    It reads and doesn't write: the real evaluation, a plan and a simulation call it with other inputs.
    """
    settled: dict[int, TenantOutcome] = {}
    slices = Setting(inputs).slices()
    with Deciders(settings.DECIDERS) as deciders:
        answers = Answers(deciders)
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
    stand, decided or not.
    """

    def __init__(self, situations: Situations, answers: Answers, precedents: Precedents) -> None:
        self._situations = situations
        self._answers = answers
        self._precedents = precedents
        self._asked: dict[int, Answer] = {}
        self.waiting = {example: _Kind() for example in situations.kinds}
        self.ask()

    def ask(self) -> None:
        """Have those that wait decided as they are by now."""
        self._situations.prepare(self.waiting)
        built = [kind.of(self._situations.build(example)) for example, kind in self.waiting.items()]
        self._asked = dict(zip(self.waiting, self._answers.ask(built), strict=True))

    def settled(self) -> dict[int, TenantOutcome]:
        """By tenant, what is settled of all that was asked, once that is answered."""
        found: dict[int, TenantOutcome] = {}
        for example, answer in self._asked.items():
            outcome = self._answers.outcome(answer)
            if not self._goes_on(example, outcome):
                decided = self.waiting.pop(example).decided
                said = {fingerprint: self._precedents[fingerprint].says for fingerprint in decided}
                result = TenantOutcome(answer.situation, outcome, tuple(decided.values()), said)
                found |= dict.fromkeys(self._situations.kinds[example].tenant_ids, result)
        return found

    def _goes_on(self, example: int, outcome: Outcome) -> bool:
        """Whether more has to be asked about the kind, which is seen to."""
        kind = self.waiting[example]
        known = self._precedents
        news = [u for u in outcome.unsettled if u.fingerprint in known and u.fingerprint not in kind.decided]
        if outcome.beyond:
            self._situations.open(example, outcome.beyond, widely=outcome.widely)
        for unsettled in news:
            kind.decided[unsettled.fingerprint] = unsettled
            kind.aside.append((known[unsettled.fingerprint].rules, unsettled.components))
        return bool(outcome.beyond or news)
