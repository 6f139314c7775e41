"""The outcomes of tenants: each distinct situation decided once, recorded decisions of people applied."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings

from governance.deciders import decide_all
from governance.resolution import Outcome, Rule, Situation, Unsettled, combined, parts
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


def evaluate_outcomes(inputs: Inputs, precedents: Precedents) -> dict[int, TenantOutcome]:
    """The outcome of every tenant in which something breaks a rule to be acted on.

    It reads and doesn't write: the real evaluation, a plan and a simulation call it with other inputs.
    """
    settled: dict[int, TenantOutcome] = {}
    for situations in Setting(inputs).slices():
        for example, result in _settled(situations, precedents):
            settled |= dict.fromkeys(situations.kinds[example].tenant_ids, result)
    return settled


def _settled(situations: Situations, precedents: Precedents) -> Iterator[tuple[int, TenantOutcome]]:
    """The outcome of each kind of tenants, opening more of them where that is asked for.

    A situation is decided as it is before what people set aside is taken away, so that a conflict is seen to
    stand, decided or not.
    """
    waiting = {example: _Kind() for example in situations.kinds}
    while waiting:
        situations.prepare(waiting)
        built = {example: _without(situations.build(example), kind) for example, kind in waiting.items()}
        outcomes = _decided(built.values())
        for example, situation in built.items():
            kind, outcome = waiting[example], outcomes[situation.digest]
            news = [u for u in outcome.unsettled if u.fingerprint in precedents.keys() - kind.decided.keys()]
            if outcome.beyond:
                situations.open(example, outcome.beyond, widely=outcome.widely)
            elif news:
                for unsettled in news:
                    kind.decided[unsettled.fingerprint] = unsettled
                    kind.aside.append((precedents[unsettled.fingerprint].rules, unsettled.components))
            else:
                del waiting[example]
                said = {fingerprint: precedents[fingerprint].says for fingerprint in kind.decided}
                yield example, TenantOutcome(situation, outcome, tuple(kind.decided.values()), said)


def _without(situation: Situation, kind: _Kind) -> Situation:
    for rules, components in kind.aside:
        situation = situation.without(rules, components)
    return situation


# Outcomes by the digests of parts. A digest stands for all that an outcome depends on, so that a process that
# evaluates again and again, as workers do, decides only what it hasn't met lately.
_KEPT = 20_000
_known: OrderedDict[str, Outcome] = OrderedDict()


def _decided(situations: Iterable[Situation]) -> dict[str, Outcome]:
    """The outcomes by digest. Situations share most of their parts, and each part is decided once."""
    split = {situation.digest: parts(situation) for situation in situations}
    wanted = {part.digest: part for some in split.values() for part in some}
    missing = [part for digest, part in wanted.items() if digest not in _known]
    decided = decide_all(missing, processes=settings.DECIDERS)
    _known.update((part.digest, outcome) for part, outcome in zip(missing, decided, strict=True))
    found = {digest: combined([_known[part.digest] for part in some]) for digest, some in split.items()}
    for digest in wanted:
        _known.move_to_end(digest)
    while len(_known) > _KEPT:
        _known.popitem(last=False)
    return found


def forget() -> None:
    """Decide everything anew from now on."""
    _known.clear()
