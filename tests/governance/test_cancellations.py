"""A cancelled plan asks the orchestrator to drop what it has, and the answer is written back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from config.access import SYSTEM
from governance import delivery, orders, plans, upgrades
from governance.models import Finding, UpgradeOrder, UpgradeTask
from sandbox.server import Sandbox
from sandbox.state import TenantState
from tests.factories import AT, World
from tests.governance import rollout
from tests.sandbox import inside
from tests.sandbox.process import TOKEN, eventually

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
LATER = AT + timedelta(minutes=5)


@pytest.fixture
def orchestrator(tmp_path: Path, settings: LazySettings) -> Iterator[Sandbox]:
    """A real sandbox that is Plumbline's orchestrator and takes an hour for an order."""
    state = TenantState("acme", "tenant-b", "host", "10.0.0", {"crm": "2.3.0"}, AT)
    with inside.running(tmp_path, state, delay_seconds=3600, callback=False) as sandbox:
        settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_TOKEN = inside.address(sandbox), TOKEN
        yield sandbox


def dispatched(world: World) -> UpgradeTask:
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    return UpgradeTask.objects.select_related("plan").get(pk=task.pk)


def cancelled(task: UpgradeTask) -> UpgradeTask:
    plans.cancel(task.plan, actor=SYSTEM, at=LATER)
    return again(task)


def again(task: UpgradeTask) -> UpgradeTask:
    return UpgradeTask.objects.select_related("plan").get(pk=task.pk)


def test_the_request_leaves_with_the_cancel_and_stands_in_the_ledger(world: World) -> None:
    task = cancelled(dispatched(world))

    [message] = OutboxMessage.objects.filter(destination=Destination.CANCELLATION)
    assert message.payload == {"task": str(task.pk), "plan": str(task.plan_id), "tenant": "tenant-b"}
    assert Entry.objects.get(action="plan.cancelled").data["asked_to_drop"] == ["tenant-b"]
    assert task.status == Status.DISPATCHED
    assert "asked to drop" in task.detail


def test_a_plan_with_nothing_under_way_asks_for_nothing(world: World) -> None:
    cancelled(rollout.running_task(world))
    assert not OutboxMessage.objects.filter(destination=Destination.CANCELLATION).exists()


def test_an_order_under_way_is_dropped_and_frees_its_finding(world: World, orchestrator: Sandbox) -> None:
    task = dispatched(world)
    delivery.deliver_due(at=AT)
    cancelled(task)

    assert delivery.deliver_due(at=LATER).delivered == 1

    task = again(task)
    assert (task.status, task.detail) == (Status.CANCELLED, "cancelled by the caller")
    assert orchestrator.orders.get(task.order_id).status == "cancelled"
    assert Finding.objects.open().get().status == Finding.Status.NEW
    entry = Entry.objects.filter(action="task.changed").latest("sequence")
    assert entry.data["status"] == "cancelled"


def test_what_is_too_far_on_goes_on_to_its_verification(world: World, orchestrator: Sandbox) -> None:
    orchestrator.settings.change({"delay_seconds": 0})
    task = dispatched(world)
    delivery.deliver_due(at=AT)
    order = again(task).order_id
    eventually(lambda: orchestrator.orders.get(order).status, until=lambda status: status == "succeeded")
    cancelled(task)

    assert delivery.deliver_due(at=LATER).delivered == 1

    task = again(task)
    assert (task.status, task.detail) == (
        Status.ACCEPTED,
        "Too late to cancel: The order has succeeded already",
    )
    assert upgrades.poll(world.group, at=LATER) == 1
    rollout.report(world, "tenant-b", "2.4.0", LATER + timedelta(minutes=1))
    upgrades.verify(world.group, at=LATER)
    assert again(task).status == Status.SUCCEEDED


def test_what_was_never_sent_is_never_sent(world: World, orchestrator: Sandbox) -> None:
    task = cancelled(dispatched(world))

    delivery.deliver_due(at=LATER)

    task = again(task)
    assert task.status == Status.CANCELLED
    assert "before the orchestrator had this task" in task.detail
    assert orchestrator.fleet.database.rows("SELECT * FROM orders") == []
    assert not OutboxMessage.objects.exclude(status=OutboxStatus.DELIVERED).exists()


def test_what_may_have_arrived_is_handed_over_again_and_then_dropped(
    world: World, orchestrator: Sandbox, settings: LazySettings
) -> None:
    task = dispatched(world)
    reachable, settings.ORCHESTRATOR_URL = settings.ORCHESTRATOR_URL, "http://127.0.0.1:9"
    assert delivery.deliver_due(at=AT).postponed == 1
    cancelled(task)
    settings.ORCHESTRATOR_URL = reachable

    for minutes in (0, 5):
        delivery.deliver_due(at=LATER + timedelta(minutes=minutes))

    task = again(task)
    assert (task.status, bool(task.order_id)) == (Status.CANCELLED, True)


def test_an_orchestrator_that_knows_no_such_order_is_named_and_the_task_goes_on(
    world: World, orchestrator: Sandbox
) -> None:
    task = dispatched(world)
    delivery.deliver_due(at=AT)
    UpgradeTask.objects.update(order_id="forgotten")
    cancelled(task)

    assert delivery.deliver_due(at=LATER).given_up == 1

    task = again(task)
    assert task.status == Status.ACCEPTED
    assert "could not be asked to drop it" in task.detail
    [dead] = OutboxMessage.objects.given_up()
    assert "There is no order forgotten" in dead.last_error


def test_an_order_by_hand_is_taken_off_the_list(world: World, settings: LazySettings) -> None:
    settings.ORCHESTRATOR_URL = ""
    task = dispatched(world)
    delivery.deliver_due(at=AT)
    cancelled(task)

    delivery.deliver_due(at=LATER)

    assert UpgradeOrder.objects.get().status == UpgradeOrder.Status.CANCELLED
    assert again(task).status == Status.CANCELLED


def test_an_order_that_was_done_by_hand_meanwhile_stays_done(world: World, settings: LazySettings) -> None:
    settings.ORCHESTRATOR_URL = ""
    task = dispatched(world)
    delivery.deliver_due(at=AT)
    cancelled(task)
    orders.report(UpgradeOrder.objects.get(), done=True, detail="by hand", actor=SYSTEM, at=LATER)

    assert delivery.deliver_due(at=LATER).delivered == 1

    assert again(task).status == Status.VERIFYING
    assert UpgradeOrder.objects.get().status == UpgradeOrder.Status.SUCCEEDED


def test_the_plans_page_says_what_was_asked_and_what_came_of_it(
    world: World, orchestrator: Sandbox, client: Client
) -> None:
    client.force_login(world.owner)
    task = dispatched(world)
    delivery.deliver_due(at=AT)
    page = f"/g/acme/plans/{task.plan_id}/"

    client.post(f"{page}cancel/")
    assert "the orchestrator is asked to drop this task" in client.get(page).content.decode()

    delivery.deliver_due(at=timezone.now())
    assert "cancelled by the caller" in client.get(page).content.decode()
