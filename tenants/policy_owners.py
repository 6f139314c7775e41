"""Who answers for which policy, as people enter it by hand."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from tenants.models import Group, Membership, Origin, PolicyOwner, Role, User


class NotInReach(Exception):
    """Somebody who can't answer for a policy, since no role of theirs reaches the whole group."""

    def __init__(self, user: User, group: Group) -> None:
        super().__init__(
            f"{user} has no role that reaches all of {group}, and so couldn’t be told of a policy’s drift. "
            "Choose somebody who has one."
        )


@transaction.atomic
def name(group: Group, user: User, policy: str, *, actor: Actor, at: datetime) -> None:
    """Let the person answer for the policy. Said again, it changes nothing. Raises NotInReach."""
    wide = Membership.objects.valid().exclude(role=Role.TENANT_ADMIN)
    if not wide.filter(group=group, user=user).exists():
        raise NotInReach(user, group)
    row, made = PolicyOwner.objects.get_or_create(group=group, user=user, policy=policy, origin=Origin.HAND)
    if made:
        ledger.record(Action.POLICY_OWNER_NAMED, subject=row, actor=actor, at=at, data=_said(row))


@transaction.atomic
def end(row: PolicyOwner, *, actor: Actor, at: datetime) -> None:
    """Let the person answer for it no more."""
    said = ledger.Record(Action.POLICY_OWNER_ENDED, "policyowner", str(row.pk), str(row), data=_said(row))
    gone, _ = PolicyOwner.objects.filter(pk=row.pk).delete()
    if gone:
        ledger.record_many([said], group_id=row.group_id, actor=actor, at=at)


def _said(row: PolicyOwner) -> dict[str, str]:
    return {"person": row.user.username, "policy": row.policy, "origin": row.origin}
