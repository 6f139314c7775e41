"""The big red button: nothing of a group is handed over until someone lets it go on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from tenants.models import Group


class AlreadySo(Exception):
    """The group is halted already, or isn't."""

    def __init__(self, group: Group, *, halted: bool) -> None:
        super().__init__(f"{group} is halted already." if halted else f"{group} isn’t halted.")


@transaction.atomic
def halt(group: Group, *, reason: str, actor: Actor, at: datetime) -> None:
    """Hand nothing more over, of any plan. What was handed over goes on. Raises AlreadySo."""
    _wait_for_others(group)
    said = {"halted_at": at, "halted_by_name": actor.name, "halt_reason": reason}
    if not Group.objects.filter(pk=group.pk, halted_at__isnull=True).update(**said):
        raise AlreadySo(group, halted=True)
    group.refresh_from_db()
    ledger.record(Action.GROUP_HALTED, subject=group, actor=actor, at=at, data={"reason": reason})


@transaction.atomic
def release(group: Group, *, reason: str, actor: Actor, at: datetime) -> None:
    """Let the running plans go on. Raises AlreadySo."""
    _wait_for_others(group)
    halted = Group.objects.filter(pk=group.pk, halted_at__isnull=False)
    if not halted.update(halted_at=None, halted_by_name="", halt_reason=""):
        raise AlreadySo(group, halted=False)
    group.refresh_from_db()
    ledger.record(Action.GROUP_RELEASED, subject=group, actor=actor, at=at, data={"reason": reason})


def in_words(group: Group) -> str:
    """Why nothing is handed over; empty while the group isn't halted."""
    if group.halted_at is None:
        return ""
    return f"All hand-overs were stopped by {group.halted_by_name}: {group.halt_reason}"[:300]


def _wait_for_others(group: Group) -> None:
    """Whoever is handing over ends first. The group's row before the ledger's lock, as whoever seals does."""
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    ledger.hold(group.pk)
