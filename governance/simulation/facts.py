"""What a simulation's outcome depends on beside what is supposed, each as a digest.

Equal facts, equal answers; a fact that isn't as it was means that the world has moved.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from governance import documents, drafting, snapshots, standing
from governance.models import Configuration, Exemption, Policy, Profile, Snapshot
from tenants.models import Group

# By the name of the fact, what people call it.
NAMES = {
    "installed": "what the tenants run",
    "tenants": "the tenants, their tiers or labels",
    "manifests": "which tenants have told all that they run",
    "policies": "the policies in force",
    "profiles": "the profiles or service levels",
    "exemptions": "the exemptions",
    "catalogue": "the catalogue",
    "decisions": "the decisions on conflicts",
    "tasks": "the tenants with a task under way",
}


def gather(group: Group, snapshot: int | None) -> dict[str, str]:
    """Each fact's digest, as things stand now; of `snapshot` where that is asked about."""
    return {
        "installed": _installed(group, snapshot),
        "tenants": _text(group, _TENANTS),
        "manifests": _text(group, _INCOMPLETE),
        "policies": documents.digest(_policies(group)),
        "profiles": documents.digest(_profiles(group)),
        "exemptions": documents.digest(_exemptions(group)),
        "catalogue": _text(group, _CATALOGUE) + _text(group, _WARNINGS),
        "decisions": documents.digest(
            {key: sorted(one.rules) for key, one in standing.precedents(group.pk).items()}
        ),
        "tasks": documents.digest(sorted(drafting.busy_tenants(group.pk))) if snapshot is None else "",
    }


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What isn't as it was, in words."""
    return [told for name, told in NAMES.items() if before.get(name) != now.get(name)]


def holds_until(group: Group, at: datetime) -> datetime | None:
    """When time alone changes what the rules mean, which exemptions cover, or which releases are out."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT_EDGE, {"group": group.pk, "at": at})
        (edge,) = cursor.fetchone()
    found: datetime | None = edge
    return found


def _installed(group: Group, snapshot: int | None) -> str:
    if snapshot is None:
        return snapshots.digest_now(group)
    return str(Snapshot.objects.values_list("digest", flat=True).get(group=group, number=snapshot))


def _policies(group: Group) -> dict[str, Any]:
    rows = Policy.objects.filter(group=group).in_force().order_by("name")
    told = rows.values_list("name", "current__number", "current__digest", "status")
    return {name: [number, digest, status] for name, number, digest, status in told}


def _profiles(group: Group) -> dict[str, Any]:
    sla = Configuration.objects.filter(group=group).values_list("sla", flat=True).first()
    rows = Profile.objects.filter(group=group).order_by("name").values_list("name", "document")
    return {"sla": sla, "profiles": dict(rows)}


def _exemptions(group: Group) -> list[str]:
    rows = Exemption.objects.filter(group=group, status=Exemption.Status.APPROVED).order_by("pk")
    return [
        f"{pk} {start.isoformat()} {end.isoformat()}"
        for pk, start, end in rows.values_list("pk", "starts_at", "expires_at")
    ]


def _text(group: Group, statement: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"group": group.pk})
        return str(cursor.fetchone()[0])


# `md5` only tells one state from another; nobody gains by two that look alike.
_TENANTS = """
SELECT coalesce(md5(string_agg(md5(concat_ws('|', key, tier, labels, active)), '' ORDER BY key)), '')
FROM tenants_tenant WHERE group_id = %(group)s
"""

_INCOMPLETE = """
SELECT coalesce(md5(string_agg(tenant_id::text, ',' ORDER BY tenant_id)), '')
FROM (
    SELECT DISTINCT ON (tenant_id) tenant_id, complete FROM governance_manifest
    WHERE group_id = %(group)s ORDER BY tenant_id, observed_at DESC, inventory_id DESC
) AS newest
WHERE NOT complete
"""

_CATALOGUE = """
SELECT coalesce(md5(string_agg(part, '' ORDER BY id)), '')
FROM (
    SELECT p.id, md5(concat_ws('|', p.name, p.scheme, p.is_host, string_agg(md5(concat_ws('|',
        r.version, r.rank, r.channel, extract(epoch FROM r.released_at), r.withdrawn, r.prerelease,
        r.catalogued, r.host_min, r.host_max, r.requires, r.conflicts, r.provides)), ''
        ORDER BY r.id))) AS part
    FROM governance_plugin p LEFT JOIN governance_release r ON r.plugin_id = p.id
    WHERE p.group_id = %(group)s GROUP BY p.id
) AS plugin
"""

_WARNINGS = """
SELECT coalesce(md5(string_agg(w.release_id::text, ',' ORDER BY w.release_id, w.advisory_id)), '')
FROM governance_releaseadvisory w
JOIN governance_advisory a ON a.id = w.advisory_id WHERE a.group_id = %(group)s
"""

_NEXT_EDGE = """
SELECT min(edge) FROM (
    SELECT r.recompile_at AS edge FROM governance_rule r
    JOIN governance_policy p ON p.id = r.policy_id AND p.current_id = r.version_id
    WHERE r.group_id = %(group)s AND p.status IN ('active', 'paused')
    UNION ALL
    SELECT unnest(ARRAY[starts_at, expires_at]) FROM governance_exemption
    WHERE group_id = %(group)s AND status = 'approved'
    UNION ALL
    SELECT released_at FROM governance_release WHERE group_id = %(group)s AND released_at > %(at)s
) AS edges
WHERE edge > %(at)s
"""
