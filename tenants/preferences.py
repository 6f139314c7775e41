"""How people want to be told: read where a message is written or sent, changed by themselves alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from tenants import chat_addresses
from tenants.models import Membership, Preferences, User


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person chooses. `chat` None leaves the address that is kept, "" forgets it."""

    language: str
    time_zone: str
    channels: Sequence[str]
    quiet_from: time | None = None
    quiet_until: time | None = None
    chat: str | None = None


def of(user: User) -> Preferences:
    """The person's preferences, the defaults for who has chosen none."""
    return of_people([user.pk])[user.pk]


def of_people(user_ids: Iterable[int]) -> dict[int, Preferences]:
    """Everybody's preferences by their id, in one read."""
    wanted = set(user_ids)
    found = {row.user_id: row for row in Preferences.objects.filter(user__in=wanted)}
    return {pk: found.get(pk) or Preferences(user_id=pk) for pk in wanted}


@transaction.atomic
def change(user: User, wanted: Wanted, *, actor: Actor, at: datetime) -> Preferences:
    """Take over what the person chooses; said again, it changes nothing. Raises AddressRefused.

    Every group that the person belongs to has it in its ledger, without the chat address: it holds secrets.
    """
    row, _ = Preferences.objects.select_for_update().get_or_create(user=user)
    before = _values(row)
    row.language, row.time_zone, row.channels = wanted.language, wanted.time_zone, list(wanted.channels)
    row.quiet_from, row.quiet_until = wanted.quiet_from, wanted.quiet_until
    if wanted.chat:
        chat_addresses.opened(wanted.chat)
    if wanted.chat is not None:
        row.chat = wanted.chat.strip() or None
    after = _values(row)
    if after == before:
        return row
    row.save()
    _record(user, {key: value for key, value in _told(row).items() if before[key] != after[key]}, actor, at)
    return row


def _values(row: Preferences) -> dict[str, Any]:
    names = ("language", "time_zone", "channels", "quiet_from", "quiet_until", "chat")
    return {name: getattr(row, name) for name in names}


def _told(row: Preferences) -> dict[str, Any]:
    """What the ledger may know."""
    return {**_values(row), "chat": chat_addresses.kind(row.chat) if row.chat else None}


def _record(user: User, changed: dict[str, Any], actor: Actor, at: datetime) -> None:
    groups = Membership.objects.filter(user=user).order_by("group_id").values_list("group_id", flat=True)
    said = ledger.Record(
        Action.PREFERENCES_CHANGED, "preferences", str(user.pk), user.username, None, changed
    )
    for group_id in groups.distinct():  # in one order, so that two such changes can't wait for each other
        ledger.record_many([said], group_id=group_id, actor=actor, at=at)
