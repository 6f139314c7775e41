"""What leaves the house reaches a real receiver, signed and with its key, and comes back as it should."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import LazySettings
from standardwebhooks import Webhook

from audit import outbox
from audit.models import OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from config.access import SYSTEM
from governance import delivery, events, upgrades, webhooks
from governance.models import UpgradeTask
from tests.factories import AT, World
from tests.governance import rollout
from tests.sandbox.receiver import Receiver

pytestmark = pytest.mark.django_db


def base(receiver: Receiver) -> str:
    return receiver.url.removesuffix("/internal/version/upgrade/status")


def alerted(world: World, key: str = "k") -> None:
    events.alert(world.group, "conflict_found", {"conflicts": ["c-1"]}, key=key, at=AT)


def test_an_event_arrives_as_a_signed_cloudevent(world: World, receiver: Receiver) -> None:
    secret = webhooks.subscribe(world.group, name="chat", url=receiver.url, actor=SYSTEM, at=AT)
    alerted(world)

    assert delivery.deliver_due(at=AT).delivered == 1

    [got] = receiver.received
    event: Any = Webhook(secret).verify(got.body, dict(got.headers))
    assert (event["specversion"], event["type"]) == ("1.0", "plugin.version.policy.alert")
    assert event["data"] == {"group": "acme", "reason": "conflict_found", "conflicts": ["c-1"]}
    assert got.headers["content-type"] == "application/cloudevents+json"


def test_the_same_alert_again_is_the_same_event(world: World) -> None:
    webhooks.subscribe(world.group, name="chat", url="http://127.0.0.1:9/", actor=SYSTEM, at=AT)
    alerted(world)
    alerted(world)

    assert OutboxMessage.objects.filter(destination="webhook").count() == 1


def test_a_subscription_that_has_ended_gets_nothing(world: World, receiver: Receiver) -> None:
    webhooks.subscribe(world.group, name="chat", url=receiver.url, actor=SYSTEM, at=AT)
    alerted(world)
    webhooks.unsubscribe(world.group, name="chat", actor=SYSTEM, at=AT)

    assert delivery.deliver_due(at=AT).given_up == 1
    assert receiver.received == []


@pytest.mark.parametrize("url", ["file:///etc/passwd", "chat.example", "http://"])
def test_only_web_addresses_can_subscribe(world: World, url: str) -> None:
    with pytest.raises(webhooks.WebhookRefused):
        webhooks.subscribe(world.group, name="chat", url=url, actor=SYSTEM, at=AT)


def test_an_upgrade_plan_goes_to_the_orchestrator_that_is_named(
    world: World, receiver: Receiver, settings: LazySettings
) -> None:
    settings.ORCHESTRATOR_URL = base(receiver)
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)

    delivery.deliver_due(at=AT)

    [got] = receiver.received
    assert got.headers["idempotency-key"] == task.idempotency_key
    assert got.headers["authorization"] == f"Bearer {settings.ORCHESTRATOR_TOKEN}"
    assert json.loads(got.body)["tenant"] == "tenant-b"
    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.ACCEPTED


def test_an_orchestrator_that_is_busy_is_asked_again_with_the_same_key(
    world: World, receiver: Receiver, settings: LazySettings
) -> None:
    settings.ORCHESTRATOR_URL = base(receiver)
    receiver.refuse_next = 1
    rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)

    assert delivery.deliver_due(at=AT).postponed == 1
    assert delivery.deliver_due(at=AT.replace(minute=5)).delivered == 1

    first, second = receiver.received
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]


def test_digests_go_to_the_notification_service_that_is_named(
    world: World, receiver: Receiver, settings: LazySettings
) -> None:
    settings.NOTIFY_URL, settings.NOTIFY_TOKEN = base(receiver), "their-token"
    payload = {"kind": "reminder", "recipients": []}
    outbox.post(Destination.NOTIFY, payload, group_id=world.group.pk, idempotency_key="n-1", at=AT)

    assert delivery.deliver_due(at=AT).delivered == 1

    [got] = receiver.received
    assert (json.loads(got.body), got.headers["authorization"]) == (payload, "Bearer their-token")


def test_policy_executions_go_to_the_audit_service_that_is_named(
    world: World, receiver: Receiver, settings: LazySettings
) -> None:
    settings.AUDIT_URL = base(receiver)
    rollout.plan(world)

    delivery.deliver_due(at=AT)

    bodies = [json.loads(got.body) for got in receiver.received]
    assert "plan.drafted" in {body["action"] for body in bodies}
    undelivered = OutboxMessage.objects.filter(destination="audit").exclude(status=OutboxStatus.DELIVERED)
    assert not undelivered.exists()
