"""Compiled rules kept up with what they were compiled from: the catalogue, the tenants, the time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet

from governance.compilation import judgements, members
from governance.compilation.policies import compile_version
from governance.models import PolicyVersion, Rule
from governance.models.rule import RuleKind
from tenants.models import Group

# Rows that someone is writing now will be left uncompiled by that transaction too: no need to wait for it.
_CLAIM_UNCOMPILED = """
UPDATE governance_release SET compiled = true
WHERE id IN (
    SELECT id FROM governance_release WHERE group_id = %s AND NOT compiled FOR NO KEY UPDATE SKIP LOCKED
)
RETURNING plugin_id
"""


@transaction.atomic
def recompile(
    group: Group,
    *,
    at: datetime,
    plugins: Collection[int] | None = None,
    tenants: Collection[int] | None = None,
) -> None:
    """Compile anew what changed with the catalogue, the tenants or the time.

    `plugins` are compiled anew even if nothing says that they changed. Detecting drift does all this by
    itself; it is here for those who want to see the rules before that.
    """
    if tenants is None:
        members.settle(group.pk)
    else:
        members.settle_tenants(group.pk, tenants)
    renew(group.pk, at=at, plugins=plugins or ())


def renew(group_id: int, *, at: datetime, plugins: Collection[int] = ()) -> None:
    """Compile what time or the catalogue made stale, and leave to be detected what may come out otherwise."""
    current = current_rules(group_id)
    due = PolicyVersion.objects.filter(pk__in=current.filter(recompile_at__lte=at).values("version_id"))
    versions = list(due.select_related("policy__group"))
    stale = _uncompiled(group_id) | set(plugins)
    for version in versions:
        compile_version(version, at=at)
    if stale:
        touched = current.filter(Q(plugins__overlap=sorted(stale)) | Q(plugins=[]))
        changed = judgements.judge(list(touched), at=at, plugin_ids=stale)
        Rule.objects.filter(pk__in=changed).update(detected=False)
    if versions or stale:
        # Their targets follow from the other rules and the catalogue.
        current.filter(kind=RuleKind.SAME, spec={}).update(detected=False)


def current_rules(group_id: int) -> QuerySet[Rule]:
    """The rules of the policies' current versions, in force or not."""
    return Rule.objects.filter(group_id=group_id, version_id=F("policy__current_id"))


def _uncompiled(group_id: int) -> set[int]:
    """The plugins with releases that the rules haven't seen as they stand; from now on they have."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_UNCOMPILED, [group_id])
        return {plugin_id for (plugin_id,) in cursor.fetchall()}
