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
from governance.models import WebhookSubscription
from tenants import chats
from tenants.models import Group

ALERT = "plugin.version.policy.alert"
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
        outbox.post(
            Destination.WEBHOOK,
            event,
            group_id=group.pk,
            idempotency_key=f"{event['id']}-{subscription.pk}",
            address=str(subscription.pk),
            at=at,
        )
    ledger.record(
        Action.ALERT_RAISED, subject=group, actor=SYSTEM, at=at, data={"reason": reason, "key": key}
    )


# What team chats read of an alert, and the page where it goes on.
_TOLD = {
    "drift_overdue": ("Drift is past its due date.", "drift_list"),
    "enforcement_failed": ("Upgrades failed.", "plan_list"),
    "conflict_found": ("Rules contradict each other; a person has to decide.", "conflict_list"),
    "report_failed": ("A report couldn’t be built.", "report_list"),
    "failure_budget_spent": ("A plan has paused by itself.", "plan_list"),
}


def _tell_teams(group: Group, reason: str, data: Mapping[str, Any], *, key: str, at: datetime) -> int:
    """Tell the group's chats; how many there are."""
    text, page = _TOLD[reason]
    figures = ", ".join(f"{name} {value}" for name, value in data.items() if isinstance(value, int))
    title = f"{group}: {reason.replace('_', ' ')}"
    link = f"{settings.BASE_URL}{reverse(page, kwargs={'group': group.slug})}"
    said = " ".join(filter(None, (text, str(data.get("says", "")), f"({figures})" if figures else "")))
    return chats.post_to_teams(group, title=title, text=said, key=key, at=at, link=link)


def event_document(
    group: Group, reason: str, data: Mapping[str, Any], *, key: str, at: datetime
) -> dict[str, Any]:
    """The CloudEvent in structured JSON; its id follows from the key, so equal alerts are equal events."""
    event = CloudEvent(
        {
            "id": str(uuid.uuid5(_NAMESPACE, f"{group.slug}/{key}")),
            "type": ALERT,
            "source": f"{settings.BASE_URL}/g/{group.slug}/",
            "subject": reason,
            "time": at.isoformat(),
            "datacontenttype": "application/json",
        },
        {"group": group.slug, "reason": reason, **data},
    )
    document: dict[str, Any] = json.loads(to_json(event))
    return document
