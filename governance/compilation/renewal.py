"""Compiled rules kept up with what they were compiled from: the catalogue, the tenants, the time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from governance.compilation import judgements, members
from governance.compilation.policies import compile_version
from governance.compilation.standing import current_rules
from governance.models import Installation, PolicyVersion, Rule
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


# Up to so many tenants are looked at whole when a release is judged otherwise; else the rule is, everywhere.
_FEW = 200


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
    renew_due(group.pk, at)
    _leave(_judge_stale(group.pk, at, plugins or ()))
    # What these choose for themselves follows from the other rules and the catalogue.
    current_rules(group.pk).filter(kind=RuleKind.SAME, spec={}).update(detected=False)


def renew_due(group_id: int, at: datetime) -> None:
    """Compile the policies with rules that time alone made stale."""
    current = current_rules(group_id)
    due = PolicyVersion.objects.filter(pk__in=current.filter(recompile_at__lte=at).values("version_id"))
    for version in due.select_related("policy__group"):
        compile_version(version, at=at)


def renew_stale(group_id: int, at: datetime) -> frozenset[int] | None:
    """Compile rules against the releases that they haven't seen as they stand. None if there are none.

    The tenants for which that makes a difference; if they are many, the rules are left to be detected.
    """
    changed = _judge_stale(group_id, at)
    if changed is None:
        return None
    rows = Installation.objects.current().filter(
        group_id=group_id, release_id__in={release for _, release in changed}
    )
    tenants = frozenset(rows.values_list("tenant_id", flat=True).distinct().order_by()[: _FEW + 1])
    if len(tenants) <= _FEW:
        return tenants
    _leave(changed)
    return frozenset()


def _judge_stale(
    group_id: int, at: datetime, plugins: Collection[int] = ()
) -> frozenset[tuple[int, int]] | None:
    stale = _uncompiled(group_id) | set(plugins)
    if not stale:
        return None
    touched = current_rules(group_id).filter(Q(plugins__overlap=sorted(stale)) | Q(plugins=[]))
    return judgements.judge(list(touched), at=at, plugin_ids=stale)


def _leave(changed: Iterable[tuple[int, int]] | None) -> None:
    """Leave the rules to be detected."""
    Rule.objects.filter(pk__in={rule for rule, _ in changed or ()}).update(detected=False)


def _uncompiled(group_id: int) -> set[int]:
    """The plugins with releases that the rules haven't seen as they stand; from now on they have."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_UNCOMPILED, [group_id])
        return {plugin_id for (plugin_id,) in cursor.fetchall()}
