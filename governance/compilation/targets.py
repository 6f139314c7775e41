"""The versions that rules of the kind `same` choose where they name none, kept with the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from governance import documents
from governance.compilation import facts, judgements
from governance.compilation.facts import PluginFacts
from governance.compilation.sameness import Camp, candidates, choose
from governance.models import Rule, SelectionTenant
from governance.models.rule import RuleKind
from governance.rules import ReleaseFacts
from governance.violations import EXEMPTIONS

Pair = tuple[int, int]  # a rule and a plugin


@dataclass(frozen=True, slots=True)
class _Field:
    """What the choice is made from: the rules that choose, all others, and what breaks those by plugin."""

    choosing: Sequence[Rule]
    others: Sequence[Rule]
    catalogue: dict[int, PluginFacts]
    broken: dict[int, dict[int, frozenset[int]]]
    at: datetime

    def basis(self, plugin: PluginFacts) -> str:
        """The digest of what the choice rests on, tenants apart: releases, and what denies which of them."""
        broken = self.broken.get(plugin.id, {})
        denied = [(rule.pk, *sorted(broken.get(rule.pk, ()))) for rule in self.rivals(plugin)]
        return documents.digest([[r.id for r in candidates(plugin.releases, self.at)], denied])

    def rivals(self, plugin: PluginFacts) -> list[Rule]:
        """The other rules that may keep a tenant from some release of the plugin."""
        broken = self.broken.get(plugin.id, {})
        return [rule for rule in self.others if rule.pk in broken or _holds(rule, plugin)]


def _holds(rule: Rule, plugin: PluginFacts) -> bool:
    named = plugin.id in rule.plugins if rule.plugins else not plugin.is_host
    return rule.kind == RuleKind.HOLD and named


def settle_targets(
    group_id: int,
    rule_ids: Collection[int],
    at: datetime,
    *,
    tenant_ids: Collection[int] | None = None,
    snapshot: int | None = None,
) -> frozenset[int]:
    """Choose the targets of those rules that want one version everywhere; the rules whose target moves.

    `rule_ids` are all that bind, and the only ones that count: another rule that chooses by itself does not.
    With `tenant_ids`, only these tenants have changed since the last time, and no rule has. `snapshot` counts
    who had it in that snapshot instead of now.
    """
    touched = None if tenant_ids is None else _touched(rule_ids, tenant_ids)
    if touched is not None and not touched:
        return frozenset()
    rules = list(Rule.objects.filter(pk__in=list(rule_ids)).order_by("pk"))
    choosing = [
        rule
        for rule in rules
        if facts.wish_of(rule).chooses_target and (touched is None or rule.pk in touched)
    ]
    if not choosing:
        return frozenset()
    if snapshot is not None:  # what is reached now says nothing of then
        for rule in choosing:
            rule.reached = {}
    others = [rule for rule in rules if not facts.wish_of(rule).chooses_target]
    field = _field(group_id, choosing, others, at, contested_only=tenant_ids is not None)
    if tenant_ids is None:
        _find_contested(field)
    camps = _camps(group_id, field, snapshot)
    return frozenset(rule.pk for rule in choosing if _settle(rule, field, camps))


def _touched(rule_ids: Collection[int], tenant_ids: Collection[int]) -> set[int]:
    """The rules with something to choose that depends on who has it, if they select one of the tenants."""
    members = SelectionTenant.objects.filter(tenant_id__in=list(tenant_ids))
    touched = Rule.objects.filter(
        pk__in=list(rule_ids),
        kind=RuleKind.SAME,
        contested__len__gt=0,
        selection_id__in=members.values("selection_id"),
    )
    return set(touched.values_list("pk", flat=True))


def _field(
    group_id: int, choosing: Sequence[Rule], others: Sequence[Rule], at: datetime, *, contested_only: bool
) -> _Field:
    wanted: set[int] | None = {plugin for rule in choosing for plugin in rule.plugins}
    if contested_only:
        wanted = {plugin for rule in choosing for plugin in rule.contested}
    elif not all(rule.plugins for rule in choosing):
        wanted = None
    catalogue = facts.load(group_id, wanted)
    broken = judgements.broken_by([rule.pk for rule in others], catalogue.keys())
    return _Field(choosing, others, catalogue, broken, at)


def _find_contested(field: _Field) -> None:
    """Say of each rule for which plugins who has them installed makes a difference.

    It makes none where no other rule denies the newest release: that is what all tenants can reach.
    """
    for rule in field.choosing:
        contested: list[int] = []
        for plugin in facts.plugins_of(rule, field.catalogue):
            newest = next(iter(candidates(plugin.releases, field.at)), None)
            broken = field.broken.get(plugin.id, {})
            if newest is not None and any(
                rival.kind == RuleKind.HOLD or newest.id in broken.get(rival.pk, ())
                for rival in field.rivals(plugin)
            ):
                contested.append(plugin.id)
        if contested != rule.contested:
            rule.contested = contested
            Rule.objects.filter(pk=rule.pk).update(contested=contested)


def choices(
    group_id: int, rule_ids: Collection[int], rule_id: int, plugin_id: int, at: datetime
) -> tuple[str, list[ReleaseFacts]]:
    """The releases that the rule may choose for the plugin, the newest first, and the digest of their basis.

    `rule_ids` are all that bind.
    """
    rules = list(Rule.objects.filter(pk__in=list(rule_ids)).order_by("pk"))
    others = [rule for rule in rules if not facts.wish_of(rule).chooses_target]
    catalogue = facts.load(group_id, [plugin_id])
    broken = judgements.broken_by([rule.pk for rule in others], [plugin_id])
    field = _Field([rule for rule in rules if rule.pk == rule_id], others, catalogue, broken, at)
    plugin = catalogue[plugin_id]
    return field.basis(plugin), candidates(plugin.releases, at)


def aim(rule_id: int, plugin_id: int, release_id: int, *, at: datetime, basis: str | None = None) -> None:
    """Let the rule want this release of the plugin; with a `basis`, as long as that is the same."""
    rule = Rule.objects.get(pk=rule_id)
    rule.targets = {**rule.targets, str(plugin_id): release_id}
    rule.reached = {key: kept for key, kept in rule.reached.items() if key != str(plugin_id)}
    if basis is not None:
        rule.reached[str(plugin_id)] = {"release": release_id, "basis": basis}
    Rule.objects.filter(pk=rule_id).update(targets=rule.targets, reached=rule.reached, detected=False)
    judgements.judge([rule], at=at, plugin_ids=[plugin_id])


def _settle(rule: Rule, field: _Field, camps: dict[Pair, list[Camp]]) -> bool:
    """Choose the rule's targets; whether one moved. What evaluation found to be reached by more stays."""
    chosen, reached = dict(rule.targets), dict(rule.reached)
    for plugin in facts.plugins_of(rule, field.catalogue):
        kept = reached.pop(str(plugin.id), None)
        if kept is not None and kept["basis"] == field.basis(plugin):
            reached[str(plugin.id)] = kept
            continue
        newest_first = candidates(plugin.releases, field.at)
        broken = field.broken.get(plugin.id, {})
        target = choose(newest_first, camps.get((rule.pk, plugin.id), []), broken)
        if target is not None:
            chosen[str(plugin.id)] = target
    moved = [plugin for plugin, target in chosen.items() if rule.targets.get(plugin) != target]
    if not moved and reached == rule.reached:
        return False
    rule.targets, rule.reached = chosen, reached
    Rule.objects.filter(pk=rule.pk).update(targets=chosen, reached=reached)
    if not moved:
        return False
    Rule.objects.filter(pk=rule.pk).update(detected=False)
    judgements.judge([rule], at=field.at, plugin_ids=[int(plugin) for plugin in moved])
    return True


def _camps(group_id: int, field: _Field, snapshot: int | None) -> dict[Pair, list[Camp]]:
    """The tenants that have each contested plugin, told apart by what binds them."""
    pairs = [
        (rule.pk, plugin) for rule in field.choosing for plugin in rule.contested if plugin in field.catalogue
    ]
    rivals = [
        (rival.pk, plugin.id)
        for plugin in {plugin: field.catalogue[plugin] for _, plugin in pairs}.values()
        for rival in field.rivals(plugin)
    ]
    if not pairs:
        return {}
    parameters: dict[str, Any] = {
        "group": group_id,
        "at": field.at,
        "snapshot": snapshot,
        "rules": [rule for rule, _ in pairs],
        "plugins": [plugin for _, plugin in pairs],
        "rival_rules": [rule for rule, _ in rivals],
        "rival_plugins": [plugin for _, plugin in rivals],
    }
    camps: dict[Pair, list[Camp]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_CAMPS.format(installed=_NOW if snapshot is None else _THEN), parameters)
        for rule, plugin, bound_by, held_at, now_at, tenants in cursor.fetchall():
            camps[rule, plugin].append(Camp(tenants, frozenset(bound_by), held_at, now_at))
    return camps


_NOW = "i.until IS NULL"
_THEN = "i.since <= %(snapshot)s AND (i.until IS NULL OR i.until > %(snapshot)s)"

_CAMPS = f"""
WITH exempt AS MATERIALIZED ({EXEMPTIONS.format(some="")}),
counted AS MATERIALIZED (
    SELECT r.id AS rule_id, i.plugin_id, i.tenant_id, i.release_id
    FROM unnest(%(rules)s::bigint[], %(plugins)s::bigint[]) AS pair (rule_id, plugin_id)
    JOIN governance_rule r ON r.id = pair.rule_id
    JOIN governance_installation i
      ON i.group_id = %(group)s AND i.plugin_id = pair.plugin_id AND {{installed}}
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id AND s.tenant_id = i.tenant_id
    WHERE NOT EXISTS (
        SELECT FROM exempt e
        WHERE e.tenant_id = i.tenant_id AND e.policy_id = r.policy_id AND e.rule_key IN ('', r.key)
          AND (e.plugin_id IS NULL OR e.plugin_id = i.plugin_id))
),
binding AS (
    SELECT c.rule_id, c.plugin_id, c.tenant_id,
        array_agg(r.id ORDER BY r.id) AS rules, bool_or(r.kind = 'hold') AS held
    FROM counted c
    JOIN unnest(%(rival_rules)s::bigint[], %(rival_plugins)s::bigint[]) AS rival (rule_id, plugin_id)
      ON rival.plugin_id = c.plugin_id
    JOIN governance_rule r ON r.id = rival.rule_id
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id AND s.tenant_id = c.tenant_id
    WHERE NOT EXISTS (
        SELECT FROM exempt e
        WHERE e.tenant_id = c.tenant_id AND e.policy_id = r.policy_id AND e.rule_key IN ('', r.key)
          AND (e.plugin_id IS NULL OR e.plugin_id = c.plugin_id))
    GROUP BY c.rule_id, c.plugin_id, c.tenant_id
)
SELECT c.rule_id, c.plugin_id, coalesce(b.rules, '{{{{}}}}'), CASE WHEN b.held THEN release.rank END,
    release.rank, count(*)
FROM counted c
LEFT JOIN binding b USING (rule_id, plugin_id, tenant_id)
JOIN governance_release release ON release.id = c.release_id
GROUP BY 1, 2, 3, 4, 5
"""
