"""Events for the world outside: CloudEvents to subscribed webhooks, through the outbox."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cloudevents.conversion import to_json
from cloudevents.http import CloudEvent
from django.conf import settings
from django.urls import reverse

from audit import ledger, outbox
from audit.actions import Action
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance.messages import alerts
from governance.models import WebhookSubscription
from tenants import chats
from tenants.models import Group

ALERT = "plugin.version.policy.alert"
TEST = "plugin.version.policy.test"  # of its own type, so that nothing takes it for an alert
_NAMESPACE = uuid.UUID("7d3f0c52-6f3a-5b1e-9d61-1f2a0f6c1c5e")


def alert(group: Group, reason: str, data: Mapping[str, Any], *, key: str, at: datetime) -> None:
    """Tell every subscriber and team chat of the group what needs attention.

    `reason` is one of drift_overdue, enforcement_failed, conflict_found, report_failed,
    failure_budget_spent. The same `key` again
    is the same event and tells nobody twice.
    """
    subscriptions = list(WebhookSubscription.objects.filter(group=group, active=True))
    told = _tell_teams(group, reason, data, key=key, at=at)
    if not subscriptions and not told:
        return
    event = event_document(group, reason, data, key=key, at=at)
    for subscription in subscriptions:
        _post(subscription, event, at=at)
    ledger.record(
        Action.ALERT_RAISED, subject=group, actor=SYSTEM, at=at, data={"reason": reason, "key": key}
    )


def post_test(subscription: WebhookSubscription, *, at: datetime) -> None:
    """Store an event by which whoever asked for it sees whether it arrives."""
    key = f"test-{subscription.pk}-{at.isoformat()}"
    data = {"says": "Events of this group arrive here."}
    _post(subscription, event_document(subscription.group, "test", data, key=key, at=at, kind=TEST), at=at)


# Where an alert goes on.
_PAGES = {
    "drift_overdue": "drift_list",
    "enforcement_failed": "plan_list",
    "conflict_found": "conflict_list",
    "report_failed": "report_list",
    "failure_budget_spent": "plan_list",
}


def _tell_teams(group: Group, reason: str, data: Mapping[str, Any], *, key: str, at: datetime) -> int:
    """Tell the group's chats, each in its language; how many there are."""
    link = f"{settings.BASE_URL}{reverse(_PAGES[reason], kwargs={'group': group.slug})}"

    def told(language: str) -> tuple[str, str]:
        return alerts.told(group.name, reason, data, language)

    return chats.post_to_teams(group, told, key=key, at=at, link=link)


def _post(subscription: WebhookSubscription, event: dict[str, Any], *, at: datetime) -> None:
    outbox.post(
        Destination.WEBHOOK,
        event,
        group_id=subscription.group_id,
        idempotency_key=f"{event['id']}-{subscription.pk}",
        address=str(subscription.pk),
        at=at,
    )


def event_document(
    group: Group, reason: str, data: Mapping[str, Any], *, key: str, at: datetime, kind: str = ALERT
) -> dict[str, Any]:
    """The CloudEvent in structured JSON; its id follows from the key, so equal alerts are equal events."""
    event = CloudEvent(
        {
            "id": str(uuid.uuid5(_NAMESPACE, f"{group.slug}/{key}")),
            "type": kind,
            "source": f"{settings.BASE_URL}/g/{group.slug}/",
            "subject": reason,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
        },
        {"group": group.slug, "reason": reason, **data},
    )
    document: dict[str, Any] = json.loads(to_json(event))
    return document
