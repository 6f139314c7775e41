"""Which version all tenants shall have, held against what they can reach in fact.

Compilation chooses it by the rules alone. Where evaluation finds that dependencies or hosts keep tenants from
it, the other candidates are tried: the one that the most tenants reach is wanted, of several the newest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from governance.bindings import RuleRow, rule_rows
from governance.compilation.targets import aim, choices
from governance.models import Rule
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.rules import ReleaseFacts
from governance.situations import Inputs
from governance.violations import EXEMPTIONS

TRIED = 12  # candidates for one plugin that are tried, the newest first


@dataclass(frozen=True)
class _Question:
    """For which plugin a rule is to choose, and the ranks of what its tenants have of it, by tenant."""

    rule: RuleRow
    plugin_id: int
    ranks: Mapping[int, int]


def settle(inputs: Inputs, outcomes: Mapping[int, TenantOutcome]) -> bool:
    """Let rules that want one version everywhere want the one that the most tenants reach.

    Whether one moved. `outcomes` are those of the tenants that `inputs` names: a rule is looked at where one
    of them can't go where it wants, or where this moved its target before.
    """
    moved = False
    for question in _questions(inputs, outcomes):
        moved |= _settle(inputs, question)
    return moved


def _questions(inputs: Inputs, outcomes: Mapping[int, TenantOutcome]) -> Iterator[_Question]:
    stuck = {
        (*saying.rule, saying.component)
        for result in {id(result): result for result in outcomes.values()}.values()
        for one in (*result.outcome.unsettled, *result.decided)
        for saying in one.rules
        if saying.component in one.stuck
    }
    choosing = [rule for rule in inputs.rules if rule.chooses]
    reached = dict(Rule.objects.filter(pk__in=[r.id for r in choosing]).values_list("pk", "reached"))
    for rule in choosing:
        for plugin_id in map(int, rule.targets):
            if (rule.policy, rule.key, plugin_id) in stuck or str(plugin_id) in reached[rule.id]:
                ranks = _ranks(inputs, rule, plugin_id)
                if inputs.tenant_ids is None or not inputs.tenant_ids.isdisjoint(ranks):
                    yield _Question(rule, plugin_id, ranks)


def _settle(inputs: Inputs, question: _Question) -> bool:
    rule, plugin_id = question.rule, question.plugin_id
    bound = [row.id for row in inputs.rules]
    basis, candidates = choices(inputs.group_id, bound, rule.id, plugin_id, inputs.at)
    best: tuple[int, ReleaseFacts] | None = None
    for candidate in candidates[:TRIED]:
        # Who has a newer one doesn't reach it, so that further down there are ever fewer to win.
        at_most = sum(rank <= candidate.rank for rank in question.ranks.values())
        if best is not None and at_most <= best[0]:
            break
        reach = _reach(inputs, question, candidate)
        if best is None or reach > best[0]:
            best = reach, candidate
    if best is None or best[1].id == rule.targets[str(plugin_id)]:
        return False
    aim(rule.id, plugin_id, best[1].id, at=inputs.at, basis=basis)
    return True


def _reach(inputs: Inputs, question: _Question, candidate: ReleaseFacts) -> int:
    """How many tenants could run the candidate: each is decided as if the rule wanted it."""
    rule, plugin_id = question.rule, question.plugin_id
    reaching = {tenant for tenant, rank in question.ranks.items() if rank <= candidate.rank}
    with transaction.atomic():
        aim(rule.id, plugin_id, candidate.id, at=inputs.at)
        asked = replace(
            inputs,
            rules=rule_rows([row.id for row in inputs.rules]),
            tenant_ids=frozenset(reaching),
            acting=frozenset({rule.id}),
        )
        outcomes = evaluate_outcomes(asked, {})
        transaction.set_rollback(True)
    stuck = {
        tenant
        for tenant, result in outcomes.items()
        if any(plugin_id in one.stuck for one in result.outcome.unsettled)
    }
    return len(reaching - stuck)


def _ranks(inputs: Inputs, rule: RuleRow, plugin_id: int) -> dict[int, int]:
    """The ranks of what the rule's tenants have of the plugin, those that are exempt left out."""
    parameters: dict[str, Any] = {
        "group": inputs.group_id,
        "at": inputs.at,
        "selection": rule.selection_id,
        "policy": rule.policy_id,
        "key": rule.key,
        "plugin": plugin_id,
        "snapshot": inputs.snapshot,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RANKS, parameters)
        return dict(cursor.fetchall())


_RANKS = f"""
SELECT i.tenant_id, r.rank
FROM governance_selectiontenant s
JOIN governance_installation i ON i.group_id = %(group)s AND i.tenant_id = s.tenant_id
    AND i.plugin_id = %(plugin)s
    AND CASE WHEN %(snapshot)s::integer IS NULL THEN i.until IS NULL
        ELSE i.since <= %(snapshot)s AND (i.until IS NULL OR i.until > %(snapshot)s) END
JOIN governance_release r ON r.id = i.release_id
WHERE s.selection_id = %(selection)s AND NOT EXISTS (
    SELECT FROM ({EXEMPTIONS.format(some="")}) AS e
    WHERE e.tenant_id = i.tenant_id AND e.policy_id = %(policy)s AND e.rule_key IN ('', %(key)s)
      AND (e.plugin_id IS NULL OR e.plugin_id = %(plugin)s)
)
"""
