"""The tenants that selections choose, kept as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import F

from governance import selections, staging
from governance.models import Rule, Selection, SelectionTenant
from governance.selections import TenantFacts
from tenants.models import Tenant

# `md5` only tells one state of the tenants from another; nobody gains by two that look alike.
_DIGEST = """
SELECT coalesce(md5(string_agg(
    concat_ws('|', id, key, tier, labels, active), E'\\n' ORDER BY id)), 'none')
FROM tenants_tenant WHERE group_id = %s
"""
_MANY = 1_000  # tenants, from which on what was known of the table of members is no guide
_LEAVE = "DELETE FROM governance_selectiontenant WHERE selection_id = %s AND tenant_id <> ALL (%s::bigint[])"
_JOIN = """
INSERT INTO governance_selectiontenant (selection_id, tenant_id)
SELECT %s, unnest(%s::bigint[]) ON CONFLICT DO NOTHING
"""


def selection_of(group_id: int, document: dict[str, Any]) -> Selection:
    """The selection that the document describes; its members are chosen by `settle`."""
    found, _ = Selection.objects.get_or_create(
        group_id=group_id, digest=selections.digest(document), defaults={"document": document}
    )
    return found


def settle(group_id: int, chosen: Iterable[Selection] | None = None) -> None:
    """Bring selections, or all in use, up to date with the group's tenants, if these are others than before.

    Rules that come to choose other tenants by that are left to be detected.
    """
    digest = _tenants_digest(group_id)
    stale = [s for s in (in_use(group_id) if chosen is None else chosen) if s.tenants_digest != digest]
    if not stale:
        return
    tenants = _tenants(group_id)
    _documents(stale)  # all at once
    changed = [selection.pk for selection in stale if _write(selection, tenants)]
    if changed and len(tenants) > _MANY:
        staging.look_again(SelectionTenant)
    Selection.objects.filter(pk__in=[selection.pk for selection in stale]).update(tenants_digest=digest)
    Rule.objects.filter(selection_id__in=changed).update(detected=False)


def settle_tenants(group_id: int, tenant_ids: Collection[int]) -> None:
    """Bring the selections in use up to date with these tenants alone."""
    tenants = _tenants(group_id, tenant_ids)
    in_question = in_use(group_id)
    wanted = {
        (selection.pk, tenant.id)
        for selection, document in zip(in_question, _documents(in_question), strict=True)
        for tenant in tenants
        if selections.chooses(document, tenant)
    }
    rows = SelectionTenant.objects.filter(
        tenant_id__in=list(tenant_ids), selection_id__in=[selection.pk for selection in in_question]
    )
    present = {(row.selection_id, row.tenant_id): row.pk for row in rows}
    if gone := [pk for pair, pk in present.items() if pair not in wanted]:
        SelectionTenant.objects.filter(pk__in=gone).delete()
    if new := sorted(wanted - present.keys()):
        SelectionTenant.objects.bulk_create(
            (SelectionTenant(selection_id=selection, tenant_id=tenant) for selection, tenant in new),
            ignore_conflicts=True,
        )


def in_use(group_id: int) -> list[Selection]:
    """The selections of the policies' current versions, without their documents, which may be long."""
    current = Rule.objects.filter(group_id=group_id, version_id=F("policy__current_id"))
    return list(Selection.objects.filter(pk__in=current.values("selection_id")).defer("document"))


_KEPT = 10_000
_known: dict[str, dict[str, Any]] = {}  # documents by their digests, which stand for nothing else ever


def _documents(some: Collection[Selection]) -> list[dict[str, Any]]:
    """Their documents, in the same order; a process reads each once, for every change asks for it."""
    if len(_known) > _KEPT:
        _known.clear()
    if missing := [selection.pk for selection in some if selection.digest not in _known]:
        _known.update(Selection.objects.filter(pk__in=missing).values_list("digest", "document"))
    return [_known[selection.digest] for selection in some]


def _write(selection: Selection, tenants: list[TenantFacts]) -> bool:
    """Write the selection's members; whether that changed any."""
    [document] = _documents([selection])
    ids = [tenant.id for tenant in tenants if selections.chooses(document, tenant)]
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, [selection.pk, ids])
        left = cursor.rowcount
        cursor.execute(_JOIN, [selection.pk, ids])
        return bool(left or cursor.rowcount)


def _tenants(group_id: int, tenant_ids: Collection[int] | None = None) -> list[TenantFacts]:
    rows = Tenant.objects.filter(group_id=group_id)
    if tenant_ids is not None:
        rows = rows.filter(pk__in=list(tenant_ids))
    return [TenantFacts(*row) for row in rows.values_list("pk", "key", "tier", "labels", "active")]


def _tenants_digest(group_id: int) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_DIGEST, [group_id])
        return str(cursor.fetchone()[0])
