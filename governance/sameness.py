"""Which version all tenants shall have, held against what they can reach in fact.

Compilation chooses it by the rules alone. Where evaluation finds that dependencies or hosts keep tenants from
it, the other candidates are tried: the one that the most tenants reach is wanted, of several the newest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance.bindings import RuleRow, rule_rows
from governance.compilation.sameness import Candidate, Reached, most_reached
from governance.compilation.targets import aim, choices
from governance.models import Plugin, Release, Rule
from governance.outcomes import TenantOutcome, evaluate_outcomes
from governance.situations import Inputs
from tenants.models import Group

log = structlog.get_logger("plumbline.sameness")

TRIED = 12  # candidates for one plugin that are tried, those first that the rules let the most tenants reach


@dataclass(frozen=True)
class Move:
    """A rule wants another release of a plugin than before, for this is what the most tenants reach."""

    rule: RuleRow
    plugin_id: int
    before: int | None
    reached: Reached

    @property
    def after(self) -> int:
        """The release that is wanted now."""
        return self.reached.candidate.release.id


def settle(inputs: Inputs, outcomes: Mapping[int, TenantOutcome]) -> list[Move]:
    """Let rules that want one version everywhere want the one that the most tenants reach; what moved.

    `inputs` ask about all tenants, and `outcomes` are theirs: a rule is looked at where one of them can't go
    where it wants, or where this moved its target before. That takes an evaluation of all of them for each
    candidate, so that it isn't done for the sake of one tenant's change.
    """
    moves = (_settle(inputs, rule, plugin_id) for rule, plugin_id in _questions(inputs, outcomes))
    return [move for move in moves if move is not None]


def record(group: Group, moves: Iterable[Move], *, actor: Actor, at: datetime) -> None:
    """Write to the ledger what moved."""
    moves = list(moves)
    named = {release for move in moves for release in (move.before, move.after)}
    versions = dict(Release.objects.filter(pk__in=named - {None}).values_list("pk", "version"))
    plugins = dict(Plugin.objects.filter(pk__in=[m.plugin_id for m in moves]).values_list("pk", "name"))
    records = (
        ledger.Record(
            action=Action.TARGET_MOVED,
            subject_kind="policy",
            subject_id=str(move.rule.policy_id),
            subject_label=move.rule.policy,
            data={
                "rule": move.rule.key,
                "plugin": plugins[move.plugin_id],
                "from": versions[move.before] if move.before else None,
                "to": versions[move.after],
                "reach": move.reached.tenants,
                "untried": move.reached.untried,
            },
        )
        for move in moves
    )
    ledger.record_many(records, group_id=group.pk, actor=actor, at=at)


def _questions(inputs: Inputs, outcomes: Mapping[int, TenantOutcome]) -> Iterator[tuple[RuleRow, int]]:
    """The rules that may have to choose anew, each with the plugin in question."""
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
                yield rule, plugin_id


def _settle(inputs: Inputs, rule: RuleRow, plugin_id: int) -> Move | None:
    basis, candidates = choices(
        inputs.group_id,
        [row.id for row in inputs.rules],
        (rule.id, plugin_id),
        inputs.at,
        snapshot=inputs.snapshot,
    )
    now = rule.targets[str(plugin_id)]
    best = most_reached(candidates, now, lambda one: _reach(inputs, rule, plugin_id, one), most=TRIED)
    if best is not None and best.untried:
        told = {"policy": rule.policy, "rule": rule.key, "plugin": plugin_id, "untried": best.untried}
        log.warning("target.bound_hit", group=inputs.group_id, tried=TRIED, **told)
    if best is None or best.candidate.release.id == now:
        return None
    aim(rule.id, plugin_id, best.candidate.release.id, at=inputs.at, basis=basis)
    return Move(rule, plugin_id, now, best)


def _reach(inputs: Inputs, rule: RuleRow, plugin_id: int, candidate: Candidate) -> int:
    """How many tenants could run the candidate: each is decided as if the rule wanted it."""
    with transaction.atomic():
        aim(rule.id, plugin_id, candidate.release.id, at=inputs.at)
        asked = replace(
            inputs,
            rules=rule_rows([row.id for row in inputs.rules]),
            tenant_ids=candidate.tenants,
            acting=frozenset({rule.id}),
            why=False,
        )
        outcomes = evaluate_outcomes(asked, {})
        transaction.set_rollback(True)
    stuck = {
        tenant
        for tenant, result in outcomes.items()
        if any(plugin_id in one.stuck for one in result.outcome.unsettled)
    }
    return len(candidate.tenants - stuck)
