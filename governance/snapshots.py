"""The sealed states of a group, and what differs between two of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import (
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextChoices,
    Value,
    When,
)

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import locks
from governance.models import Installation, Snapshot
from governance.models.snapshot import Trigger
from tenants.models import Group, Tenant

GENESIS = "0" * 64


class ChangeKind(TextChoices):
    """What happened to a plugin in a tenant from one snapshot to another."""

    ADDED = "added", "Added"
    REMOVED = "removed", "Removed"
    UPGRADED = "upgraded", "Upgraded"
    DOWNGRADED = "downgraded", "Downgraded"
    RESPELT = "respelt", "Equal version, spelt otherwise"


@transaction.atomic
def seal(
    group: Group,
    *,
    trigger: Trigger,
    actor: Actor,
    at: datetime,
    sealed_at: datetime | None = None,
    force: bool = False,
) -> Snapshot:
    """Seal the state of the group under the next number; the last snapshot again if nothing changed since.

    `sealed_at` differs from `at` where the state is one of the past.
    """
    locks.sealing(group.pk)
    number = Group.objects.values_list("open_snapshot", flat=True).get(pk=group.pk)
    last = Snapshot.objects.filter(group=group, number=number - 1).first()
    changes = _changes(group.pk, number, last.digest if last else GENESIS)
    if last and not force and not changes["opened"] and not changes["closed"]:
        return last
    sealed = Snapshot.objects.create(
        group=group,
        number=number,
        sealed_at=sealed_at or at,
        trigger=trigger,
        actor_name=actor.name,
        tenants=_tenants(group.pk),
        installations=(last.installations if last else 0) + changes["opened"] - changes["closed"],
        **changes,
    )
    Group.objects.filter(pk=group.pk).update(open_snapshot=number + 1)
    group.open_snapshot = number + 1
    data = {"number": number, "trigger": str(trigger), **changes}
    ledger.record(Action.SNAPSHOT_SEALED, subject=sealed, actor=actor, at=at, data=data)
    return sealed


def digest_now(group: Group) -> str:
    """The digest that a snapshot would have if it were sealed now: the same before and after the seal."""
    number = Group.objects.values_list("open_snapshot", flat=True).get(pk=group.pk)
    last = Snapshot.objects.filter(group=group, number=number - 1).values_list("digest", flat=True).first()
    changes = _changes(group.pk, number, last or GENESIS)
    return changes["digest"] if changes["opened"] or changes["closed"] or not last else last


def state(group_id: int, number: int) -> QuerySet[Installation]:
    """What every tenant ran in the snapshot of that number; the group's open number stands for now."""
    rows = Installation.objects.filter(group_id=group_id).at(number)
    return rows.select_related("tenant", "plugin", "release")


def compare(group_id: int, older: int, newer: int) -> Any:
    """What differs: a queryset of installations, one per tenant and plugin, with more columns.

    The columns are `from_version`, `to_version` (null where there is none) and `kind`. Typed as Any, since
    the stubs don't see such columns. It costs what changed: only rows that begin or end between the two are
    looked at. The row itself is that of the later snapshot, or of the earlier one where the later has none.
    """
    low, high = sorted((older, newer))
    began = Q(since__gt=low, since__lte=high) & (Q(until__isnull=True) | Q(until__gt=high))
    ended = Q(since__lte=low, until__gt=low, until__lte=high)
    same = Installation.objects.filter(tenant=OuterRef("tenant"), plugin=OuterRef("plugin"))
    replaced = same.at(high).filter(since__gte=OuterRef("until"))
    earlier = same.filter(since__lte=low).order_by("-since")
    rows: Any = Installation.objects.filter(began | (ended & ~Q(Exists(replaced))), group_id=group_id)
    rows = rows.annotate(
        before_version=Subquery(earlier.values(found=_alive(low, "release__version"))[:1]),
        before_rank=Subquery(earlier.values(found=_alive(low, "release__rank"))[:1]),
    )
    # What was taken away and put back in between is where it was.
    rows = rows.filter(
        Q(since__lte=low) | Q(before_version__isnull=True) | ~Q(before_version=F("release__version"))
    )
    later = Case(When(since__gt=low, then=F("release__version")))
    forward = older <= newer
    return rows.annotate(
        from_version=F("before_version") if forward else later,
        to_version=later if forward else F("before_version"),
        kind=_kind(low, *_FORWARD if forward else _BACKWARD),
    ).select_related("tenant", "plugin")


_FORWARD = (ChangeKind.ADDED, ChangeKind.REMOVED, ChangeKind.UPGRADED, ChangeKind.DOWNGRADED)
_BACKWARD = (ChangeKind.REMOVED, ChangeKind.ADDED, ChangeKind.DOWNGRADED, ChangeKind.UPGRADED)


def _alive(number: int, column: str) -> Case:
    """The column of a row that began by the snapshot of that number, if it hadn't ended."""
    return Case(When(Q(until__isnull=True) | Q(until__gt=number), then=F(column)))


def _kind(low: int, came: ChangeKind, went: ChangeKind, rose: ChangeKind, fell: ChangeKind) -> Case:
    return Case(
        When(since__lte=low, then=Value(went.value)),
        When(before_rank__isnull=True, then=Value(came.value)),
        When(before_rank__lt=F("release__rank"), then=Value(rose.value)),
        When(before_rank__gt=F("release__rank"), then=Value(fell.value)),
        default=Value(ChangeKind.RESPELT.value),
    )


def _changes(group_id: int, number: int, previous: str) -> dict[str, Any]:
    """What was `opened` and `closed` since, counted, and the `digest` over it and the snapshot before."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGES, {"group": group_id, "number": number, "previous": previous})
        digest, opened, closed = cursor.fetchone()
    return {"digest": digest, "opened": opened, "closed": closed}


def _tenants(group_id: int) -> int:
    """How many tenants run anything."""
    current = Installation.objects.current().filter(tenant=OuterRef("pk"))
    return Tenant.objects.filter(Exists(current), group_id=group_id).count()


# Names and versions rather than ids, so that a copy of the group elsewhere has the same digests; a digest per
# tenant first, since no text in PostgreSQL may be longer than a gigabyte.
_CHANGES = """
WITH changed AS (
    SELECT '+' AS sign, tenant_id, plugin_id, release_id
    FROM governance_installation WHERE group_id = %(group)s AND since = %(number)s
    UNION ALL
    SELECT '-', tenant_id, plugin_id, release_id
    FROM governance_installation WHERE group_id = %(group)s AND until = %(number)s
), line AS (
    SELECT tenant_id, sign, sign || json_build_array(plugin.name, release.version)::text AS text
    FROM changed
    JOIN governance_plugin AS plugin ON plugin.id = changed.plugin_id
    JOIN governance_release AS release ON release.id = changed.release_id
), part AS (
    SELECT
        json_build_array(
            tenant.key,
            encode(sha256(convert_to(string_agg(text, chr(10) ORDER BY text COLLATE "C"), 'UTF8')), 'hex')
        )::text AS text,
        count(*) FILTER (WHERE sign = '+') AS opened,
        count(*) FILTER (WHERE sign = '-') AS closed
    FROM line
    JOIN tenants_tenant AS tenant ON tenant.id = line.tenant_id
    GROUP BY tenant.key
)
SELECT
    encode(sha256(convert_to(
        concat_ws(chr(10), %(previous)s, string_agg(text, chr(10) ORDER BY text COLLATE "C")), 'UTF8'
    )), 'hex'),
    COALESCE(sum(opened), 0)::integer,
    COALESCE(sum(closed), 0)::integer
FROM part
"""
