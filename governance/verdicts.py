"""What was decided, written to the findings it is about and told in the log, both as sets."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.db import connection, transaction

from governance import staging
from governance.models import Plugin, Policy, Release
from governance.outcomes import TenantOutcome
from tenants import directory
from tenants.models import Tenant

LOGGER = "plumbline.decision"
log = structlog.get_logger(LOGGER)


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a finding says about what is to be done."""

    target_id: int | None = None
    remove: bool = False
    reason: str = ""
    undecided: bool = False
    aside: bool = False  # what it breaks gives way by a person's decision


@dataclass(frozen=True, slots=True)
class _News:
    """One decision that is new to the findings of these tenants."""

    plugin_id: int
    policy_id: int
    rule_key: str
    target_id: int | None
    remove: bool
    status: str
    reason: str
    tenant_ids: list[int]


def stage(outcomes: Mapping[int, TenantOutcome]) -> None:
    """Lay out which tenant is in which situation: what is written about tenants is written from there."""
    staging.fill(
        "decided_tenant",
        {"tenant_id": "bigint", "digest": "text", "place": "bigint"},
        ((tenant_id, result.digest, id(result)) for tenant_id, result in sorted(outcomes.items())),
    )


def write(
    group_id: int,
    outcomes: Mapping[int, TenantOutcome],
    tenant_ids: Collection[int] | None,
    *,
    at: datetime,
) -> None:
    """Write targets and reasons of what is staged, and tell of what is new once it is certain.

    Only between new, needs-a-decision and set-aside does evaluation move the status. While a decision sets a
    finding aside its service level stands still; afterwards it begins anew, as after an exemption.
    """
    staging.fill("decided_verdict", _COLUMNS, _rows(outcomes))
    parameters: dict[str, Any] = {"group": group_id, "at": at}
    some = ""
    if tenant_ids is not None:
        some, parameters["tenants"] = "AND f.tenant_id = ANY (%(tenants)s::bigint[])", list(tenant_ids)
    # What nobody listens to isn't gathered.
    listened = logging.getLogger(LOGGER).isEnabledFor(logging.INFO)
    ending = _TOLD if listened else "SELECT NULL WHERE false"
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(some=some, ending=ending), parameters)
        news = [_News(*row) for row in cursor.fetchall()]
    if news:
        transaction.on_commit(lambda: _tell(group_id, news))


def _tell(group_id: int, news: Collection[_News]) -> None:
    """One line of the log for each drift that was decided anew."""
    for line in _lines(group_id, news):
        log.info("finding.decided", **line)


def _rows(outcomes: Mapping[int, TenantOutcome]) -> Iterator[tuple[Any, ...]]:
    for place, result in {id(result): result for result in outcomes.values()}.items():
        for component, one in _verdicts(result).items():
            yield place, component, one.target_id, one.remove, one.reason, one.undecided, one.aside


def _verdicts(result: TenantOutcome) -> dict[int, _Verdict]:
    """By component, what was decided."""
    found: dict[int, _Verdict] = {}
    aside = result.given_way
    for component, one in aside.items():
        found[component] = _Verdict(reason=f"Left as it is by {result.decision_on(one)}", aside=True)
    for change in result.outcome.changes:
        reason, decided = change.because, aside.get(change.component)
        if decided is not None and change.component in decided.stuck:
            reason += f", by {result.decision_on(decided)}"
        found[change.component] = _Verdict(
            target_id=change.after.id if change.after else None,
            remove=change.after is None,
            reason=reason,
        )
    for one in result.outcome.unsettled:
        for component in one.stuck:
            found[component] = _Verdict(reason=one.summary, undecided=True)
    return found


def _lines(group_id: int, news: Collection[_News]) -> Iterator[dict[str, Any]]:
    """What was decided about each tenant, with those responsible there."""
    everyone = {tenant_id for one in news for tenant_id in one.tenant_ids}
    owners = {
        tenant_id: ", ".join(map(str, people)) for tenant_id, people in directory.admins_of(everyone).items()
    }
    keys = dict(Tenant.objects.filter(pk__in=everyone).values_list("pk", "key"))
    plugins = dict(Plugin.objects.filter(group_id=group_id).values_list("pk", "name"))
    policies = dict(Policy.objects.filter(group_id=group_id).values_list("pk", "name"))
    targets = Release.objects.filter(pk__in={one.target_id for one in news})
    versions = dict(targets.values_list("pk", "version"))
    for one in news:
        decided = {
            "plugin": plugins[one.plugin_id],
            "policy": f"{policies[one.policy_id]}/{one.rule_key}",
            "target": versions[one.target_id] if one.target_id else None,
            "decision": "remove" if one.remove else one.status,
            "reason": one.reason,
        }
        for tenant in sorted(one.tenant_ids, key=keys.__getitem__):
            yield {"group": group_id, "tenant": keys[tenant], "owner": owners.get(tenant, ""), **decided}


_COLUMNS = {
    "place": "bigint",
    "plugin_id": "bigint",
    "target_id": "bigint",
    "remove": "boolean",
    "reason": "text",
    "undecided": "boolean",
    "aside": "boolean",
}

_WRITE = """
WITH wanted AS (
    SELECT f.id, v.target_id, coalesce(v.remove, false) AS remove,
        CASE WHEN f.status = 'accepted' THEN f.reason ELSE coalesce(v.reason, '') END AS reason,
        CASE WHEN f.status NOT IN ('new', 'needs_decision', 'set_aside') THEN f.status
             WHEN v.undecided THEN 'needs_decision'
             WHEN v.aside THEN 'set_aside'
             ELSE 'new' END AS status,
        f.status = 'set_aside' AS was_aside
    FROM governance_finding f
    LEFT JOIN decided_tenant t ON t.tenant_id = f.tenant_id AND f.status <> 'accepted'
    LEFT JOIN decided_verdict v ON v.place = t.place AND v.plugin_id = f.plugin_id
    WHERE f.group_id = %(group)s AND f.closed_at IS NULL {some}
),
written AS (
    UPDATE governance_finding f
    SET target_id = w.target_id, remove = w.remove, reason = w.reason, status = w.status,
        due_at = CASE
            WHEN w.status = 'set_aside' THEN NULL
            WHEN w.was_aside THEN (
                SELECT %(at)s + r.sla_days * interval '1 day' FROM governance_rule r WHERE r.id = f.rule_id)
            ELSE f.due_at END
    FROM wanted w
    WHERE f.id = w.id
      AND (f.target_id, f.remove, f.reason, f.status)
          IS DISTINCT FROM (w.target_id, w.remove, w.reason, w.status)
    RETURNING f.tenant_id, f.plugin_id, f.policy_id, f.rule_key, f.target_id, f.remove, f.status, f.reason
)
{ending}
"""

_TOLD = """
SELECT plugin_id, policy_id, rule_key, target_id, remove, status, reason, array_agg(tenant_id)
FROM written GROUP BY plugin_id, policy_id, rule_key, target_id, remove, status, reason
ORDER BY plugin_id, policy_id, rule_key, min(tenant_id)
"""
