"""Which conflicts stand: opened, kept, closed and found again as evaluation meets them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance.models import Conflict, ConflictTenant
from governance.outcomes import Precedent, Precedents, TenantOutcome
from governance.resolution import Saying, Unsettled, WayOut
from tenants.models import Group, Tenant

Status = Conflict.Status


@dataclass(frozen=True, slots=True)
class Standing:
    """How many conflicts are new (or there again), gone, and still waiting for a person."""

    new: int
    closed: int
    waiting: int


@dataclass
class _Found:
    unsettled: Unsettled
    tenant_ids: set[int] = field(default_factory=set)


def precedents(group_id: int) -> Precedents:
    """What people decided, by fingerprint; also of conflicts that are gone, in case they come back."""
    decided = Conflict.objects.filter(group_id=group_id, decided_at__isnull=False)
    rows = decided.defer("explanation", "ways_out")
    return {
        row.fingerprint: Precedent(
            frozenset((rule["policy"], rule["key"]) for rule in row.set_aside),
            row.decision_in_words(earlier=row.decided_earlier or row.status == Status.CLOSED),
        )
        for row in rows
        if row.set_aside
    }


def register(
    group: Group,
    outcomes: Mapping[int, TenantOutcome],
    *,
    tenant_ids: Collection[int] | None,
    names: Mapping[int, str],
    actor: Actor,
    at: datetime,
) -> Standing:
    """Bring the group's conflicts in line with what was found for these tenants, or for all.

    `names` are those of the components. A conflict with a decision comes back as decided.
    """
    found = _gather(outcomes)
    known = {row.fingerprint: row for row in Conflict.objects.filter(group=group, fingerprint__in=found)}
    records: list[ledger.Record] = []
    for fingerprint, conflict in sorted(found.items()):
        row, is_news = _keep(group, known.get(fingerprint), conflict.unsettled, names, at)
        known[fingerprint] = row
        if is_news:
            records.append(_record(Action.CONFLICT_FOUND, row, sorted(conflict.tenant_ids)))
    _touch(group, found, known, tenant_ids)
    closed = _close(group, at)
    records += [_record(Action.CONFLICT_CLOSED, row, []) for row in closed]
    if records:
        ledger.record_many(records, group_id=group.pk, actor=actor, at=at)
    waiting = Conflict.objects.filter(group=group).waiting().count()
    return Standing(new=len(records) - len(closed), closed=len(closed), waiting=waiting)


def _gather(outcomes: Mapping[int, TenantOutcome]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for tenant_id, result in outcomes.items():
        for unsettled in (*result.outcome.unsettled, *result.decided):
            found.setdefault(unsettled.fingerprint, _Found(unsettled)).tenant_ids.add(tenant_id)
    return found


def _keep(
    group: Group, row: Conflict | None, unsettled: Unsettled, names: Mapping[int, str], at: datetime
) -> tuple[Conflict, bool]:
    """The conflict's row as it is to be now, and whether a person should hear that it is there."""
    told: dict[str, Any] = {
        "explanation": explanation(unsettled, names),
        "ways_out": ways_out(unsettled, names),
    }
    if row is None:
        made = Conflict.objects.create(
            group=group,
            fingerprint=unsettled.fingerprint,
            plugin_id=unsettled.component,
            found_at=at,
            **told,
        )
        return made, True
    came_back = row.status == Status.CLOSED
    if came_back:
        told |= {
            "status": Status.DECIDED if row.decided_at else Status.OPEN,
            "closed_at": None,
            "found_at": at,
            "run": None,
        }
    if any(getattr(row, name) != value for name, value in told.items()):
        for name, value in told.items():
            setattr(row, name, value)
        row.save(update_fields=list(told))
    return row, came_back and row.status == Status.OPEN


def _touch(
    group: Group,
    found: Mapping[str, _Found],
    rows: Mapping[str, Conflict],
    tenant_ids: Collection[int] | None,
) -> None:
    """Say which tenants each conflict touches, as far as they were evaluated."""
    wanted = {
        (rows[key].pk, tenant_id) for key, conflict in found.items() for tenant_id in conflict.tenant_ids
    }
    touched = ConflictTenant.objects.filter(group=group)
    if tenant_ids is not None:
        touched = touched.filter(tenant_id__in=list(tenant_ids))
    present = {(row.conflict_id, row.tenant_id): row.pk for row in touched}
    gone = [pk for pair, pk in present.items() if pair not in wanted]
    ConflictTenant.objects.filter(pk__in=gone).delete()
    ConflictTenant.objects.bulk_create(
        ConflictTenant(group=group, conflict_id=conflict_id, tenant_id=tenant_id)
        for conflict_id, tenant_id in sorted(wanted - present.keys(), key=str)
    )


def _close(group: Group, at: datetime) -> list[Conflict]:
    """Close the conflicts that touch no tenant any more."""
    gone = list(Conflict.objects.filter(group=group).standing().filter(touched__isnull=True))
    Conflict.objects.filter(pk__in=[row.pk for row in gone]).update(status=Status.CLOSED, closed_at=at)
    return gone


def _record(action: Action, row: Conflict, tenant_ids: Collection[int]) -> ledger.Record:
    tenants = Tenant.objects.filter(pk__in=tenant_ids).order_by("key").values_list("key", flat=True)
    return ledger.Record(
        action=action,
        subject_kind="conflict",
        subject_id=str(row.pk),
        subject_label=str(row),
        data={
            "fingerprint": row.fingerprint,
            "plugin": row.plugin.name,
            "rules": [f"{rule['policy']}/{rule['key']}" for rule in row.explanation["rules"]],
            "tenants": list(tenants),
        },
    )


def explanation(unsettled: Unsettled, names: Mapping[int, str]) -> dict[str, Any]:
    """Why there is no way, as a conflict keeps it. `names` are those of the components."""
    return {
        "summary": unsettled.summary,
        "stuck": [names[component] for component in unsettled.stuck],
        "rules": [_said(saying, names) for saying in unsettled.rules],
        "chain": list(unsettled.chain),
        "sets": [
            {
                "rules": [_said(saying, names) for saying in one.rules],
                "chain": list(one.chain),
                "links": [link.as_json() for link in one.links],
            }
            for one in unsettled.sets
        ],
        "complete": unsettled.complete,
        "proved": unsettled.proved,
    }


def _said(saying: Saying, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "policy": saying.policy,
        "key": saying.key,
        "kind": saying.kind,
        "plugin": names[saying.component],
        "says": saying.says,
        "weight": saying.weight,
    }


def ways_out(unsettled: Unsettled, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """What could be set aside, as a conflict keeps it."""
    return [
        {
            "kind": "set_aside",
            "rule": "/".join(way.rules[0]),
            "policy": way.rules[0][0],
            "key": way.rules[0][1],
            "set_aside": [{"policy": policy, "key": key} for policy, key in way.rules],
            "rules": _aside(way, names),
            "says": way.says,
            "weight": way.weight,
        }
        for way in unsettled.ways_out
    ]


def _aside(way: WayOut, names: Mapping[int, str]) -> list[dict[str, Any]]:
    """Each rule that a way out sets aside, with the plugins concerned and where these go then."""
    rules: dict[tuple[str, str], dict[str, Any]] = {}
    for saying in way.aside:
        about = {"policy": saying.policy, "key": saying.key, "kind": saying.kind, "plugins": []}
        to = way.goes[saying.component]
        plugin = {"plugin": names[saying.component], "to": to.version if to is not None else None}
        rules.setdefault(saying.rule, about)["plugins"].append(plugin)
    return list(rules.values())
