"""Upgrade tasks that failed: tried again as new orders, then given up."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import plans, policies, profiles, retries, upgrades
from governance.handovers import ToOrchestrator
from governance.models import Finding, Plan, Policy, UpgradeTask
from governance.orchestrator import OrderStatus
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
MINUTE = timedelta(minutes=1)


def said(task: UpgradeTask, status: str, order: str, at: datetime) -> UpgradeTask:
    upgrades.write_back(OrderStatus(order, str(task.pk), status, "disk full", at), actor=SYSTEM, at=at)
    return UpgradeTask.objects.get(pk=task.pk)


def failed(world: World) -> UpgradeTask:
    """A task whose first attempt the orchestrator reports failed."""
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    return said(task, "failed", "order-1", AT)


def work(world: World, at: datetime) -> UpgradeTask:
    retries.queue_due(world.group, at=at)
    upgrades.dispatch_due(world.group, at=at)
    return UpgradeTask.objects.get()


def test_a_failed_task_waits_for_its_delay_and_says_so(world: World) -> None:
    task = failed(world)
    assert (task.status, task.not_before) == (Status.FAILED, AT + 5 * MINUTE)
    assert task.wait_reason == "Attempt 1 of 3 failed; the next follows at 2026-03-02 09:05 UTC."
    assert work(world, AT + 4 * MINUTE).status == Status.FAILED
    assert work(world, AT + 5 * MINUTE).status == Status.DISPATCHED


def test_a_new_attempt_is_a_new_order(world: World) -> None:
    failed(world)
    work(world, AT + 5 * MINUTE)
    first, second = OutboxMessage.objects.filter(destination="orchestrator").order_by("created_at")
    assert second.idempotency_key == f"{first.idempotency_key}-attempt-2"
    assert second.payload == first.payload


def test_what_is_still_said_of_the_failed_order_changes_nothing(world: World) -> None:
    task = failed(world)
    assert said(task, "cancelled", "order-1", AT).status == Status.FAILED
    work(world, AT + 5 * MINUTE)
    entries = Entry.objects.count()
    for late in ("running", "failed", "succeeded", "cancelled"):
        assert said(task, late, "order-1", AT + 6 * MINUTE).status == Status.DISPATCHED
    assert Entry.objects.count() == entries
    assert said(task, "running", "order-2", AT + 6 * MINUTE).status == Status.RUNNING


def test_after_its_last_attempt_it_is_given_up(world: World) -> None:
    task = failed(world)
    work(world, AT + 5 * MINUTE)
    assert said(task, "failed", "order-2", AT + 6 * MINUTE).not_before == AT + 36 * MINUTE
    work(world, AT + 36 * MINUTE)
    task = said(task, "failed", "order-3", AT + 40 * MINUTE)
    assert (task.status, task.attempts, task.detail) == (Status.GIVEN_UP, 3, "disk full")
    assert task.finished_at == AT + 40 * MINUTE
    assert Finding.objects.open().get().status == Finding.Status.NEW
    assert Plan.objects.get().status == Plan.Status.COMPLETED


@pytest.mark.parametrize(
    ("retried", "delays"),
    [
        ({}, [5, 30]),
        ({"attempts": 1}, []),
        ({"attempts": 4, "delays": ["10min", "2h"]}, [10, 120, 120]),
    ],
)
def test_a_profile_says_how_often_and_when(retried: dict[str, Any], delays: list[int]) -> None:
    found = profiles.settings({"mode": "enforce", "retries": retried}).retry_delays
    assert [delay / MINUTE for delay in found] == delays


def test_where_policies_differ_the_most_cautious_counts(world: World) -> None:
    rollout.world_behind(world)
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    patient = {**rollout.PROFILE, "retries": {"attempts": 2, "delays": ["1h"]}}
    factories.policy(world.group, "patient", [rule], profile=patient)
    policies.settle(world.group, actor=SYSTEM, at=AT)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    assert plan.tasks.get().retry_delays == [3600.0]


def test_a_tenant_that_changed_meanwhile_is_left_to_the_next_plan(world: World) -> None:
    failed(world)
    rollout.report(world, "tenant-b", "2.2.0", AT + MINUTE)
    task = work(world, AT + 5 * MINUTE)
    assert task.status == Status.GIVEN_UP
    assert "something changed in the tenant" in task.detail
    assert OutboxMessage.objects.filter(destination="orchestrator").count() == 1


def test_a_manifest_that_shows_the_target_after_all_settles_it(world: World) -> None:
    failed(world)
    rollout.report(world, "tenant-b", "2.4.0", AT + MINUTE)
    assert upgrades.verify(world.group, at=AT + MINUTE)["verified"] == 1
    assert UpgradeTask.objects.get().status == Status.SUCCEEDED


def test_a_manifest_that_does_not_leaves_the_next_attempt_to_it(world: World) -> None:
    failed(world)
    rollout.report(world, "tenant-b", "2.3.0", AT + MINUTE)
    assert upgrades.verify(world.group, at=AT + MINUTE) == {"verified": 0, "verify_failed": 0}
    assert UpgradeTask.objects.get().status == Status.FAILED


def test_a_paused_plan_retries_nothing_until_it_goes_on(world: World) -> None:
    failed(world)
    plans.pause(Plan.objects.get(), actor=SYSTEM, at=AT)
    assert work(world, AT + 10 * MINUTE).status == Status.FAILED
    plans.resume(Plan.objects.get(), actor=SYSTEM, at=AT)
    assert work(world, AT + 10 * MINUTE).status == Status.DISPATCHED


def test_a_cancelled_plan_drops_what_waits_for_its_next_attempt(world: World) -> None:
    failed(world)
    plans.cancel(Plan.objects.get(), actor=SYSTEM, at=AT)
    assert UpgradeTask.objects.get().status == Status.CANCELLED


def test_what_fails_after_its_plan_was_cancelled_is_given_up(world: World) -> None:
    task = rollout.running_task(world)
    upgrades.dispatch_due(world.group, at=AT)
    plans.cancel(Plan.objects.get(), actor=SYSTEM, at=AT)
    assert said(task, "failed", "order-1", AT).status == Status.GIVEN_UP


def test_a_policy_that_is_paused_is_not_retried(world: World) -> None:
    failed(world)
    policies.pause(Policy.objects.get(name="core"), actor=SYSTEM, at=AT)
    assert UpgradeTask.objects.get().status == Status.CANCELLED


def test_a_late_answer_to_the_failed_attempt_isnt_taken_for_the_new_ones(world: World) -> None:
    task = failed(world)
    first = OutboxMessage.objects.get(destination="orchestrator")
    work(world, AT + 5 * MINUTE)
    ToOrchestrator().settle(first, {"id": "order-1"}, AT + 6 * MINUTE)
    assert said(task, "running", "order-2", AT + 7 * MINUTE).status == Status.RUNNING


def test_giving_up_the_message_of_the_failed_attempt_leaves_the_new_one(world: World) -> None:
    failed(world)
    first = OutboxMessage.objects.get(destination="orchestrator")
    task = work(world, AT + 5 * MINUTE)
    ToOrchestrator().give_up(first, "nobody answers", AT + 6 * MINUTE)
    task.refresh_from_db()
    assert task.status == Status.DISPATCHED
