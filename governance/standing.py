"""Which conflicts stand: opened, kept, closed and found again as evaluation meets them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import conflict_wording
from governance.conflict_wording import Goes
from governance.models import Conflict, ConflictTenant
from governance.outcomes import Precedent, Precedents, TenantOutcome
from governance.resolution import Unsettled
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
    """A conflict by the tenants that it touches: they share its rules, not their versions."""

    tenants: dict[int, Unsettled] = field(default_factory=dict)
    is_elsewhere: bool = False  # it touches tenants too that weren't looked at

    @property
    def in_common(self) -> Unsettled:
        """What is true in all of them."""
        ordered = (self.tenants[tenant_id] for tenant_id in sorted(self.tenants))
        return conflict_wording.in_common(list({id(one): one for one in ordered}.values()))


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
    if tenant_ids is not None:
        _look_elsewhere(group, found, tenant_ids)
    known = {row.fingerprint: row for row in Conflict.objects.filter(group=group, fingerprint__in=found)}
    come = _come(group, found, known, names, at)
    _touch(group, _wanted(found, known, names), tenant_ids)
    closed = _close(group, at)
    records = list[ledger.Record]()
    for action, rows in come.items():
        records += _records(action, {row: found[row.fingerprint].tenants for row in rows}, names)
    records += _records(Action.CONFLICT_CLOSED, dict.fromkeys(closed, ()), names)
    if records:
        ledger.record_many(records, group_id=group.pk, actor=actor, at=at)
    waiting = Conflict.objects.filter(group=group).waiting().count()
    return Standing(new=len(come[Action.CONFLICT_FOUND]), closed=len(closed), waiting=waiting)


def _come(
    group: Group,
    found: Mapping[str, _Found],
    known: dict[str, Conflict],
    names: Mapping[int, str],
    at: datetime,
) -> dict[Action, list[Conflict]]:
    """Keep what was found, `known` being complete afterwards; the conflicts that weren't there before."""
    come: dict[Action, list[Conflict]] = {Action.CONFLICT_FOUND: [], Action.CONFLICT_RETURNED: []}
    for fingerprint, conflict in sorted(found.items()):
        known[fingerprint], action = _keep(group, known.get(fingerprint), conflict, names, at)
        if action is not None:
            come[action].append(known[fingerprint])
    Conflict.objects.bulk_create(row for row in come[Action.CONFLICT_FOUND] if row._state.adding)
    return come


def _gather(outcomes: Mapping[int, TenantOutcome]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    for tenant_id, result in outcomes.items():
        for unsettled in (*result.outcome.unsettled, *result.decided):
            found.setdefault(unsettled.fingerprint, _Found()).tenants[tenant_id] = unsettled
    return found


def _look_elsewhere(group: Group, found: Mapping[str, _Found], tenant_ids: Collection[int]) -> None:
    touched = ConflictTenant.objects.filter(group=group, conflict__fingerprint__in=found)
    others = touched.exclude(tenant_id__in=list(tenant_ids)).values_list("conflict__fingerprint", flat=True)
    for fingerprint in others.distinct():
        found[fingerprint].is_elsewhere = True


def _keep(
    group: Group, row: Conflict | None, found: _Found, names: Mapping[int, str], at: datetime
) -> tuple[Conflict, Action | None]:
    """The conflict's row as it is to be now, and what the ledger says of it if it wasn't there before.

    A new one isn't saved yet.
    """
    unsettled = found.in_common
    told: dict[str, Any] = {
        "explanation": conflict_wording.explanation(unsettled, names),
        "ways_out": conflict_wording.ways_out(unsettled, names),
    }
    if row is not None and found.is_elsewhere and _agrees(row, told["explanation"]):
        del told["explanation"]  # it is told for tenants too that weren't looked at
    if row is None:
        made = Conflict(
            group=group,
            fingerprint=unsettled.fingerprint,
            plugin_id=unsettled.component,
            found_at=at,
            **told,
        )
        return made, Action.CONFLICT_FOUND
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
    if not came_back:
        return row, None
    return row, Action.CONFLICT_FOUND if row.status == Status.OPEN else Action.CONFLICT_RETURNED


def _agrees(row: Conflict, told: Mapping[str, Any]) -> bool:
    """Whether the conflict is told by the same rules and as fully; the same fingerprint says the rest."""
    return all(row.explanation.get(name) == told[name] for name in ("stuck", "rules", "complete", "proved"))


def _wanted(
    found: Mapping[str, _Found], rows: Mapping[str, Conflict], names: Mapping[int, str]
) -> dict[tuple[UUID, int], Goes]:
    """By conflict and tenant, where the ways out lead there; what tenants share is told once."""
    tellings = {id(one): one for conflict in found.values() for one in conflict.tenants.values()}
    goes = {key: conflict_wording.goes(one, names) for key, one in tellings.items()}
    return {
        (rows[fingerprint].pk, tenant_id): goes[id(one)]
        for fingerprint, conflict in found.items()
        for tenant_id, one in conflict.tenants.items()
    }


def _touch(group: Group, wanted: Mapping[tuple[UUID, int], Goes], tenant_ids: Collection[int] | None) -> None:
    """Say which tenants each conflict touches and how, as far as they were evaluated."""
    touched = ConflictTenant.objects.filter(group=group)
    if tenant_ids is not None:
        touched = touched.filter(tenant_id__in=list(tenant_ids))
    present = {(row.conflict_id, row.tenant_id): row for row in touched}
    gone = [row.pk for pair, row in present.items() if pair not in wanted]
    ConflictTenant.objects.filter(pk__in=gone).delete()
    changed = [row for pair, row in present.items() if pair in wanted and row.goes != wanted[pair]]
    for row in changed:
        row.goes = wanted[row.conflict_id, row.tenant_id]
    ConflictTenant.objects.bulk_update(changed, ["goes"], batch_size=500)
    ConflictTenant.objects.bulk_create(
        ConflictTenant(group=group, conflict_id=conflict_id, tenant_id=tenant_id, goes=goes)
        for (conflict_id, tenant_id), goes in sorted(wanted.items(), key=lambda item: str(item[0]))
        if (conflict_id, tenant_id) not in present
    )


def _close(group: Group, at: datetime) -> list[Conflict]:
    """Close the conflicts that touch no tenant any more."""
    gone = list(Conflict.objects.filter(group=group).standing().filter(touched__isnull=True))
    Conflict.objects.filter(pk__in=[row.pk for row in gone]).update(status=Status.CLOSED, closed_at=at)
    return gone


def _records(
    action: Action, concerned: Mapping[Conflict, Collection[int]], names: Mapping[int, str]
) -> list[ledger.Record]:
    """An entry for each conflict, by the ids of the tenants that it concerns."""
    keys = dict(Tenant.objects.filter(pk__in=set().union(*concerned.values())).values_list("pk", "key"))
    return [
        ledger.Record(
            action=action,
            subject_kind="conflict",
            subject_id=str(row.pk),
            subject_label=str(row),
            data={
                "fingerprint": row.fingerprint,
                "plugin": names[row.plugin_id],
                "rules": [f"{rule['policy']}/{rule['key']}" for rule in row.explanation["rules"]],
                "tenants": sorted(keys[tenant_id] for tenant_id in tenant_ids),
            },
        )
        for row, tenant_ids in concerned.items()
    ]
