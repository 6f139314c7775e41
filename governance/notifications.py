"""Messages to the people concerned: one digest a person and run, an inbox, and e-mail.

Digests leave by the outbound contract `POST /internal/notify/version`; `receive` is our own end of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.dateparse import parse_datetime

from audit import ledger
from audit.actions import Action
from audit.models import OutboxMessage
from audit.senders import Undeliverable
from config.access import Access, Actor
from governance import parcels, readers, reminders
from governance.models import Notification, Run
from governance.readers import Reader
from tenants import links, preferences
from tenants.models import Channel, Group, Tenant

_LARGEST = 2**63 - 1  # that a number of a record can be
_LINKS = ("https://", "http://", "/")


class NotificationRefused(Undeliverable):
    """A message that isn't as the contract has it; sent again it would be refused again."""

    def __init__(self, field: str, reason: str) -> None:
        self.field, self.reason = field, reason
        super().__init__(f"{field}: {reason}")


def send_digests(run: Run, *, at: datetime) -> int:
    """Write one digest to each person concerned; how many the run has written, also when asked again."""
    reminders.send(run.group, at=at, run=run, policy_names=run.policy_names)
    return OutboxMessage.objects.filter(idempotency_key__startswith=f"digest-run-{run.pk}-").count()


@transaction.atomic
def receive(
    group_id: int, payload: Mapping[str, Any], *, idempotency_key: str, at: datetime, trusted: bool = False
) -> dict[str, Any]:
    """Put messages into their readers' inboxes and bring them by the channels that these chose.

    The same `key` again changes nothing. Each recipient is judged alone; the answer names those refused and
    why: people who don't belong to the group, and anything about a tenant that the reader doesn't reach. Mail
    goes to the address that Plumbline knows of the person, whatever the message names. Only what is
    `trusted`, since Plumbline wrote it, may hold HTML or be urgent. Raises NotificationRefused.
    """
    group = Group.objects.get(pk=group_id)
    kind, recipients = _checked(payload)
    known = readers.of_group(group_id, names=[recipient["user"] for recipient in recipients])
    accepted: list[Notification] = []
    refused: list[dict[str, Any]] = []
    for index, recipient in enumerate(recipients):
        try:
            key = str(recipient.get("key") or f"{idempotency_key}-{recipient['user']}")
            message = _message(group, kind, recipient, known, key, at)
            if trusted:
                message.content["html"] = str(recipient.get("html") or "")
        except NotificationRefused as refusal:
            refused.append({"index": index, "user": recipient["user"], "reason": str(refusal)})
        else:
            accepted.append(message)
    new = _stored(accepted)
    urgent = trusted and any(recipient.get("urgent") for recipient in recipients)
    _keep_unseen(new, at)
    parcels.hand_over(new, urgent=urgent, at=at)
    told = [{"user": message.user.username, "repeated": message not in new} for message in accepted]
    return {"accepted": told, "refused": refused}


def mark_read(notification: Notification, *, at: datetime) -> None:
    """Note that its reader has seen it; the first time counts."""
    Notification.objects.filter(pk=notification.pk).unread().update(read_at=at)


def mark_all_read(access: Access, *, at: datetime) -> int:
    """Note that the actor has seen all messages in the group; how many were unread."""
    return Notification.objects.within(access).unread().update(read_at=at)


@transaction.atomic
def acknowledge(notification: Notification, *, actor: Actor, at: datetime) -> None:
    """Note that its reader takes it up. Said once, it stays said."""
    rows = Notification.objects.filter(pk=notification.pk, acknowledged_at__isnull=True)
    if not rows.update(acknowledged_at=at):
        return
    mark_read(notification, at=at)
    notification.acknowledged_at = at
    data = {"due_at": notification.due_at, "received_at": notification.created_at}
    ledger.record(Action.REMINDER_ACKNOWLEDGED, subject=notification, actor=actor, at=at, data=data)


def unread_count(access: Access) -> int:
    """How many of the actor's messages in this group are unread."""
    return Notification.objects.within(access).unread().count()


def finding_of(line: Mapping[str, Any]) -> int | None:
    """The number of the finding that a line is about, if it names one."""
    number = line.get("finding")
    return number if type(number) is int and 0 < number <= _LARGEST else None


def _checked(payload: Mapping[str, Any]) -> tuple[str, list[Mapping[str, Any]]]:
    kind, recipients = payload.get("kind"), payload.get("recipients")
    if kind not in Notification.Kind.values:
        raise NotificationRefused("kind", f"is none of {', '.join(Notification.Kind.values)}")
    if not isinstance(recipients, list) or not recipients:
        raise NotificationRefused("recipients", "is not a list of recipients")
    for index, recipient in enumerate(recipients):
        for name in ("user", "subject", "text"):
            if not isinstance(recipient, dict) or not isinstance(recipient.get(name), str):
                raise NotificationRefused(f"recipients[{index}].{name}", "is missing or not a text")
    return kind, recipients


def _message(
    group: Group,
    kind: str,
    recipient: Mapping[str, Any],
    known: Mapping[str, Reader],
    key: str,
    at: datetime,
) -> Notification:
    reader = known.get(recipient["user"])
    if reader is None:
        raise NotificationRefused("user", f"nobody of that name belongs to {group}")
    lines = _lines(recipient)
    link = str(recipient.get("link") or "")
    if link and not link.startswith(_LINKS):
        raise NotificationRefused("link", "is not an http address")
    return Notification(
        group=group,
        user=reader.user,
        tenant=_reached(reader, recipient.get("tenant"), lines, group),
        kind=kind,
        key=f"{group.pk}-{hashlib.sha256(f'{reader.user.pk} {key}'.encode()).hexdigest()}",
        subject=" ".join(recipient["subject"].split())[:300],
        body=recipient["text"],
        link=links.within(link, user=reader.user)[:500],
        content={"lines": lines, "link": link[:500]},
        due_at=_time("due_at", recipient.get("due_at")),
        created_at=at,
    )


def _lines(recipient: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What the inbox shows as a table. Raises NotificationRefused for what it couldn't show."""
    lines = recipient.get("lines") or []
    if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
        raise NotificationRefused("lines", "is not a list of objects")
    for index, line in enumerate(lines):
        _time(f"lines[{index}].due_at", line.get("due_at"))
        if line.get("finding") and finding_of(line) is None:
            raise NotificationRefused(f"lines[{index}].finding", "is not the number of a finding")
    return lines


def _time(field: str, text: Any) -> datetime | None:
    if not text:
        return None
    try:
        time = parse_datetime(str(text))
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise NotificationRefused(field, "is not a time with its offset")
    return time


def _reached(reader: Reader, key: Any, lines: list[Mapping[str, Any]], group: Group) -> Tenant | None:
    """The tenant that the message is about. Raises NotificationRefused if it speaks of one out of reach."""
    named = {str(name) for name in [key, *(line.get("tenant") for line in lines)] if name}
    if reader.tenants is not None:
        if beyond := reader.beyond(named):
            raise NotificationRefused("tenant", f"{', '.join(beyond)} is out of the reader's reach")
        return reader.tenants[str(key)] if key else None
    if not key:
        return None
    tenant = Tenant.objects.filter(group=group, key=str(key)).first()
    if tenant is None:
        raise NotificationRefused("tenant", f"{group} has no tenant {key}")
    return tenant


def _stored(messages: list[Notification]) -> list[Notification]:
    """Store what isn't there yet, and say what that was."""
    Notification.objects.bulk_create(messages, ignore_conflicts=True)
    mine = Notification.objects.filter(pk__in=[message.pk for message in messages])
    stored = set(mine.values_list("pk", flat=True))
    return [message for message in messages if message.pk in stored]


def _keep_unseen(messages: list[Notification], at: datetime) -> None:
    """Count nothing as unread for readers who didn't choose the inbox; it keeps all messages even so."""
    wishes = preferences.of_people(message.user_id for message in messages)
    for message in messages:
        if Channel.IN_APP not in wishes[message.user_id].channels:
            mark_read(message, at=at)
