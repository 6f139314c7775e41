"""Who wants to hear of the group's events, and where."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction

from audit import circuits, ledger
from audit.actions import Action
from audit.models import OutboxMessage
from audit.models.outbox import Destination
from config.access import Actor
from governance.models import WebhookSubscription
from tenants.models import Group


class WebhookRefused(Exception):
    """An address that no event can be sent to; the message says why."""


@transaction.atomic
def subscribe(group: Group, *, name: str, url: str, actor: Actor, at: datetime) -> str:
    """Send the group's events to the address from now on; returns the secret that signs them, shown once.

    A subscription of the same name is replaced. Raises WebhookRefused.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise WebhookRefused(f"“{url}” is no http or https address.")
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    subscription, _ = WebhookSubscription.objects.update_or_create(
        group=group, name=name, defaults={"url": url, "secret": secret, "active": True}
    )
    ledger.record(Action.WEBHOOK_SUBSCRIBED, subject=subscription, actor=actor, at=at, data={"url": url})
    return secret


@transaction.atomic
def unsubscribe(group: Group, *, name: str, actor: Actor, at: datetime) -> bool:
    """Send nothing there any more; False if nothing was. What waits in the outbox is given up."""
    subscription = WebhookSubscription.objects.filter(group=group, name=name).first()
    if subscription is None:
        return False
    if not WebhookSubscription.objects.filter(pk=subscription.pk, active=True).update(active=False):
        return False
    ledger.record(Action.WEBHOOK_ENDED, subject=subscription, actor=actor, at=at)
    circuits.forget(group.pk, Destination.WEBHOOK, ("webhook", subscription.pk))
    return True


def told(group: Group) -> dict[str, Any]:
    """All webhooks of a group as the endpoints and commands tell of them, those that have ended too."""
    rows = WebhookSubscription.objects.filter(group=group).order_by("name")
    return {"webhooks": documents(list(rows))}


def documents(rows: Collection[WebhookSubscription]) -> list[dict[str, Any]]:
    """Each with what came of the newest event, and never with its secret."""
    newest = last_to(rows)
    return [_document(row, newest.get(row.pk)) for row in rows]


def document(row: WebhookSubscription) -> dict[str, Any]:
    """One of them."""
    [one] = documents([row])
    return one


def last_to(rows: Collection[WebhookSubscription]) -> dict[int, OutboxMessage]:
    """The newest event for each of these webhooks in use."""
    groups, numbers = {row.group_id for row in rows}, [str(row.pk) for row in rows if row.active]
    sent = OutboxMessage.objects.filter(
        group_id__in=groups, destination=Destination.WEBHOOK, address__in=numbers
    )
    newest = sent.order_by("address", "-created_at").distinct("address")
    return {int(message.address): message for message in newest}


def _document(row: WebhookSubscription, last: OutboxMessage | None) -> dict[str, Any]:
    return {
        "number": row.pk,
        "name": row.name,
        "url": row.url,
        "active": row.active,
        "created_at": row.created_at.isoformat(),
        "last_event": {"status": last.status, "at": last.created_at.isoformat()} if last else None,
    }
