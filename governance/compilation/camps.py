"""Who has the plugins that rules choose a version of, told apart by what else binds them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import connection

from governance.compilation.sameness import Camp
from governance.violations import EXEMPTIONS

Pair = tuple[int, int]  # a rule and a plugin


def camps(
    group_id: int,
    at: datetime,
    pairs: Collection[Pair],
    rivals: Collection[Pair],
    *,
    snapshot: int | None = None,
    named: bool = False,
) -> dict[Pair, list[Camp]]:
    """The tenants that each rule selects and that have the plugin, those that are exempt left out.

    `rivals` are the other rules that may keep one from some release of a plugin. `snapshot` asks who had it
    in that snapshot instead of now. The camps' members are told only if they are to be `named`.
    """
    if not pairs:
        return {}
    parameters: dict[str, Any] = {"group": group_id, "at": at, "snapshot": snapshot}
    parameters |= _listed(pairs, rivals)
    found: dict[Pair, list[Camp]] = defaultdict(list)
    text = _CAMPS.format(installed=_NOW if snapshot is None else _THEN, members=_NAMED if named else _UNNAMED)
    with connection.cursor() as cursor:
        cursor.execute(text, parameters)
        for rule, plugin, bound_by, held_at, now_at, tenants, members in cursor.fetchall():
            camp = Camp(tenants, frozenset(bound_by), held_at, now_at, frozenset(members))
            found[rule, plugin].append(camp)
    return found


def _listed(pairs: Collection[Pair], rivals: Collection[Pair]) -> dict[str, list[int]]:
    return {
        "rules": [rule for rule, _ in pairs],
        "plugins": [plugin for _, plugin in pairs],
        "rival_rules": [rule for rule, _ in rivals],
        "rival_plugins": [plugin for _, plugin in rivals],
    }


_NOW = "i.until IS NULL"
_THEN = "i.since <= %(snapshot)s AND (i.until IS NULL OR i.until > %(snapshot)s)"
_NAMED = "array_agg(c.tenant_id)"
_UNNAMED = "'{}'::bigint[]"

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
    release.rank, count(*), {{members}}
FROM counted c
LEFT JOIN binding b USING (rule_id, plugin_id, tenant_id)
JOIN governance_release release ON release.id = c.release_id
GROUP BY 1, 2, 3, 4, 5
"""
