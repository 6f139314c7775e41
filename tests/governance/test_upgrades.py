"""Upgrade tasks: handed over once, written back in any order, judged by the next manifest."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import decisions, drift, plans, upgrades, wire
from governance.models import Finding, Plan, UpgradeTask
from governance.orchestrator import OrderStatus
from tests.factories import AT, World
from tests.governance import rollout

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
LATER = AT + timedelta(minutes=5)


def said(task: UpgradeTask, status: str, *, order: str = "order-1") -> UpgradeTask:
    word = OrderStatus(order, str(task.pk), status, "", LATER)
    upgrades.write_back(word, actor=SYSTEM, at=LATER)
    return UpgradeTask.objects.get(pk=task.pk)


def dispatched(world: World) -> UpgradeTask:
    task = rollout.running_task(world)
    assert upgrades.dispatch_due(world.group, at=AT) == 1
    return UpgradeTask.objects.get(pk=task.pk)


def test_a_task_is_handed_over_once(world: World) -> None:
    task = dispatched(world)

    assert upgrades.dispatch_due(world.group, at=LATER) == 0
    [message] = OutboxMessage.objects.filter(destination="orchestrator")
    assert message.idempotency_key == task.idempotency_key
    [step] = message.payload["steps"]
    assert step == {"plugin": "crm", "from": "2.3.0", "to": "2.4.0"}


def test_an_orchestrator_may_give_up_what_it_began(world: World) -> None:
    task = dispatched(world)
    said(task, "running")

    assert said(task, "cancelled").status == Status.CANCELLED


def test_a_task_that_others_named_is_none_of_ours(world: World) -> None:
    dispatched(world)
    word = OrderStatus("order-1", "JIRA-17", "succeeded", "", LATER)

    assert upgrades.write_back(word, actor=SYSTEM, at=LATER) is None


@pytest.mark.parametrize("answer", ["no JSON", "[]", '{"id": "order-1", "task": "t", "status": "lost"}'])
def test_an_answer_that_makes_no_sense_changes_nothing(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    settings.ORCHESTRATOR_URL = "http://orchestrator.test"
    task = dispatched(world)
    said(task, "running")

    def get(url: str, **_options: object) -> httpx.Response:
        return httpx.Response(200, text=answer, request=httpx.Request("GET", url))

    monkeypatch.setattr(wire.client(), "get", get)

    assert upgrades.poll(world.group, at=LATER + timedelta(minutes=5)) == 0
    task.refresh_from_db()
    assert task.status == Status.RUNNING


def test_orders_that_nobody_asked_about_yet_come_first(
    world: World, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ORCHESTRATOR_URL = "http://orchestrator.test"
    asked: list[str] = []

    def refuse(order: str) -> OrderStatus:
        asked.append(order)
        raise httpx.DecodingError("no sense")

    monkeypatch.setattr(upgrades, "POLLED", 1)
    monkeypatch.setattr("governance.orchestrator.ask", refuse)
    task = said(dispatched(world), "running")
    task.pk, task.tenant, task.order_id = uuid4(), world.tenant_a, "order-2"
    task.idempotency_key, task.checked_at = "another", None
    task.save(force_insert=True)
    for minutes in (5, 10):
        upgrades.poll(world.group, at=LATER + timedelta(minutes=minutes))
    assert asked == ["order-2", "order-1"]


def test_a_paused_plan_hands_nothing_over(world: World) -> None:
    task = rollout.running_task(world)
    plans.pause(task.plan, actor=SYSTEM, at=AT)

    assert upgrades.dispatch_due(world.group, at=AT) == 0


def test_with_the_sync_flag_off_nothing_is_handed_over_and_the_task_says_why(world: World) -> None:
    task = rollout.running_task(world)
    world.group.sync_enabled = False
    world.group.save()

    assert upgrades.dispatch_due(world.group, at=AT) == 0
    task.refresh_from_db()
    assert "plugin-multi-tenant-sync" in task.wait_reason


def test_what_every_waiting_task_says_is_written_once_and_taken_back(world: World) -> None:
    task = rollout.running_task(world)
    world.group.sync_enabled = False
    world.group.save()
    upgrades.dispatch_due(world.group, at=AT)
    with CaptureQueriesContext(connection) as captured:
        upgrades.dispatch_due(world.group, at=AT)
    assert not [query for query in captured.captured_queries if query["sql"].startswith("UPDATE")]
    plans.pause(task.plan, actor=SYSTEM, at=AT)
    assert UpgradeTask.objects.get().wait_reason == "The plan is paused."


def test_words_that_come_twice_late_or_in_another_order_change_nothing(world: World) -> None:
    task = dispatched(world)

    assert said(task, "succeeded").status == Status.VERIFYING
    entries = Entry.objects.count()
    for late in ("running", "accepted", "succeeded"):
        assert said(task, late).status == Status.VERIFYING
    assert Entry.objects.count() == entries


def test_a_word_about_another_order_is_not_believed(world: World) -> None:
    task = said(dispatched(world), "running")

    assert said(task, "succeeded", order="someone-elses").status == Status.RUNNING


def test_the_next_manifest_that_shows_the_target_verifies(world: World) -> None:
    task = said(dispatched(world), "succeeded")
    rollout.report(world, "tenant-b", "2.4.0", LATER + timedelta(minutes=1))

    assert upgrades.verify(world.group, at=LATER)["verified"] == 1

    task.refresh_from_db()
    plan = Plan.objects.get(pk=task.plan_id)
    assert (task.status, plan.status) == (Status.SUCCEEDED, Plan.Status.COMPLETED)


def test_a_manifest_from_before_the_hand_over_proves_nothing(world: World) -> None:
    task = said(dispatched(world), "succeeded")

    assert upgrades.verify(world.group, at=LATER) == {"verified": 0, "verify_failed": 0}
    task.refresh_from_db()
    assert task.status == Status.VERIFYING


def test_success_that_the_next_manifest_does_not_show_is_a_failed_verification(world: World) -> None:
    task = said(dispatched(world), "succeeded")
    rollout.report(world, "tenant-b", "2.3.0", LATER + timedelta(minutes=1))

    assert upgrades.verify(world.group, at=LATER)["verify_failed"] == 1

    task.refresh_from_db()
    assert task.status == Status.VERIFY_FAILED
    assert "crm is 2.3.0, not 2.4.0" in task.detail
    assert Finding.objects.open().get().status == Finding.Status.VERIFY_FAILED


def test_a_late_manifest_still_verifies_what_had_failed(world: World) -> None:
    task = said(dispatched(world), "succeeded")
    rollout.report(world, "tenant-b", "2.3.0", LATER + timedelta(minutes=1))
    upgrades.verify(world.group, at=LATER)
    rollout.report(world, "tenant-b", "2.4.0", LATER + timedelta(minutes=4))

    upgrades.verify(world.group, at=LATER)

    task.refresh_from_db()
    assert task.status == Status.SUCCEEDED


def test_without_any_manifest_the_verification_fails_in_the_end(world: World, settings: LazySettings) -> None:
    settings.VERIFY_WITHIN = timedelta(hours=2)
    task = dispatched(world)
    said(task, "succeeded")
    nothing = {"verified": 0, "verify_failed": 0}
    assert upgrades.verify(world.group, at=LATER + timedelta(minutes=119)) == nothing

    upgrades.verify(world.group, at=LATER + timedelta(hours=2))

    task.refresh_from_db()
    assert (task.status, task.detail) == (Status.VERIFY_FAILED, "no manifest since 2026-03-02 09:05 UTC")
    assert Finding.objects.get().status == Finding.Status.VERIFY_FAILED
    assert upgrades.verify(world.group, at=LATER + timedelta(hours=3)) == nothing


def test_a_manifest_after_that_still_settles_it(world: World, settings: LazySettings) -> None:
    settings.VERIFY_WITHIN = timedelta(hours=2)
    task = dispatched(world)
    said(task, "succeeded")
    upgrades.verify(world.group, at=LATER + timedelta(hours=2))
    rollout.report(world, "tenant-b", "2.4.0", LATER + timedelta(hours=3))

    upgrades.verify(world.group, at=LATER + timedelta(hours=3))

    task.refresh_from_db()
    assert task.status == Status.SUCCEEDED


def test_the_finding_follows_its_task(world: World) -> None:
    task = dispatched(world)
    finding = Finding.objects.open().get()
    assert finding.status == Finding.Status.IN_PROGRESS

    task = said(task, "failed")

    finding.refresh_from_db()
    assert finding.status == Finding.Status.PLANNED
    upgrades.move(task, Status.GIVEN_UP, actor=SYSTEM, at=LATER)

    finding.refresh_from_db()
    assert finding.status == Finding.Status.NEW


def test_after_it_was_given_up_the_next_plan_has_a_task_of_its_own(world: World) -> None:
    task = said(dispatched(world), "failed")
    upgrades.move(task, Status.GIVEN_UP, actor=SYSTEM, at=LATER)
    drift.detect(world.group, at=LATER)
    decisions.evaluate(world.group, at=LATER, actor=SYSTEM)

    again = plans.draft(world.group, at=LATER, actor=SYSTEM)

    assert again is not None
    assert again.tasks.get().idempotency_key != task.idempotency_key


def test_what_a_later_task_did_isnt_taken_for_the_work_of_one_before(world: World) -> None:
    task = dispatched(world)
    UpgradeTask.objects.update(status=Status.VERIFY_FAILED)
    later = UpgradeTask(
        group_id=task.group_id, plan_id=task.plan_id, tenant_id=task.tenant_id, steps=task.steps
    )
    later.idempotency_key, later.created_at = "later", AT + timedelta(hours=1)
    later.save()
    rollout.report(world, "tenant-b", "2.4.0", AT + timedelta(hours=2))

    upgrades.verify(world.group, at=AT + timedelta(hours=2))

    task.refresh_from_db()
    assert task.status == Status.VERIFY_FAILED
