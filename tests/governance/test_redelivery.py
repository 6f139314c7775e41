"""Hand-overs that couldn't be delivered, tried again from the page: the same orders, within all limits."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from audit import outbox
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Cause, Destination, OutboxStatus
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import delivery, halting, maintenance, plans, upgrades
from governance.models import Finding, Plan, UpgradeTask
from sandbox.server import Sandbox
from sandbox.state import TenantState
from tenants.models import Group
from tests.factories import AT, World
from tests.governance import rollout
from tests.sandbox import inside
from tests.sandbox.process import TOKEN
from tests.sandbox.receiver import Receiver

pytestmark = pytest.mark.django_db
LIST = "/g/acme/deliveries/"
NOWHERE = "http://127.0.0.1:9"
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def orchestrator(tmp_path: Path) -> Iterator[Sandbox]:
    state = TenantState("acme", "tenant-b", "host", "10.0.0", {"crm": "2.3.0"}, AT)
    with inside.running(tmp_path, state, delay_seconds=3600, callback=False) as sandbox:
        yield sandbox


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def page(client: Client, query: str = "") -> str:
    return client.get(f"{LIST}{query}").content.decode()


def test_an_orchestrator_that_refuses_for_the_time_is_tried_again(
    world: World, receiver: Receiver, settings: LazySettings
) -> None:
    settings.ORCHESTRATOR_URL = receiver.url.removesuffix("/internal/version/upgrade/status")
    receiver.refuse_next, receiver.refusal = 1, (401, "")
    receiver.clock_off = timedelta(minutes=30)
    rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)

    assert delivery.deliver_due(at=AT).postponed == 1

    assert OutboxMessage.objects.get().cause == Cause.CLOCK
    assert delivery.deliver_due(at=LATER).delivered == 1


def given_up(world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> OutboxMessage:
    """A hand-over that never reached the orchestrator."""
    settings.ORCHESTRATOR_URL = NOWHERE
    monkeypatch.setattr(outbox, "MAX_ATTEMPTS", 1)
    rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    assert delivery.deliver_due(at=AT).given_up == 1
    return OutboxMessage.objects.get(destination=Destination.ORCHESTRATOR)


def test_an_upgrade_that_was_given_up_is_handed_over_again_as_the_same_order(
    world: World,
    settings: LazySettings,
    monkeypatch: pytest.MonkeyPatch,
    orchestrator: Sandbox,
    owner: Client,
) -> None:
    message = given_up(world, settings, monkeypatch)
    assert Plan.objects.get().status == Plan.Status.COMPLETED
    shown = page(owner)
    assert "it is the same order under the same key" in shown
    assert f"{message.pk}/retry/" in shown
    settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_TOKEN = inside.address(orchestrator), TOKEN

    assert owner.post(f"{LIST}{message.pk}/retry/").status_code == 303

    task, plan = UpgradeTask.objects.get(), Plan.objects.get()
    assert (task.status, task.finished_at) == (UpgradeTask.Status.DISPATCHED, None)
    assert (plan.status, plan.finished_at) == (Plan.Status.RUNNING, None)
    assert Finding.objects.open().get().status == Finding.Status.IN_PROGRESS
    assert Entry.objects.get(action="plan.resumed").data == {"retried": "tenant-b"}
    assert Entry.objects.filter(action="delivery.retried").count() == 1

    assert delivery.deliver_due(at=timezone.now()).delivered == 1

    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.ACCEPTED
    [order] = orchestrator.fleet.database.rows("SELECT id, idempotency_key FROM orders")
    assert (order["id"], order["idempotency_key"]) == (task.order_id, task.idempotency_key)


def test_who_may_hands_it_over_again_on_its_tasks_page(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, owner: Client
) -> None:
    message = given_up(world, settings, monkeypatch)
    path = f"/g/acme/tasks/{message.payload['task']}/"
    button, retry = "Hand over again</button>", f"{LIST}{message.pk}/retry/"
    owner.force_login(world.viewer)
    assert button not in owner.get(path).content.decode()
    owner.force_login(world.owner)
    assert button in owner.get(path).content.decode()

    shown = owner.post(retry, {"on_task": "1"}, follow=True)

    assert shown.request["PATH_INFO"] == path
    assert "1 message is tried again now." in shown.content.decode()
    assert button not in shown.content.decode()


@pytest.mark.parametrize("kept", ["window", "halt"])
def test_a_hand_over_that_is_tried_again_keeps_to_windows_and_to_a_stop(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    message = given_up(world, settings, monkeypatch)
    if kept == "halt":
        halting.halt(world.group, reason="Customers call.", actor=SYSTEM, at=AT)
    else:
        night: dict[str, Any] = {"days": [0], "starts": time(22), "ends": time(23), "zone": "UTC"}
        maintenance.agree(world.tenant_b, **night, actor=SYSTEM, at=AT)

    delivery.retry(message, actor=SYSTEM, at=LATER)

    task = UpgradeTask.objects.get()
    message.refresh_from_db()
    assert (task.status, message.status) == (UpgradeTask.Status.QUEUED, OutboxStatus.DEAD)
    assert ("Customers call." in task.wait_reason) if kept == "halt" else ("22:00" in task.wait_reason)
    at = AT.replace(hour=22, minute=30)
    if kept == "halt":
        halting.release(world.group, reason="Fine again.", actor=SYSTEM, at=at)
    assert upgrades.dispatch_due(world.group, at=at) == 1
    message.refresh_from_db()
    task.refresh_from_db()
    assert (task.status, message.status) == (UpgradeTask.Status.DISPATCHED, OutboxStatus.PENDING)
    assert (message.idempotency_key, task.attempts) == (task.idempotency_key, 1)


def test_what_is_on_its_way_is_not_retried(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    message = given_up(world, settings, monkeypatch)
    delivery.retry(message, actor=SYSTEM, at=LATER)
    with pytest.raises(TransitionError):
        delivery.retry(message, actor=SYSTEM, at=LATER)


def test_all_that_are_taken_up_together_are_handed_over_together(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, owner: Client
) -> None:
    message = given_up(world, settings, monkeypatch)
    task = UpgradeTask.objects.get(pk=message.payload["task"])
    task.pk, task.tenant, task.idempotency_key = uuid4(), world.tenant_a, "other"
    task.save(force_insert=True)
    payload = {**message.payload, "task": str(task.pk), "tenant": "tenant-a"}
    message.pk, message.payload, message.idempotency_key = uuid4(), payload, "other"
    message.save(force_insert=True)
    calls: list[int] = []
    dispatch = upgrades.dispatch_due

    def counted(group: Group, *, at: datetime) -> int:
        calls.append(dispatch(group, at=at))
        return calls[-1]

    monkeypatch.setattr(upgrades, "dispatch_due", counted)
    owner.post(f"{LIST}retry/")
    assert calls == [2]
    assert not OutboxMessage.objects.given_up().exists()
    assert Entry.objects.filter(action="delivery.retried").count() == 2


def test_a_tenant_that_has_another_task_by_now_is_left_alone(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, owner: Client
) -> None:
    message = given_up(world, settings, monkeypatch)
    again = plans.draft(world.group, at=LATER, actor=SYSTEM)
    assert again is not None
    assert f"{message.pk}/retry/" not in page(owner)

    owner.post(f"{LIST}{message.pk}/retry/")
    assert "The next run plans it anew" in page(owner)
    owner.post(f"{LIST}retry/")

    message.refresh_from_db()
    assert message.status == OutboxStatus.DEAD
    assert not Entry.objects.filter(action="delivery.retried").exists()


def test_while_changes_are_switched_off_no_upgrade_is_handed_over_again(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, owner: Client
) -> None:
    message = given_up(world, settings, monkeypatch)
    world.group.sync_enabled = False
    world.group.save()
    assert f"{message.pk}/retry/" not in page(owner)

    owner.post(f"{LIST}{message.pk}/retry/")

    assert "plugin-multi-tenant-sync" in page(owner)
    message.refresh_from_db()
    assert message.status == OutboxStatus.DEAD


def test_a_cancel_that_was_given_up_is_asked_again(
    world: World, settings: LazySettings, orchestrator: Sandbox, owner: Client
) -> None:
    settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_TOKEN = inside.address(orchestrator), TOKEN
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    delivery.deliver_due(at=AT)
    plans.cancel(Plan.objects.get(), actor=SYSTEM, at=AT)
    settings.ORCHESTRATOR_TOKEN = "wrong"
    assert delivery.deliver_due(at=AT).given_up == 1
    message = OutboxMessage.objects.given_up().get()
    settings.ORCHESTRATOR_TOKEN = TOKEN

    owner.post(f"{LIST}{message.pk}/retry/")
    assert delivery.deliver_due(at=timezone.now()).delivered == 1

    task.refresh_from_db()
    assert task.status == UpgradeTask.Status.CANCELLED
