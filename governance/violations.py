"""The one question behind drift: which installations break which rules, and which exemption covers them.

Real runs, simulations and the figures of past snapshots ask it with other inputs. It only reads.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance import staging


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT of what breaks rules, with its parameters.

    Its columns: tenant_id, plugin_id, rule_id, release_id, exemption_id, policy_id, key, severity, due_at.

    `release_id` is null where a plugin is missing that must be there, `exemption_id` where none covers it.
    Of the rule are its policy, key and severity, and until when to see to what is found now (`due_at`), null
    where the policy sets no time for it.
    """

    text: str
    parameters: dict[str, Any]


def violations_query(
    rule_ids: Collection[int],
    tenant_ids: Collection[int] | None,
    at: datetime,
    *,
    group_id: int,
    snapshot: int | None = None,
    narrowed: bool = False,
) -> Query:
    """What breaks the rules, in all tenants of the group or in these.

    The rules are taken as compiled, whether they are in force or not: the caller says which. `snapshot` asks
    of that snapshot instead of now; `at` says which exemptions cover what. `narrowed` asks the same by way of
    fewer rows, for a statement under JOINED_AS_WRITTEN about all tenants.
    """
    parameters: dict[str, Any] = {"group": group_id, "rules": staging.numbers(rule_ids), "at": at}
    if snapshot is not None:
        parameters["snapshot"] = snapshot
    some = {"i": "", "s": "", "e": ""}
    if tenant_ids is not None:
        some = {alias: f"AND {alias}.tenant_id = ANY (%(tenants)s::bigint[])" for alias in some}
        parameters["tenants"] = list(tenant_ids)
    is_few = tenant_ids is not None and len(tenant_ids) <= _FEW
    broken = _NARROWED if narrowed else _OF_FEW if is_few else _BROKEN
    text = _VIOLATIONS.format(
        broken=broken.format(
            installed=installed_condition("i", snapshot), some=some["i"], some_members=some["s"]
        ),
        also_installed=installed_condition("here", snapshot),
        exemptions=EXEMPTIONS.format(some=some["e"]),
        some_members=some["s"],
        fence=_FENCE if narrowed else "",
    )
    return Query(text, parameters)


def installed_condition(alias: str, snapshot: int | None) -> str:
    """What is true of the rows of installations in force now, or at the parameter `snapshot`."""
    return (_NOW if snapshot is None else _THEN).format(alias=alias)


_NOW = "{alias}.until IS NULL"
_THEN = "{alias}.since <= %(snapshot)s AND ({alias}.until IS NULL OR {alias}.until > %(snapshot)s)"

# The exemptions in force; its parameters are `group` and `at`.
EXEMPTIONS = """
    SELECT e.id, e.tenant_id, e.policy_id, e.rule_key, e.plugin_id, e.expires_at
    FROM governance_exemption e
    WHERE e.group_id = %(group)s AND e.status = 'approved'
      AND e.starts_at <= %(at)s AND e.expires_at > %(at)s {some}
"""

_BROKEN = """
    SELECT i.tenant_id, i.plugin_id, r.id AS rule_id, i.release_id
    FROM governance_rule r
    JOIN governance_violation v ON v.rule_id = r.id
    JOIN governance_installation i
      ON i.group_id = %(group)s AND i.release_id = v.release_id AND {installed} {some}
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id AND s.tenant_id = i.tenant_id
    WHERE r.id = ANY (%(rules)s::bigint[])
"""

# What few tenants have that breaks any rule, and which rules concern them, are few rows each. Left to itself,
# the planner joins each installation with all that chooses its tenant.
_FEW = 20
_OF_FEW = """
    SELECT i.tenant_id, i.plugin_id, r.id AS rule_id, i.release_id
    FROM (
        SELECT r.id, s.tenant_id
        FROM governance_rule r
        JOIN governance_selectiontenant s ON s.selection_id = r.selection_id {some_members}
        WHERE r.id = ANY (%(rules)s::bigint[])
        OFFSET 0
    ) AS r
    JOIN (
        SELECT i.tenant_id, i.plugin_id, i.release_id, v.rule_id
        FROM governance_installation i
        JOIN governance_violation v ON v.release_id = i.release_id
        WHERE i.group_id = %(group)s AND {installed} {some}
        OFFSET 0
    ) AS i ON i.rule_id = r.id AND i.tenant_id = r.tenant_id
"""

# The planner keeps to the order in which a statement joins.
JOINED_AS_WRITTEN = "SET LOCAL join_collapse_limit = 1"

# A release breaks rules for tenants of many kinds (variants), and an installation would be joined with all of
# these. So most are dropped before, by the selections that concern the release and those that choose the
# tenant, a bit for each: two that share a bit let too much through, never too little. The planner can't know
# how few are left, and would do this last.
_BIT = "(1::bigint << ({selection} %% 63)::integer)"
_NARROWED = """
    SELECT i.tenant_id, i.plugin_id, r.id AS rule_id, i.release_id
    FROM governance_installation i
    JOIN (
        SELECT v.release_id, bit_or({of_rule}) AS bits
        FROM governance_rule r JOIN governance_violation v ON v.rule_id = r.id
        WHERE r.id = ANY (%(rules)s::bigint[])
        GROUP BY v.release_id
    ) AS concerning ON concerning.release_id = i.release_id
    JOIN (
        SELECT s.tenant_id, bit_or({of_member}) AS bits
        FROM governance_selectiontenant s
        WHERE s.selection_id IN (
            SELECT selection_id FROM governance_rule WHERE id = ANY (%(rules)s::bigint[]))
        GROUP BY s.tenant_id
    ) AS chosen ON chosen.tenant_id = i.tenant_id AND chosen.bits & concerning.bits <> 0
    JOIN (
        governance_rule r JOIN governance_violation v ON v.rule_id = r.id AND r.id = ANY (%(rules)s::bigint[])
    ) ON v.release_id = i.release_id AND chosen.bits & {of_rule} <> 0
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id AND s.tenant_id = i.tenant_id
    WHERE i.group_id = %(group)s AND {{installed}} {{some}}
""".format(of_rule=_BIT.format(selection="r.selection_id"), of_member=_BIT.format(selection="s.selection_id"))

# Of all tenants, when a rule's findings are due is reckoned once for each rule rather than for each finding.
_FENCE = "OFFSET 0"

# Exemptions are few and violations many, so they are gathered by tenant and policy and looked through only
# where there are any.
_VIOLATIONS = """
SELECT broken.tenant_id, broken.plugin_id, broken.rule_id, broken.release_id,
    CASE WHEN covering.ids IS NOT NULL THEN (
        SELECT one.id
        FROM unnest(covering.ids, covering.keys, covering.plugins)
             WITH ORDINALITY AS one (id, rule_key, plugin_id, place)
        WHERE one.rule_key IN ('', r.key)
          AND (one.plugin_id IS NULL OR one.plugin_id = broken.plugin_id)
        ORDER BY one.place LIMIT 1
    ) END AS exemption_id,
    r.policy_id, r.key, r.severity, r.due_at
FROM (
    {broken}
    UNION ALL
    SELECT s.tenant_id, wanted.plugin_id, r.id, NULL
    FROM governance_rule r
    CROSS JOIN LATERAL unnest(r.plugins) AS wanted (plugin_id)
    JOIN governance_selectiontenant s ON s.selection_id = r.selection_id {some_members}
    WHERE r.id = ANY (%(rules)s::bigint[]) AND r.kind = 'present'
      AND NOT EXISTS (
        SELECT FROM governance_installation here
        WHERE here.tenant_id = s.tenant_id AND here.plugin_id = wanted.plugin_id AND {also_installed}
      )
      -- Only of a tenant that has said all that it runs is it known that something is missing.
      AND coalesce(
        (SELECT m.complete FROM governance_manifest m WHERE m.tenant_id = s.tenant_id
         ORDER BY m.observed_at DESC, m.inventory_id DESC LIMIT 1),
        EXISTS (SELECT FROM governance_installation here
                WHERE here.tenant_id = s.tenant_id AND {also_installed})
      )
) AS broken
JOIN (
    SELECT id, policy_id, key, severity, %(at)s + sla_days * interval '1 day' AS due_at
    FROM governance_rule WHERE id = ANY (%(rules)s::bigint[]) {fence}
) AS r ON r.id = broken.rule_id
LEFT JOIN (
    SELECT tenant_id, policy_id,
        array_agg(id ORDER BY expires_at DESC, id) AS ids,
        array_agg(rule_key ORDER BY expires_at DESC, id) AS keys,
        array_agg(plugin_id ORDER BY expires_at DESC, id) AS plugins
    FROM ({exemptions}) AS in_force
    GROUP BY tenant_id, policy_id
) AS covering ON covering.tenant_id = broken.tenant_id AND covering.policy_id = r.policy_id
"""
