"""The two feature flags of a group, and the refusal when one is off."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from tenants.models import Group

GOVERNANCE = "plugin-version-governance"  # all of it
SYNC = "plugin-multi-tenant-sync"  # anything that changes a tenant

_REFUSED = {
    GOVERNANCE: "nothing is collected, evaluated or planned",
    SYNC: "no tenant is changed",
}
_FIELDS = {GOVERNANCE: "governance_enabled", SYNC: "sync_enabled"}
NAMES = tuple(_FIELDS)


class FlagOff(Exception):
    """What was asked for is switched off in the group."""

    def __init__(self, flag: str, group: Group) -> None:
        self.flag = flag
        super().__init__(
            f"The feature flag {flag} is off for {group}: {_REFUSED[flag]} until someone switches it on."
        )


def require_governance(group: Group) -> None:
    """Raise FlagOff unless plugin-version-governance is on."""
    if not group.governance_enabled:
        raise FlagOff(GOVERNANCE, group)


def require_sync(group: Group) -> None:
    """Raise FlagOff unless both flags are on: without governance nothing says what to change."""
    require_governance(group)
    if not group.sync_enabled:
        raise FlagOff(SYNC, group)


@transaction.atomic
def switch(group: Group, flag: str, *, on: bool, actor: Actor, at: datetime) -> bool:
    """Switch one of NAMES, and say whether it stood otherwise before."""
    field = _FIELDS[flag]
    changed = bool(Group.objects.filter(pk=group.pk, **{field: not on}).update(**{field: on}))
    setattr(group, field, on)
    if changed:
        data = {"flag": flag, "on": on}
        ledger.record(Action.FLAG_CHANGED, subject=group, actor=actor, at=at, data=data)
    return changed


def states(group: Group) -> dict[str, bool]:
    """Whether each flag is on."""
    return {flag: bool(getattr(group, field)) for flag, field in _FIELDS.items()}
