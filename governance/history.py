"""How what a tenant runs came about: the changes that each snapshot sealed, and pasts recorded elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from django.db import transaction
from django.db.models import Q, QuerySet

from config.access import Actor
from governance import locks, manifests, snapshots, staging
from governance.models import Installation, Manifest, Release, Snapshot
from governance.models.snapshot import Trigger
from tenants.models import Group, Tenant


class ChangeKind(StrEnum):
    """What happened to a plugin."""

    ADDED = "added"
    REMOVED = "removed"
    UPGRADED = "upgraded"
    DOWNGRADED = "downgraded"


@dataclass(frozen=True, slots=True)
class Change:
    """One plugin's change in one snapshot."""

    kind: ChangeKind
    plugin: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a past brought. `refused` has index, tenant, field and reason; the index counts in time order."""

    manifests: int
    snapshots: int
    refused: tuple[dict[str, object], ...]


def load(
    group: Group,
    dated: Iterable[manifests.ManifestDocument],
    *,
    actor: Actor,
    at: datetime,
    progress: Callable[[int], None] | None = None,
) -> Loaded:
    """Take dated manifests in the order of their times and seal the group's state at each of these.

    Each time is a transaction of its own: a load that was cut off goes on when it is begun again, and the
    same load again changes nothing. `progress` is told how many manifests are done.
    """
    done, sealed, refused = 0, 0, []
    for moment, documents in groupby(sorted(dated, key=_moment), key=_moment):
        with transaction.atomic():
            locks.sealing(group.pk)
            result = manifests.ingest(group, list(documents), actor=actor, at=at)
            if result.changed_tenant_ids:
                snapshots.seal(group, trigger=Trigger.HISTORY, actor=actor, at=at, sealed_at=moment)
                sealed += 1
        refused += [{**one, "index": one["index"] + done} for one in result.refused]
        done += len(result.accepted) + len(result.refused)
        if progress:
            progress(done)
    if sealed:
        staging.look_again(Installation, Manifest)
    return Loaded(done - len(refused), sealed, tuple(refused))


def _moment(document: manifests.ManifestDocument) -> datetime:
    if document.observed_at is None:
        raise ValueError(f"A manifest of the past needs its time; one of {document.tenant} has none.")
    return document.observed_at


def snapshots_that_changed(tenant: Tenant) -> QuerySet[Snapshot]:
    """The sealed snapshots in which something changed in the tenant."""
    rows = Installation.objects.filter(tenant=tenant)
    numbers = rows.values("since").union(rows.filter(until__isnull=False).values("until"))
    return Snapshot.objects.filter(group_id=tenant.group_id, number__in=numbers)


def changes_of(tenant: Tenant, numbers: Iterable[int]) -> dict[int, list[Change]]:
    """The tenant's changes by snapshot number, with one query, by plugin name."""
    wanted = set(numbers)
    rows = Installation.objects.filter(tenant=tenant).filter(Q(since__in=wanted) | Q(until__in=wanted))
    rows = rows.select_related("plugin", "release").order_by("plugin__name", "since")
    before: dict[tuple[int, str], Release] = {}
    after: dict[tuple[int, str], Release] = {}
    for row in rows:
        after[row.since, row.plugin.name] = row.release
        if row.until is not None:
            before[row.until, row.plugin.name] = row.release
    changes: dict[int, list[Change]] = {number: [] for number in wanted}
    for number, plugin in sorted({*before, *after}):
        if number in wanted:
            change = _change(plugin, before.get((number, plugin)), after.get((number, plugin)))
            changes[number].append(change)
    return changes


def _change(plugin: str, before: Release | None, after: Release | None) -> Change:
    if before is None:
        return Change(ChangeKind.ADDED, plugin, "", str(after))
    if after is None:
        return Change(ChangeKind.REMOVED, plugin, str(before), "")
    kind = ChangeKind.UPGRADED if after.rank > before.rank else ChangeKind.DOWNGRADED
    return Change(kind, plugin, str(before), str(after))
