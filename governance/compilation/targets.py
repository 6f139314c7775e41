"""The versions that rules of the kind `same` choose where they name none, kept with the rules."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from governance import documents
from governance.compilation import facts, judgements
from governance.compilation.camps import Pair, camps
from governance.compilation.facts import PluginFacts
from governance.compilation.sameness import Camp, Candidate, candidate, candidates, choose
from governance.models import Rule
from governance.models.rule import RuleKind


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

    @property
    def contested(self) -> list[Pair]:
        """For what it makes a difference who has it installed."""
        return [(rule.pk, pk) for rule in self.choosing for pk in rule.contested if pk in self.catalogue]

    def rival_pairs(self, pairs: Iterable[Pair]) -> list[Pair]:
        """The rivals for the plugins of the pairs, each with its plugin."""
        plugins = [self.catalogue[plugin] for plugin in dict.fromkeys(plugin for _, plugin in pairs)]
        return [(rival.pk, plugin.id) for plugin in plugins for rival in self.rivals(plugin)]

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
    choosing, others = _parted(group_id, rule_ids, tenant_ids)
    if not choosing:
        return frozenset()
    if snapshot is not None:  # what is reached now says nothing of then
        for rule in choosing:
            rule.reached = {}
    field = _field(group_id, choosing, others, at, contested_only=tenant_ids is not None)
    if tenant_ids is None:
        _find_contested(field)
    rivals = field.rival_pairs(field.contested)
    found = camps(group_id, at, field.contested, rivals, snapshot=snapshot)
    return frozenset(rule.pk for rule in choosing if _settle(rule, field, found))


def _parted(
    group_id: int, rule_ids: Collection[int], tenant_ids: Collection[int] | None
) -> tuple[list[Rule], list[Rule]]:
    """The rules that may have to choose anew, and all those that don't choose."""
    touched = None if tenant_ids is None else _touched(group_id, tenant_ids).intersection(rule_ids)
    if touched is not None and not touched:
        return [], []
    choosing: list[Rule] = []
    others: list[Rule] = []
    for rule in Rule.objects.filter(pk__in=list(rule_ids)).order_by("pk"):
        if not facts.wish_of(rule).chooses_target:
            others.append(rule)
        elif touched is None or rule.pk in touched:
            choosing.append(rule)
    return choosing, others


def _touched(group_id: int, tenant_ids: Collection[int]) -> set[int]:
    """The rules with something to choose that depends on who has it, if they select one of the tenants."""
    with connection.cursor() as cursor:
        cursor.execute(_TOUCHED, {"group": group_id, "tenants": list(tenant_ids)})
        return {rule for (rule,) in cursor.fetchall()}


# By hand, as each changed manifest asks it.
_TOUCHED = """
SELECT id FROM governance_rule
WHERE group_id = %(group)s AND kind = 'same' AND contested <> '{}' AND selection_id IN (
    SELECT selection_id FROM governance_selectiontenant WHERE tenant_id = ANY (%(tenants)s::bigint[]))
"""


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
    group_id: int,
    rule_ids: Collection[int],
    pair: Pair,
    at: datetime,
    *,
    snapshot: int | None = None,
) -> tuple[str, list[Candidate]]:
    """What the rule of the pair may choose for its plugin, the newest first, and the digest of the basis.

    `rule_ids` are all that bind.
    """
    _, plugin_id = pair
    choosing, others = _parted(group_id, rule_ids, None)
    catalogue = facts.load(group_id, [plugin_id])
    broken = judgements.broken_by([rule.pk for rule in others], [plugin_id])
    field = _Field(choosing, others, catalogue, broken, at)
    plugin, rivals = catalogue[plugin_id], field.rival_pairs([pair])
    found = camps(group_id, at, [pair], rivals, snapshot=snapshot, named=True)
    by_rule = broken.get(plugin_id, {})
    newest_first = candidates(plugin.releases, at)
    return field.basis(plugin), [candidate(one, found.get(pair, []), by_rule) for one in newest_first]


def aim(rule_id: int, plugin_id: int, release_id: int, *, at: datetime, basis: str | None = None) -> None:
    """Let the rule want this release of the plugin; with a `basis`, as long as that is the same."""
    rule = Rule.objects.get(pk=rule_id)
    rule.targets = {**rule.targets, str(plugin_id): release_id}
    rule.reached = {key: kept for key, kept in rule.reached.items() if key != str(plugin_id)}
    if basis is not None:
        rule.reached[str(plugin_id)] = {"release": release_id, "basis": basis}
    Rule.objects.filter(pk=rule_id).update(targets=rule.targets, reached=rule.reached, detected=False)
    judgements.judge([rule], at=at, plugin_ids=[plugin_id])


def _settle(rule: Rule, field: _Field, found: dict[Pair, list[Camp]]) -> bool:
    """Choose the rule's targets; whether one moved. What evaluation found to be reached by more stays."""
    chosen, reached = dict(rule.targets), dict(rule.reached)
    for plugin in facts.plugins_of(rule, field.catalogue):
        kept = reached.pop(str(plugin.id), None)
        if kept is not None and kept["basis"] == field.basis(plugin):
            reached[str(plugin.id)] = kept
            continue
        newest_first = candidates(plugin.releases, field.at)
        broken = field.broken.get(plugin.id, {})
        target = choose(newest_first, found.get((rule.pk, plugin.id), []), broken)
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
