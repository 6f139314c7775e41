"""Whom there is something to tell of which findings, worked out in the database for however many there are.

A table of the transaction holds one row a person and finding; only counts, and the few lines that a message
shows, are ever read from it.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from governance.escalation import Audience
from governance.models import Finding, Silence
from governance.models.policy import Mode
from governance.profiles import Settings
from tenants.directory import Told as People

_CHUNK = 200  # people whose lines are read at a time
_OWNERS = (Audience.OWNERS, Audience.POLICY_OWNERS)


@dataclass(frozen=True, slots=True)
class Share:
    """What there is for one person: all that is open, how much of it is news, and how long that may wait."""

    user_id: int
    findings: int
    own: int  # of those, in tenants that the person administers
    news: int
    tenants: int
    tenant: str | None  # its key, if there is only one
    tenant_id: int | None
    due_at: datetime | None
    urgent: bool
    window: timedelta


@dataclass(frozen=True, slots=True)
class Line:
    """One finding, as a message tells it."""

    finding_id: int
    tenant: str
    plugin: str
    installed: str | None
    target: str | None
    remove: bool
    mode: str
    policy: str
    due_at: datetime | None
    status: str
    own: bool
    falls: bool  # whether the target is older than what is installed


@contextmanager
def worked_out(
    group_id: int,
    policies: Mapping[int, tuple[str, Settings]],
    people: People,
    *,
    at: datetime,
    only: Collection[int] | None = None,
) -> Iterator[None]:
    """For as long as the context lasts, within the caller's transaction; `only` these people."""
    parameters = _parameters(group_id, policies, at) | _people(policies, people, only)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('work_mem', '128MB', true)"
        )  # sorts and hashes without going to disk
        # Right after a burst the planner still takes the findings for few, and would go through all of them
        # for each.
        cursor.execute("SELECT set_config('enable_nestloop', 'off', true)")
        cursor.execute(_WORK_OUT, parameters)
        cursor.execute("CREATE INDEX ON telling (user_id)")
        cursor.execute("ANALYZE telling")
    try:
        yield
    finally:
        if not connection.needs_rollback:
            with connection.cursor() as cursor:
                cursor.execute("DROP TABLE telling")
                cursor.execute("SELECT set_config('enable_nestloop', 'on', true)")


def shares() -> dict[int, Share]:
    """What there is for each person, by their id."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARES)
        return {row[0]: Share(*row) for row in cursor.fetchall()}


def lines(user_ids: Collection[int], *, most: int) -> Iterator[tuple[int, list[Line]]]:
    """The lines of each person's message, the most urgent first, at most so many; some people at a time."""
    ordered = sorted(user_ids)
    for start in range(0, len(ordered), _CHUNK):
        found: dict[int, list[Line]] = {}
        with connection.cursor() as cursor:
            cursor.execute(_LINES, {"users": ordered[start : start + _CHUNK], "most": most})
            for user_id, *values in cursor.fetchall():
                found.setdefault(user_id, []).append(Line(*values))
        yield from found.items()


def mark(group_id: int, user_ids: Collection[int], *, at: datetime) -> None:
    """Note that these people have been told all that there was for them."""
    with connection.cursor() as cursor:
        cursor.execute(_MARK, {"group": group_id, "users": list(user_ids), "at": at})


def forget(group_id: int) -> None:
    """Let go of what is no longer so: if it comes back, it is news."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"group": group_id})
        cursor.execute(_FORGET_NEEDS, {"group": group_id})


def _parameters(group_id: int, policies: Mapping[int, tuple[str, Settings]], at: datetime) -> dict[str, Any]:
    silences = list(Silence.objects.holding(at).filter(group_id=group_id).values_list("user", "finding"))
    return {
        "group": group_id,
        "at": at,
        "steps": json.dumps(list(steps(policies))),
        "policies": json.dumps(list(_policies(policies))),
        "quiet_users": [user for user, _ in silences],
        "quiet_findings": [finding for _, finding in silences],
        "modes": [str(Mode.REMIND), str(Mode.ENFORCE)],
    }


def steps(policies: Mapping[int, tuple[str, Settings]]) -> Iterator[dict[str, Any]]:
    """The steps that tell anybody: whose, whom, and how many seconds from the due date, if from that."""
    for policy_id, (_, settings) in policies.items():
        for step in settings.escalation:
            tells = settings.tells_owners if step.tell in _OWNERS else settings.tells_tenant_admins
            if tells:
                seconds = None if step.offset is None else int(step.offset.total_seconds())
                yield {"policy": policy_id, "key": step.key, "tell": str(step.tell), "seconds": seconds}


def _policies(policies: Mapping[int, tuple[str, Settings]]) -> Iterator[dict[str, Any]]:
    for policy_id, (_, settings) in policies.items():
        window = int(settings.window.total_seconds())
        yield {"id": policy_id, "waits": window, "at_once": sorted(settings.at_once)}


def _people(
    policies: Mapping[int, tuple[str, Settings]], people: People, only: Collection[int] | None
) -> dict[str, list[int]]:
    """Pairs of person and tenant, of person and policy, and the owners.

    Where nobody answers for a policy, the group's owners do.
    """

    def wanted(user_id: int) -> bool:
        return only is None or user_id in only

    admins = [(user.pk, tenant) for tenant, users in people.tenants.items() for user in users]
    answering = [
        (user.pk, policy_id)
        for policy_id, (name, _) in policies.items()
        for user in people.policies.get(name, people.owners)
    ]
    admins = [pair for pair in admins if wanted(pair[0])]
    answering = [pair for pair in answering if wanted(pair[0])]
    return {
        "admins": [user for user, _ in admins],
        "tenants": [tenant for _, tenant in admins],
        "answering": [user for user, _ in answering],
        "answered": [policy for _, policy in answering],
        "owners": [owner.pk for owner in people.owners if wanted(owner.pk)],
    }


_NEEDY = (Finding.Status.NEEDS_DECISION, Finding.Status.VERIFY_FAILED)
_NEED = f"CASE WHEN f.status IN ('{_NEEDY[0]}', '{_NEEDY[1]}') THEN f.status ELSE '' END"

_WORK_OUT = f"""
CREATE TEMP TABLE telling ON COMMIT DROP AS
WITH step AS (
    SELECT * FROM jsonb_to_recordset(%(steps)s) AS s(policy bigint, key text, tell text, seconds bigint)
),
reached AS MATERIALIZED (
    SELECT f.id, f.tenant_id, f.policy_id, s.key, s.tell
    FROM governance_finding f
    JOIN governance_rule r ON r.id = f.rule_id AND r.mode = ANY (%(modes)s)
    JOIN tenants_tenant t ON t.id = f.tenant_id AND t.active
    JOIN step s ON s.policy = f.policy_id
        AND (s.seconds IS NULL OR f.due_at + s.seconds * interval '1 second' <= %(at)s)
    WHERE f.group_id = %(group)s AND f.closed_at IS NULL
        AND f.status NOT IN ('accepted', 'set_aside')
),
heard AS (
    SELECT a.user_id, r.id, r.key, true AS own FROM reached r
    JOIN unnest(%(admins)s::bigint[], %(tenants)s::bigint[]) AS a(user_id, tenant_id) USING (tenant_id)
    WHERE r.tell = 'tenant_admins'
    UNION ALL
    SELECT a.user_id, r.id, r.key, false FROM reached r
    JOIN unnest(%(answering)s::bigint[], %(answered)s::bigint[]) AS a(user_id, policy_id) USING (policy_id)
    WHERE r.tell = 'policy_owners'
    UNION ALL
    SELECT o.user_id, r.id, r.key, false FROM reached r
    CROSS JOIN unnest(%(owners)s::bigint[]) AS o(user_id)
    WHERE r.tell = 'owners'
),
told AS (
    SELECT user_id, id AS finding_id, bool_or(own) AS own, array_agg(DISTINCT key::varchar) AS steps
    FROM heard
    WHERE (user_id, id) NOT IN (
        SELECT * FROM unnest(%(quiet_users)s::bigint[], %(quiet_findings)s::bigint[]))
    GROUP BY user_id, id
),
judged AS (
    SELECT t.*, f.tenant_id, f.due_at, {_NEED} AS need, p.waits, p.at_once,
        f.due_at < %(at)s AS late,
        m.id IS NULL OR m.due_at IS DISTINCT FROM f.due_at OR NOT t.steps <@ m.steps
            OR ({_NEED} <> '' AND m.need <> {_NEED}) AS is_news
    FROM told t
    JOIN governance_finding f ON f.id = t.finding_id
    JOIN jsonb_to_recordset(%(policies)s) AS p(id bigint, waits bigint, at_once text[]) ON p.id = f.policy_id
    LEFT JOIN governance_mention m ON m.user_id = t.user_id AND m.finding_id = t.finding_id
)
SELECT user_id, finding_id, own, steps, tenant_id, due_at, need, waits, is_news,
    is_news AND at_once && array_remove(ARRAY[
        CASE WHEN need = 'needs_decision' THEN 'decision' END,
        CASE WHEN need = 'needs_decision' AND late THEN 'decision_overdue' END,
        CASE WHEN late THEN 'overdue' END,
        CASE WHEN need = 'verify_failed' THEN 'verify_failed' END], NULL) AS urgent
FROM judged
"""

_SHARES = """
SELECT w.user_id, count(*), count(*) FILTER (WHERE w.own), count(*) FILTER (WHERE w.is_news),
    count(DISTINCT w.tenant_id), CASE WHEN count(DISTINCT w.tenant_id) = 1 THEN min(t.key) END,
    CASE WHEN count(DISTINCT w.tenant_id) = 1 THEN min(w.tenant_id) END, min(w.due_at), bool_or(w.urgent),
    coalesce(min(w.waits) FILTER (WHERE w.is_news), 0) * interval '1 second'
FROM telling w JOIN tenants_tenant t ON t.id = w.tenant_id
GROUP BY w.user_id
"""

_LINES = """
SELECT user_id, finding_id, tenant, plugin, installed, target, remove, mode, policy, due_at, status, own,
    falls
FROM (
    SELECT w.user_id, w.finding_id, t.key AS tenant, p.name AS plugin, i.version AS installed,
        g.version AS target, f.remove, r.mode, y.name AS policy, f.due_at, f.status, w.own,
        coalesce(g.rank < i.rank, false) AS falls,
        row_number() OVER (
            PARTITION BY w.user_id
            ORDER BY w.own DESC, f.due_at, t.key, p.name, y.name, f.rule_key, f.id) AS place
    FROM telling w
    JOIN governance_finding f ON f.id = w.finding_id
    JOIN governance_rule r ON r.id = f.rule_id
    JOIN tenants_tenant t ON t.id = f.tenant_id
    JOIN governance_plugin p ON p.id = f.plugin_id
    JOIN governance_policy y ON y.id = f.policy_id
    LEFT JOIN governance_release i ON i.id = f.release_id
    LEFT JOIN governance_release g ON g.id = f.target_id
    WHERE w.user_id = ANY (%(users)s::bigint[])
) AS ranked
WHERE place <= %(most)s
ORDER BY user_id, place
"""

# Steps that were told of another due date are told again under this one.
_MARK = """
INSERT INTO governance_mention AS m (group_id, user_id, finding_id, steps, due_at, need, told_at)
SELECT %(group)s, user_id, finding_id, steps, due_at, need, %(at)s
FROM telling WHERE user_id = ANY (%(users)s::bigint[])
ON CONFLICT (user_id, finding_id) DO UPDATE
SET due_at = excluded.due_at, need = excluded.need,
    steps = CASE WHEN m.due_at IS NOT DISTINCT FROM excluded.due_at
        THEN ARRAY(SELECT DISTINCT unnest(m.steps || excluded.steps)) ELSE excluded.steps END,
    told_at = CASE WHEN m.due_at IS DISTINCT FROM excluded.due_at OR NOT excluded.steps <@ m.steps
        OR (excluded.need <> '' AND m.need <> excluded.need) THEN excluded.told_at ELSE m.told_at END
"""

_FORGET = """
DELETE FROM governance_mention m USING governance_finding f
WHERE m.group_id = %(group)s AND f.id = m.finding_id
    AND (f.closed_at IS NOT NULL OR f.status IN ('accepted', 'set_aside'))
"""
_FORGET_NEEDS = """
UPDATE governance_mention m SET need = '' FROM governance_finding f
WHERE m.group_id = %(group)s AND f.id = m.finding_id AND m.need <> '' AND m.need <> f.status
"""
