"""How what a tenant runs came about: the changes that each snapshot sealed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Q, QuerySet

from governance.models import Installation, Release, Snapshot
from tenants.models import Tenant


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
