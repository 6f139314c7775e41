"""Whatever an orchestrator and the wire between do, a task is one order and ends as its tenant says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from audit.models import Entry, OutboxMessage
from audit.models.outbox import OutboxStatus
from governance import delivery, upgrades
from governance.models import Plan, UpgradeTask
from sandbox.counts import counts
from sandbox.server import Sandbox
from sandbox.state import TenantState
from tests.factories import AT, World
from tests.governance import rollout
from tests.sandbox import inside
from tests.sandbox.process import SECRET, TOKEN, eventually
from tests.sandbox.receiver import Receiver

pytestmark = pytest.mark.django_db
STATUS = "/internal/version/upgrade/status"


@pytest.fixture
def orchestrator(tmp_path: Path, settings: LazySettings, receiver: Receiver) -> Iterator[Sandbox]:
    """A sandbox that calls back to the receiver; `passed_on` brings what arrived there to Plumbline."""
    state = TenantState("acme", "tenant-b", "host", "10.0.0", {"crm": "2.3.0"}, AT)
    with inside.running(tmp_path, state) as sandbox:
        settings.ORCHESTRATOR_URL, settings.ORCHESTRATOR_TOKEN = inside.address(sandbox), TOKEN
        settings.CALLBACK_SECRETS = [SECRET]
        settings.BASE_URL = receiver.url.removesuffix(STATUS)
        yield sandbox


def handed_over(world: World) -> UpgradeTask:
    """Dispatch the task, and try its message until it is out or given up; each round an hour later."""
    task = rollout.running_task(world)
    at = timezone.now()
    upgrades.dispatch_due(world.group, at=at)
    for hours in range(12):
        delivery.deliver_due(at=at + timedelta(hours=hours))
    assert OutboxMessage.objects.get().status == OutboxStatus.DELIVERED
    return task


def settled(sandbox: Sandbox) -> dict[str, Any]:
    """The sandbox's counts, once its orders have ended and their callbacks are out."""

    def is_settled(found: dict[str, Any]) -> bool:
        ended = not {"accepted", "running"} & found["statuses"].keys()
        return ended and not {"waiting", "sending"} & found["callbacks"].keys()

    return eventually(lambda: counts(sandbox.fleet.database), until=is_settled)


def passed_on(receiver: Receiver) -> list[int]:
    """How Plumbline answers what arrived, in the order of its arrival."""
    wanted = ("webhook-id", "webhook-timestamp", "webhook-signature")
    return [
        Client()
        .post(
            STATUS,
            each.body,
            content_type="application/json",
            headers={name: each.headers[name] for name in wanted},
        )
        .status_code
        for each in receiver.received
    ]


def verified(world: World, sandbox: Sandbox) -> UpgradeTask:
    """The task, after a poll and the tenant's next manifest."""
    later = timezone.now() + timedelta(days=1)
    upgrades.poll(world.group, at=later)
    state = sandbox.fleet.find("acme", "tenant-b")
    assert state is not None
    rollout.report(world, "tenant-b", state.plugins["crm"], later + timedelta(minutes=1))
    upgrades.verify(world.group, at=later + timedelta(minutes=1))
    return UpgradeTask.objects.get()


@pytest.mark.parametrize(
    ("faults", "name", "answers"),
    [
        ({}, None, [200, 200]),
        ({"forged_callback_rate": 1}, "forged_callbacks", [401, 200, 401, 200]),
        ({"duplicated_callback_rate": 1}, "duplicated_callbacks", [200, 200, 200, 200]),
        ({"reordered_callback_rate": 1}, "reordered_callbacks", [200, 200]),
        ({"lost_callback_rate": 1}, "lost_callbacks", []),
        ({"stall_rate": 0.5, "stall_seconds": 0.1, "seed": 3}, "stalled_answers", None),
        ({"error_rate": 0.5, "seed": 2}, "errors", None),
    ],
    ids=["none", "forged", "duplicated", "reordered", "lost", "stalled", "refused"],
)
def test_a_task_is_one_order_and_is_verified_once(
    world: World,
    orchestrator: Sandbox,
    receiver: Receiver,
    faults: dict[str, Any],
    name: str | None,
    answers: list[int] | None,
) -> None:
    orchestrator.settings.change(faults)
    handed_over(world)
    counted = settled(orchestrator)
    answered = passed_on(receiver)
    orchestrator.settings.change(dict.fromkeys(faults.keys() & {"stall_rate", "error_rate"}, 0))

    task = verified(world, orchestrator)

    assert (task.status, Plan.objects.get().status) == (UpgradeTask.Status.SUCCEEDED, Plan.Status.COMPLETED)
    assert (counted["orders"], counted["executions"]) == (1, 1)
    assert name is None or counted["faults"][name] > 0
    assert answers is None or answered == answers
    said = Entry.objects.filter(action="task.changed", data__status="verifying")
    assert said.count() == 1


def test_a_false_success_is_found_out(world: World, orchestrator: Sandbox, receiver: Receiver) -> None:
    orchestrator.settings.change({"false_success_rate": 1})
    handed_over(world)
    settled(orchestrator)
    passed_on(receiver)

    task = verified(world, orchestrator)

    assert task.status == UpgradeTask.Status.VERIFY_FAILED
    assert "crm is 2.3.0, not 2.4.0" in task.detail


def test_an_absence_only_delays(world: World, orchestrator: Sandbox, receiver: Receiver) -> None:
    orchestrator.absence.begin(3600)
    rollout.running_task(world)
    at = timezone.now()
    upgrades.dispatch_due(world.group, at=at)
    assert delivery.deliver_due(at=at).postponed == 1

    orchestrator.absence.begin(0)
    assert delivery.deliver_due(at=at + timedelta(hours=1)).delivered == 1
    counted = settled(orchestrator)
    passed_on(receiver)

    assert verified(world, orchestrator).status == UpgradeTask.Status.SUCCEEDED
    assert (counted["orders"], counted["faults"]["absences"]) == (1, 1)
