"""Who wants to hear of the group's events, and where."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime
from urllib.parse import urlsplit

from django.db import transaction

from audit import circuits, ledger
from audit.actions import Action
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
    subscription = WebhookSubscription.objects.filter(group=group, name=name, active=True).first()
    if subscription is None:
        return False
    WebhookSubscription.objects.filter(pk=subscription.pk).update(active=False)
    ledger.record(Action.WEBHOOK_ENDED, subject=subscription, actor=actor, at=at)
    circuits.forget(group.pk, Destination.WEBHOOK, ("webhook", subscription.pk))
    return True
