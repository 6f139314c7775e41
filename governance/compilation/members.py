"""The tenants that selections choose, kept as rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.db import connection
from django.db.models import F, QuerySet

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
# By hand, as each changed manifest asks it.
_MEMBERS = """
SELECT s.id, s.digest, m.tenant_id, m.id
FROM governance_selection s
LEFT JOIN governance_selectiontenant m
  ON m.selection_id = s.id AND m.tenant_id = ANY (%(tenants)s::bigint[])
WHERE s.id IN (
    SELECT r.selection_id FROM governance_policy p JOIN governance_rule r ON r.version_id = p.current_id
    WHERE r.group_id = %(group)s)
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
    # Without their documents, which may be long.
    candidates = _in_use(group_id).defer("document") if chosen is None else chosen
    stale = [selection for selection in candidates if selection.tenants_digest != digest]
    if not stale:
        return
    tenants = _tenants(group_id)
    documents = _documents({selection.pk: selection.digest for selection in stale})
    changed = [one.pk for one in stale if _write(one.pk, documents[one.digest], tenants)]
    if changed and len(tenants) > _MANY:
        staging.look_again(SelectionTenant)
    Selection.objects.filter(pk__in=[selection.pk for selection in stale]).update(tenants_digest=digest)
    Rule.objects.filter(selection_id__in=changed).update(detected=False)


def settle_tenants(group_id: int, tenant_ids: Collection[int]) -> None:
    """Bring the selections in use up to date with these tenants alone."""
    tenants = _tenants(group_id, tenant_ids)
    in_question, present = _members(group_id, tenant_ids)
    documents = _documents(in_question)
    wanted = {
        (selection, tenant.id)
        for selection, digest in in_question.items()
        for tenant in tenants
        if selections.chooses(documents[digest], tenant)
    }
    if gone := [pk for pair, pk in present.items() if pair not in wanted]:
        SelectionTenant.objects.filter(pk__in=gone).delete()
    if new := sorted(wanted - present.keys()):
        SelectionTenant.objects.bulk_create(
            (SelectionTenant(selection_id=selection, tenant_id=tenant) for selection, tenant in new),
            ignore_conflicts=True,
        )


def _members(group_id: int, tenant_ids: Collection[int]) -> tuple[dict[int, str], dict[tuple[int, int], int]]:
    """The digests of the selections in use, and the rows by which they choose these tenants."""
    with connection.cursor() as cursor:
        cursor.execute(_MEMBERS, {"group": group_id, "tenants": list(tenant_ids)})
        rows = cursor.fetchall()
    digests = {selection: digest for selection, digest, _, _ in rows}
    return digests, {(selection, tenant): pk for selection, _, tenant, pk in rows if pk is not None}


def _in_use(group_id: int) -> QuerySet[Selection]:
    """The selections of the policies' current versions."""
    current = Rule.objects.filter(group_id=group_id, version_id=F("policy__current_id"))
    return Selection.objects.filter(pk__in=current.values("selection_id"))


_KEPT = 10_000
_known: dict[str, dict[str, Any]] = {}  # documents by their digests, which stand for nothing else ever


def _documents(digests: Mapping[int, str]) -> dict[str, dict[str, Any]]:
    """The documents of the selections by digest; a process reads each once, for every change asks for it."""
    if len(_known) > _KEPT:
        _known.clear()
    if missing := [selection for selection, digest in digests.items() if digest not in _known]:
        _known.update(Selection.objects.filter(pk__in=missing).values_list("digest", "document"))
    return {digest: _known[digest] for digest in digests.values()}


def _write(selection: int, document: dict[str, Any], tenants: list[TenantFacts]) -> bool:
    """Write the selection's members; whether that changed any."""
    ids = [tenant.id for tenant in tenants if selections.chooses(document, tenant)]
    with connection.cursor() as cursor:
        cursor.execute(_LEAVE, [selection, ids])
        left = cursor.rowcount
        cursor.execute(_JOIN, [selection, ids])
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
