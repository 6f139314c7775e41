"""Compiled rules kept up with what they were compiled from: the catalogue, the tenants, the time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from governance.compilation import judgements, members
from governance.compilation.policies import compile_version
from governance.compilation.standing import current_rules
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
    renew_due(group_id, at)
    renew_stale(group_id, at, plugins)


def renew_due(group_id: int, at: datetime) -> None:
    """Compile the policies with rules that time alone made stale."""
    current = current_rules(group_id)
    due = PolicyVersion.objects.filter(pk__in=current.filter(recompile_at__lte=at).values("version_id"))
    versions = list(due.select_related("policy__group"))
    for version in versions:
        compile_version(version, at=at)
    if versions:
        _rethink_targets(group_id)


def renew_stale(group_id: int, at: datetime, plugins: Collection[int] = ()) -> bool:
    """Compile rules against the releases that they haven't seen as they stand; whether there were any."""
    stale = _uncompiled(group_id) | set(plugins)
    if not stale:
        return False
    touched = current_rules(group_id).filter(Q(plugins__overlap=sorted(stale)) | Q(plugins=[]))
    changed = judgements.judge(list(touched), at=at, plugin_ids=stale)
    Rule.objects.filter(pk__in=changed).update(detected=False)
    _rethink_targets(group_id)
    return True


def _rethink_targets(group_id: int) -> None:
    """What rules choose for themselves follows from the other rules and the catalogue."""
    current_rules(group_id).filter(kind=RuleKind.SAME, spec={}).update(detected=False)


def _uncompiled(group_id: int) -> set[int]:
    """The plugins with releases that the rules haven't seen as they stand; from now on they have."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_UNCOMPILED, [group_id])
        return {plugin_id for (plugin_id,) in cursor.fetchall()}
