"""Messages brought to people outside of the console: at most so many in an hour, none in their quiet hours.

The console's inbox has each message at once. By other channels, what waits for one reader goes as one message
when it may. Nothing is dropped but what its reader no longer reaches when its time comes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.db import transaction

from audit import outbox
from audit.models.outbox import Destination
from governance import mails, pacing, rates, readers
from governance.models import Notification, Parcel
from governance.pacing import Verdict
from governance.readers import Reader
from governance.reminders import quiet_hours
from tenants import chats, preferences
from tenants.models import Group, Preferences, User
from tenants.models.preferences import Channel

log = structlog.get_logger("plumbline.parcels")

OUTSIDE = (Channel.EMAIL, Channel.CHAT)
_MOST_AT_A_TIME = 500  # readers


@dataclass(frozen=True, slots=True)
class _Way:
    """One reader by one channel in one group: what goes that way goes together."""

    group_id: int
    user_id: int
    channel: str


@transaction.atomic
def hand_over(messages: Iterable[Notification], *, urgent: bool, at: datetime) -> None:
    """Bring new messages to their readers by the channels that they chose, now or when it may be."""
    new = list(messages)
    wishes = preferences.of_people(message.user_id for message in new)
    parcels = [
        Parcel(
            group_id=message.group_id,
            user_id=message.user_id,
            notification=message,
            channel=channel,
            urgent=urgent,
            created_at=at,
            held_until=at,
        )
        for message in new
        for channel in OUTSIDE
        if channel in wishes[message.user_id].channels and (channel != Channel.EMAIL or message.user.email)
    ]
    Parcel.objects.bulk_create(parcels, ignore_conflicts=True)
    _send({_Way(one.group_id, one.user_id, one.channel) for one in parcels}, at)


@transaction.atomic
def send_due(group: Group, *, at: datetime) -> int:
    """Bring what has waited long enough; how many readers were brought something."""
    due = Parcel.objects.waiting().filter(group=group, held_until__lte=at)
    ways = due.values_list("group_id", "user_id", "channel").distinct().order_by("user_id", "channel")
    return _send({_Way(*way) for way in ways[:_MOST_AT_A_TIME]}, at)


def _send(ways: Collection[_Way], at: datetime) -> int:
    # One sender a reader at a time, so that two don't each think theirs is the last that the rate allows.
    # Not against those who refer to the reader, as both of two messages that arrive together do.
    ids = sorted({way.user_id for way in ways})
    locked = User.objects.select_for_update(no_key=True).filter(pk__in=ids).order_by("pk")
    people = {user.pk: user for user in locked}
    wishes, reached = preferences.of_people(ids), _readers(ways, people)
    lately = rates.sent({way.channel for way in ways}, ids, at=at)
    sent = 0
    for way in sorted(ways, key=lambda one: (one.user_id, one.group_id, one.channel)):
        waiting = _still_reached(_waiting(way), reached.get((way.group_id, way.user_id)))
        verdict = _verdict(way, waiting, wishes[way.user_id], lately, at)
        rows = Parcel.objects.filter(pk__in=[one.pk for one in waiting])
        if verdict.because is not None:
            rows.update(held_until=verdict.at, held_because=verdict.because)
        elif waiting:
            _post(way, waiting, people[way.user_id], wishes[way.user_id], at)
            rows.update(sent_at=at, held_because="")
            lately.note(way.channel, (way.group_id, way.user_id, at))
            sent += 1
    return sent


def _waiting(way: _Way) -> Iterable[Parcel]:
    rows = Parcel.objects.waiting().filter(group_id=way.group_id, user_id=way.user_id, channel=way.channel)
    return rows.select_related("notification", "notification__tenant", "group").order_by("created_at", "pk")


def _readers(ways: Collection[_Way], people: Mapping[int, User]) -> dict[tuple[int, int], Reader]:
    """What they reach now, by group and person: a parcel may have waited for hours."""
    found = {}
    for group_id in {way.group_id for way in ways}:
        names = [people[way.user_id].username for way in ways if way.group_id == group_id]
        for reader in readers.of_group(group_id, names=names).values():
            found[group_id, reader.user.pk] = reader
    return found


def _still_reached(waiting: Iterable[Parcel], reader: Reader | None) -> list[Parcel]:
    """What may still be told to the reader; the rest is dropped."""
    kept: list[Parcel] = []
    gone: list[Parcel] = []
    for parcel in waiting:
        reached = reader is not None and not reader.beyond(readers.tenants_in(parcel.notification))
        (kept if reached else gone).append(parcel)
    if gone:
        Parcel.objects.filter(pk__in=[parcel.pk for parcel in gone]).delete()
        log.info("parcels.out_of_reach", user=gone[0].user_id, group=gone[0].group_id, dropped=len(gone))
    return kept


def _verdict(
    way: _Way, waiting: Collection[Parcel], wishes: Preferences, lately: rates.Sent, at: datetime
) -> Verdict:
    urgent = any(one.urgent for one in waiting)
    found = pacing.verdict(at=at, quiet=quiet_hours(wishes), urgent=urgent)
    return found if found.because is not None else lately.verdict(way.channel, way.user_id, at=at)


def _post(way: _Way, parcels: Collection[Parcel], user: User, wishes: Preferences, at: datetime) -> None:
    """One message of all that waits, told apart by the first of them."""
    messages = [parcel.notification for parcel in parcels]
    first = next(iter(parcels))
    if way.channel == Channel.CHAT:
        told = mails.in_short(messages, first.group, language=wishes.language)
        key = first.notification.key
        chats.post_to_person(user, group_id=way.group_id, key=key, at=at, **told)
        return
    outbox.post(
        Destination.EMAIL,
        mails.compose(messages, first.group, language=wishes.language),
        group_id=way.group_id,
        idempotency_key=f"mail-{first.notification.key}",
        address=user.email,
        at=at,
    )
