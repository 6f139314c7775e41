"""Findings brought in line with what breaks the rules, in one statement for however many there are."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from governance import staging
from governance.models import Finding
from governance.violations import JOINED_AS_WRITTEN, violations_query

_MANY = 5_000  # new findings, from which on what was known of the table may be no guide


@dataclass(frozen=True, slots=True)
class Scope:
    """The open findings that one write answers for, those of these tenants and policies or all of them.

    `rule_keys` narrows it to rules by (policy id, key). `rule_ids` are the rules in force within the scope:
    open findings of others are over.
    """

    rule_ids: Collection[int]
    tenant_ids: Collection[int] | None = None
    policy_ids: Collection[int] | None = None
    rule_keys: Collection[tuple[int, str]] | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one write did, see drift.DriftResult."""

    opened: int
    closed: int
    kept: int
    accepted: int
    reopened: int
    moved: int
    tenant_ids: list[int]


def write(group_id: int, scope: Scope, *, at: datetime) -> Outcome:
    """Open, close and alter the findings of the scope. The caller holds off others who would."""
    is_wide = scope.tenant_ids is None
    query = violations_query(scope.rule_ids, scope.tenant_ids, at, group_id=group_id, narrowed=is_wide)
    clauses, parameters = _limits(scope)
    parameters |= query.parameters
    of_group = _OF_GROUP if is_wide else _ALSO_OF_GROUP
    standing = f"{of_group} AND f.closed_at IS NULL {' '.join(clauses)}"
    compared = _COMPARED.format(found=query.text, standing=standing)
    kept = _KEPT
    if not clauses:
        compared, kept = _DIFFERING.format(compared=compared), _KEPT_OF_ALL.format(standing=standing)
    with connection.cursor() as cursor:
        if is_wide:
            cursor.execute(_BEFORE_STAGE)
            cursor.execute(_STAGE.format(compared=compared), parameters)
            cursor.execute(_AFTER_STAGE)
            compared = "SELECT * FROM staged_comparison"
        how = "NOT MATERIALIZED" if is_wide else "MATERIALIZED"
        cursor.execute(_WRITE.format(how=how, compared=compared, kept=kept), parameters)
        outcome = Outcome(*cursor.fetchone())
        if is_wide:
            cursor.execute("DROP TABLE staged_comparison")
    if outcome.opened > max(_MANY, outcome.kept):
        # To compare millions of findings that the planner takes for sixty takes four times as long.
        staging.look_again(Finding, briefly=True)
    return outcome


def _limits(scope: Scope) -> tuple[list[str], dict[str, Any]]:
    clauses: list[str] = []
    parameters: dict[str, Any] = {}
    if scope.tenant_ids is not None:
        clauses.append("AND f.tenant_id = ANY (%(tenants)s::bigint[])")
    if scope.policy_ids is not None:
        clauses.append("AND f.policy_id = ANY (%(policies)s::bigint[])")
        parameters["policies"] = list(scope.policy_ids)
    if scope.rule_keys is not None:
        clauses.append(
            "AND (f.policy_id, f.rule_key) IN"
            " (SELECT * FROM unnest(%(key_policies)s::bigint[], %(keys)s::text[]))"
        )
        pairs = list(scope.rule_keys)
        parameters["key_policies"] = [policy for policy, _ in pairs]
        parameters["keys"] = [key for _, key in pairs]
    return clauses, parameters


# PostgreSQL reads on several cores only in statements that change no table, so what goes through the whole
# group writes down first what is to be changed: by tenant, as the unique index begins, which makes adding to
# that a third faster.
_STAGE = "CREATE TEMPORARY TABLE staged_comparison ON COMMIT DROP AS {compared} ORDER BY tenant_id"
# It hashes a quarter of a million rows without going to disk, and doesn't sort them for the comparison: the
# planner would, since it takes the findings for a handful after a load, and violations for millions.
_BEFORE_STAGE = f"""
SET LOCAL work_mem = '128MB';
SET LOCAL enable_mergejoin = off;
{JOINED_AS_WRITTEN}
"""
_AFTER_STAGE = "SET LOCAL enable_mergejoin TO DEFAULT; SET LOCAL join_collapse_limit TO DEFAULT"
_OF_GROUP = "f.group_id = %(group)s"
# Some tenants' findings are found by tenant. While the planner knows little of the table, as after a load, it
# takes an index that begins with the group otherwise, and goes through all of the group's.
_ALSO_OF_GROUP = "f.group_id + 0 = %(group)s"

# A finding is the same as long as tenant, plugin, policy and the rule's key are.
_COMPARED = """
SELECT f.id, coalesce(n.tenant_id, f.tenant_id) AS tenant_id, n.plugin_id, n.policy_id, n.key, n.rule_id,
    n.release_id, n.exemption_id, n.severity, n.due_at,
    f.id IS NOT NULL AND n.rule_id IS NOT NULL AS is_kept,
    f.status = 'accepted' AS was_accepted, n.exemption_id IS NOT NULL AS is_accepted,
    f.release_id IS DISTINCT FROM n.release_id AS is_moved,
    f.id IS NULL OR n.rule_id IS NULL
        OR (f.release_id, f.rule_id, f.severity, f.exemption_id, f.status = 'accepted') IS DISTINCT FROM
           (n.release_id, n.rule_id, n.severity, n.exemption_id, n.exemption_id IS NOT NULL) AS differs
FROM ({found}) AS n
FULL JOIN (
    SELECT * FROM governance_finding f WHERE {standing}
) AS f ON f.tenant_id = n.tenant_id AND f.plugin_id = n.plugin_id
    AND f.policy_id = n.policy_id AND f.rule_key = n.key
"""
# Most of a whole group's are as they were: to leave them out and count them by themselves is less work than
# to write them down. Of some policies' findings each may lie on a page of its own, so none is read twice.
_DIFFERING = "SELECT * FROM ({compared}) AS compared WHERE differs"
_KEPT = "coalesce(sum(kept), 0)::bigint"
_KEPT_OF_ALL = (
    "(SELECT count(*) FROM governance_finding f WHERE {standing}) - coalesce(sum(closed), 0)::bigint"
)

# Under an exemption a finding's service level stands still; afterwards it begins anew. Other states change in
# evaluation and upgrades.
_WRITE = """
WITH compared AS {how} ({compared}),
opened AS (
    INSERT INTO governance_finding (
        group_id, tenant_id, plugin_id, policy_id, rule_key, rule_id, release_id, status, severity,
        exemption_id, opened_at, opened_snapshot, due_at)
    SELECT %(group)s, tenant_id, plugin_id, policy_id, key, rule_id, release_id,
        CASE WHEN is_accepted THEN 'accepted' ELSE 'new' END, severity, exemption_id, %(at)s,
        (SELECT open_snapshot FROM tenants_group WHERE id = %(group)s),
        CASE WHEN NOT is_accepted THEN due_at END
    FROM compared WHERE id IS NULL
),
closed AS (
    UPDATE governance_finding f
    SET status = 'resolved', closed_at = %(at)s,
        closed_snapshot = (SELECT open_snapshot FROM tenants_group WHERE id = %(group)s)
    FROM compared c WHERE f.id = c.id AND c.rule_id IS NULL
),
altered AS (
    UPDATE governance_finding f
    SET rule_id = c.rule_id, release_id = c.release_id, exemption_id = c.exemption_id, severity = c.severity,
        status = CASE WHEN c.is_accepted THEN 'accepted' WHEN c.was_accepted THEN 'new' ELSE f.status END,
        due_at = CASE
            WHEN c.is_accepted THEN NULL
            WHEN c.was_accepted THEN c.due_at
            ELSE f.due_at END
    FROM compared c
    WHERE f.id = c.id AND c.is_kept AND c.differs
)
SELECT coalesce(sum(opened), 0)::bigint, coalesce(sum(closed), 0)::bigint,
    {kept},
    coalesce(sum(accepted), 0)::bigint, coalesce(sum(reopened), 0)::bigint, coalesce(sum(moved), 0)::bigint,
    coalesce(array_agg(tenant_id) FILTER (WHERE is_changed), '{{}}')
FROM (
    SELECT tenant_id,
        count(*) FILTER (WHERE id IS NULL) AS opened,
        count(*) FILTER (WHERE rule_id IS NULL) AS closed,
        count(*) FILTER (WHERE is_kept) AS kept,
        count(*) FILTER (WHERE is_kept AND is_accepted AND NOT was_accepted) AS accepted,
        count(*) FILTER (WHERE is_kept AND was_accepted AND NOT is_accepted) AS reopened,
        count(*) FILTER (WHERE is_kept AND is_moved) AS moved,
        bool_or(NOT is_kept OR is_moved OR is_accepted <> was_accepted) AS is_changed
    FROM compared GROUP BY tenant_id
) AS of_tenant
"""
