"""Who carries the outbox's messages, one sender a destination."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q, QuerySet
from standardwebhooks import Webhook

from audit import circuits, ledger, outbox, retrying
from audit.actions import Action
from audit.models import Circuit, OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus
from audit.outbox import Delivery
from audit.retrying import Retried
from audit.senders import Answered, Sender, Undeliverable
from config.access import Access, Actor
from config.lifecycle import TransitionError
from governance import handovers, notifications, upgrades, wire
from governance.handovers import ToCancellation, ToOrchestrator
from governance.models import WebhookSubscription
from governance.orchestrator import post_json
from tenants import chats
from tenants.models import Group

_SOON = timedelta(minutes=5)
CUT_OFF = "Plumbline was stopped while it sent this; whether it was sent isn’t known."
NOTIFY_PATH = "/internal/notify/version"
AUDIT_PATH = "/internal/audit/version"


class OneWay:
    """A destination whose answer changes nothing here."""

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: datetime) -> None:
        """Nothing follows from the answer."""

    def give_up(self, message: OutboxMessage, reason: str, at: datetime) -> None:
        """The dead letter itself is what a person sees and retries."""


class ToNotify(OneWay):
    """Digests to the notification service; to Plumbline's own inbox and mail while no other is named."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """POST the digest."""
        if settings.NOTIFY_URL:
            return post_json(
                f"{settings.NOTIFY_URL}{NOTIFY_PATH}",
                message.payload,
                token=settings.NOTIFY_TOKEN,
                idempotency_key=message.idempotency_key,
            )
        return notifications.receive(
            message.group_id,
            message.payload,
            idempotency_key=message.idempotency_key,
            at=_handed_over(message),
            trusted=True,
        )


def _handed_over(message: OutboxMessage) -> datetime:
    """When it was written; where it had to wait, when it goes: it may have become night for its reader."""
    claimed = message.lease_until - outbox.LEASE if message.lease_until else message.created_at
    return claimed if claimed - message.created_at > _SOON else message.created_at


class ToAudit(OneWay):
    """Ledger entries to an audit service elsewhere, which knows a repetition by the entry's hash."""

    def calls(self, messages: Sequence[OutboxMessage]) -> Iterator[Callable[[], dict[str, Any]]]:
        """Each by itself."""
        return (partial(self.send, message) for message in messages)

    def settle_all(self, answered: Answered, at: datetime) -> None:
        """Nothing follows from the answers."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """POST the entry."""
        if not settings.AUDIT_URL:
            return {"status": "in the ledger"}
        return post_json(
            f"{settings.AUDIT_URL}{AUDIT_PATH}",
            message.payload,
            token=settings.AUDIT_TOKEN,
            idempotency_key=message.idempotency_key,
        )


class ToMail(OneWay):
    """E-mail. `payload`: {"subject", "text", "html"}; the address is the message's."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """Send one mail; its Message-ID is the outbox message's, so that a repetition can be told.

        Raises Undeliverable where an attempt was cut off: told twice is worse, and the inbox has it.
        """
        _refuse_cut_off(message)
        mail = EmailMultiAlternatives(
            subject=message.payload["subject"],
            body=message.payload["text"],
            to=[message.address],
            headers={"Message-ID": f"<{message.pk}@plumbline>", "Auto-Submitted": "auto-generated"},
        )
        if message.payload.get("html"):
            mail.attach_alternative(message.payload["html"], "text/html")
        mail.send()
        return {"sent": 1}


class ToWebhook(OneWay):
    """CloudEvents in structured mode, signed as Standard Webhooks with the subscription's secret."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """POST the event."""
        subscription = WebhookSubscription.objects.filter(
            pk=message.address, group_id=message.group_id, active=True
        ).first()
        if subscription is None:
            raise Undeliverable("The webhook's subscription has ended.")
        return _post_signed(subscription, message)


class ToChat(OneWay):
    """Chat messages, by the services that apprise knows."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """Send to the person's or the team's address, as it is now.

        Raises Undeliverable where an attempt was cut off, as for mail.
        """
        _refuse_cut_off(message)
        return chats.send(message)


def _refuse_cut_off(message: OutboxMessage) -> None:
    """Of what nobody out there could tell a repetition: an attempt before this one has said nothing."""
    if message.attempts > 1 and not message.last_error:
        raise Undeliverable(CUT_OFF, cause=Cause.FAULT)


def _post_signed(subscription: WebhookSubscription, message: OutboxMessage) -> dict[str, Any]:
    body = json.dumps(message.payload, separators=(",", ":"), ensure_ascii=False)
    stamp = datetime.now(tz=message.created_at.tzinfo)
    headers = {
        "content-type": "application/cloudevents+json",
        "webhook-id": str(message.pk),
        "webhook-timestamp": str(int(stamp.timestamp())),
        "webhook-signature": Webhook(subscription.secret).sign(str(message.pk), stamp, body),
    }
    response = wire.client().post(subscription.url, content=body.encode(), headers=headers)
    response.raise_for_status()
    return {"status": response.status_code}


SENDERS: dict[str, Sender] = {
    Destination.ORCHESTRATOR: ToOrchestrator(),
    Destination.CANCELLATION: ToCancellation(),
    Destination.NOTIFY: ToNotify(),
    Destination.AUDIT: ToAudit(),
    Destination.EMAIL: ToMail(),
    Destination.WEBHOOK: ToWebhook(),
    Destination.CHAT: ToChat(),
}


# The entry of a message's payload that says in a few words what the message is about.
_NAMED: dict[str, str] = {
    Destination.ORCHESTRATOR: "tenant",
    Destination.CANCELLATION: "tenant",
    Destination.NOTIFY: "kind",
    Destination.AUDIT: "action",
    Destination.EMAIL: "subject",
    Destination.WEBHOOK: "subject",
    Destination.CHAT: "title",
}
# All but upgrades, whose tasks have to be taken up again.
_AT_ONCE = {to: entry for to, entry in _NAMED.items() if to != Destination.ORCHESTRATOR}


def about(message: OutboxMessage) -> str:
    """What a message is about, in a few words of its own."""
    named = message.payload.get(_NAMED[message.destination])
    if named and message.destination == Destination.WEBHOOK:
        return str(named).replace("_", " ")  # the reason of an alert; people read it
    return str(named or message.idempotency_key)


def retriable(access: Access) -> QuerySet[OutboxMessage]:
    """What was given up within reach and may be tried again.

    An upgrade only while its task can still be handed over: the tenant may have another one by now.
    """
    dead = OutboxMessage.objects.within(access).given_up()
    alive = handovers.revivable(access.group_id).values("idempotency_key")
    upgrade = Q(destination=Destination.ORCHESTRATOR)
    return dead.filter(~upgrade | Q(idempotency_key__in=alive)).order_by("created_at", "pk")


@transaction.atomic
def retry(message: OutboxMessage, *, actor: Actor, at: datetime) -> None:
    """Give a message that was given up another round of attempts.

    Raises TransitionError for any other, and for an upgrade NotRevivable if its task can't be taken up again
    and FlagOff while a flag forbids it.
    """
    ledger.hold(message.group_id)
    circuits.release(circuits.of(message), at=at)
    if message.destination != Destination.ORCHESTRATOR:
        outbox.retry(message, at=at)
    elif OutboxMessage.objects.given_up().filter(pk=message.pk).exists():
        handovers.revive(message, actor=actor, at=at)
        upgrades.dispatch_due(Group.objects.get(pk=message.group_id), at=at)  # it leaves when it is its turn
    else:
        raise TransitionError(message, OutboxStatus.PENDING)
    ledger.record_many([_record(_retried(message))], group_id=message.group_id, actor=actor, at=at)


@transaction.atomic
def retry_all(access: Access, *, actor: Actor, at: datetime) -> int:
    """Give all of a group's messages that may be tried again another round, and say how many they are.

    Upgrades are taken up one by one, and handed over together. Raises FlagOff while a flag forbids that.
    """
    ledger.hold(access.group_id)
    orders = list(retriable(access).filter(destination=Destination.ORCHESTRATOR))
    for message in orders:
        handovers.revive(message, actor=actor, at=at)
    if orders:
        upgrades.dispatch_due(Group.objects.get(pk=access.group_id), at=at)
    circuits.release(Circuit.objects.within(access), at=at)
    retried = [*map(_retried, orders), *retrying.retry_all(access.group_id, named=_AT_ONCE, at=at)]
    ledger.record_many(map(_record, retried), group_id=access.group_id, actor=actor, at=at)
    return len(retried)


def _retried(message: OutboxMessage) -> Retried:
    return Retried(
        message.pk, message.destination, message.idempotency_key, message.last_error, about(message)
    )


def _record(retried: Retried) -> ledger.Record:
    return ledger.Record(
        Action.DELIVERY_RETRIED,
        "outboxmessage",
        str(retried.id),
        retried.about or retried.idempotency_key,
        data={
            "destination": retried.destination,
            "key": retried.idempotency_key,
            "error": retried.last_error,
        },
    )


def deliver_due(*, at: datetime, limit: int = 100) -> Delivery:
    """Send what is due, wherever it goes."""
    return outbox.deliver_due(SENDERS, at=at, limit=limit)
