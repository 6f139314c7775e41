"""The outcomes of tenants: each distinct situation decided once, recorded decisions of people applied."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

from governance.resolution import Outcome, Rule, Situation, Unsettled, decide
from governance.situations import Inputs, Situations


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
class _Tenant:
    """How far a tenant's evaluation has come."""

    aside: list[tuple[frozenset[Rule], frozenset[int]]] = field(default_factory=list)
    decided: dict[str, Unsettled] = field(default_factory=dict)


def evaluate_outcomes(inputs: Inputs, precedents: Precedents) -> dict[int, TenantOutcome]:
    """The outcome of every tenant in which something breaks a rule to be acted on.

    It reads and doesn't write: the real evaluation, a plan and a simulation call it with other inputs.
    """
    situations = Situations(inputs)
    waiting = {tenant_id: _Tenant() for tenant_id in sorted(situations.opened)}
    settled: dict[int, TenantOutcome] = {}
    while waiting:
        situations.prepare(waiting)
        for tenant_id, tenant in list(waiting.items()):
            found = _advance(situations, tenant_id, tenant, precedents)
            if found is not None:
                settled[tenant_id] = found
                del waiting[tenant_id]
    return settled


def _advance(
    situations: Situations,
    tenant_id: int,
    tenant: _Tenant,
    precedents: Precedents,
) -> TenantOutcome | None:
    """Decide the tenant's situation as far as it is open; None where more has to be opened first.

    The situation is decided as it is before what people set aside is taken away, so that a conflict is seen
    to stand, decided or not.
    """
    situation = situations.build(tenant_id)
    for rules, components in tenant.aside:
        situation = situation.without(rules, components)
    while True:
        outcome = _outcome(situation)
        if outcome.beyond:
            situations.open(tenant_id, outcome.beyond, widely=outcome.widely)
            return None
        news = [u for u in outcome.unsettled if u.fingerprint in precedents.keys() - tenant.decided.keys()]
        if not news:
            said = {fingerprint: precedents[fingerprint].says for fingerprint in tenant.decided}
            return TenantOutcome(situation, outcome, tuple(tenant.decided.values()), said)
        for unsettled in news:
            rules = precedents[unsettled.fingerprint].rules
            tenant.decided[unsettled.fingerprint] = unsettled
            tenant.aside.append((rules, unsettled.components))
            situation = situation.without(rules, unsettled.components)


# Outcomes by the digests of their situations. A digest stands for all that an outcome depends on, so that a
# process that evaluates again and again, as workers do, decides only what it hasn't met lately.
_KEPT = 4_000
_known: OrderedDict[str, Outcome] = OrderedDict()


def _outcome(situation: Situation) -> Outcome:
    outcome = _known.pop(situation.digest, None) or decide(situation)
    _known[situation.digest] = outcome
    if len(_known) > _KEPT:
        _known.popitem(last=False)
    return outcome
