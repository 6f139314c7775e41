"""The releases that break compiled rules, kept as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from django.db import connection

from governance import staging
from governance.compilation import facts
from governance.compilation.facts import PluginFacts
from governance.models import Rule, Violation
from governance.rules import next_change, violating

_COLUMNS = {"rule_id": "bigint", "release_id": "bigint", "plugin_id": "bigint"}
_MANY = 5_000  # new rows, from which on what was known of the table is no guide
_FORGET = """
DELETE FROM governance_violation v
WHERE v.rule_id = ANY (%(rules)s) AND (%(plugins)s::bigint[] IS NULL OR v.plugin_id = ANY (%(plugins)s))
  AND NOT EXISTS (SELECT FROM judged j WHERE j.rule_id = v.rule_id AND j.release_id = v.release_id)
RETURNING v.rule_id, v.release_id
"""
_ADD = """
INSERT INTO governance_violation (rule_id, release_id, plugin_id)
SELECT rule_id, release_id, plugin_id FROM judged
ON CONFLICT DO NOTHING
RETURNING rule_id, release_id
"""


def judge(
    rules: Sequence[Rule], *, at: datetime, plugin_ids: Collection[int] | None = None
) -> frozenset[tuple[int, int]]:
    """Write which releases, or which of these plugins', break the rules. What changed, as rule and release.

    The rules' `recompile_at` comes no later than time alone changes the answer.
    """
    if not rules:
        return frozenset()
    catalogue = facts.load(rules[0].group_id, _concerned(rules, plugin_ids))
    staging.fill("judged", _COLUMNS, _judged(rules, catalogue, at))
    parameters = {
        "rules": [rule.pk for rule in rules],
        "plugins": None if plugin_ids is None else list(plugin_ids),
    }
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, parameters)
        forgotten = cursor.fetchall()
        cursor.execute(_ADD)
        added = cursor.fetchall()
    if len(added) > _MANY:
        staging.look_again(Violation)
    _time(rules, catalogue, at)
    return frozenset([*forgotten, *added])


def broken_by(rule_ids: Collection[int], plugin_ids: Collection[int]) -> dict[int, dict[int, frozenset[int]]]:
    """By plugin and rule, the releases that break the rules; nothing for a rule that no release breaks."""
    rows = Violation.objects.filter(rule_id__in=list(rule_ids), plugin_id__in=list(plugin_ids))
    found: dict[int, dict[int, set[int]]] = {}
    for plugin_id, rule_id, release_id in rows.values_list("plugin_id", "rule_id", "release_id"):
        found.setdefault(plugin_id, {}).setdefault(rule_id, set()).add(release_id)
    return {
        plugin_id: {rule_id: frozenset(releases) for rule_id, releases in by_rule.items()}
        for plugin_id, by_rule in found.items()
    }


def _concerned(rules: Sequence[Rule], plugin_ids: Collection[int] | None) -> set[int] | None:
    """The plugins to load; None for all."""
    if not all(rule.plugins for rule in rules):
        return None if plugin_ids is None else set(plugin_ids)
    named = {plugin for rule in rules for plugin in rule.plugins}
    return named if plugin_ids is None else named & set(plugin_ids)


def _judged(
    rules: Sequence[Rule], catalogue: dict[int, PluginFacts], at: datetime
) -> Iterator[tuple[int, int, int]]:
    for rule in rules:
        wish = facts.wish_of(rule)
        for plugin in facts.plugins_of(rule, catalogue):
            target = rule.targets.get(str(plugin.id))
            broken = violating(wish, plugin.releases, dialect=plugin.dialect, at=at, target=target)
            for release_id in broken:
                yield rule.pk, release_id, plugin.id


def _time(rules: Sequence[Rule], catalogue: dict[int, PluginFacts], at: datetime) -> None:
    """Bring forward the time at which each rule is to be compiled again, and say that it was compiled now."""
    for rule in rules:
        wish = facts.wish_of(rule)
        plugins = facts.plugins_of(rule, catalogue)
        changes = [next_change(wish, plugin.releases, at) for plugin in plugins]
        future = [time for time in (rule.recompile_at, *changes) if time is not None and time > at]
        rule.recompile_at = min(future, default=None)
        rule.compiled_at = at
    Rule.objects.bulk_update(rules, ["recompile_at", "compiled_at"])
