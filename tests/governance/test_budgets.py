"""Failure budgets: a plan that fails too often pauses by itself."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import budgets, decisions, drift, notifications, plans, upgrades
from governance.models import Notification, Plan, UpgradeTask, WebhookSubscription
from tests import factories
from tests.factories import AT, World

Status = UpgradeTask.Status


def running(world: World, **profile: Any) -> Plan:
    """A started plan for four tenants, in one ring."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for key in "1234":
        factories.install(factories.tenant(world.group, f"site-{key}"), {"crm": "2.3.0"})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce", **profile})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    plans.start(plan, actor=SYSTEM, at=AT)
    return plan


def fail(plan: Plan, number: int, to: Status = Status.GIVEN_UP) -> None:
    task = plan.tasks.get(tenant__key=f"site-{number}")
    source = Status.VERIFYING if to == Status.VERIFY_FAILED else Status.RUNNING
    UpgradeTask.objects.filter(pk=task.pk).update(status=source)
    upgrades.move(task, to, actor=SYSTEM, at=AT)
    plan.refresh_from_db()


@given(st.integers(0, 50), st.integers(1, 50), st.integers(0, 100))
def test_a_budget_is_spent_when_more_failed_than_its_share(failed: int, total: int, percent: int) -> None:
    failed = min(failed, total)
    assert budgets.overspent(failed, total, percent) == (failed / total > percent / 100)


@pytest.mark.parametrize("to", [Status.GIVEN_UP, Status.VERIFY_FAILED])
def test_a_plan_pauses_by_itself_once_its_budget_is_spent(world: World, to: Status) -> None:
    plan = running(world, failure_budget=25)
    fail(plan, 1, to)
    assert plan.status == Plan.Status.RUNNING
    fail(plan, 2, to)
    assert plan.status == Plan.Status.PAUSED
    assert plan.pause_reason == "2 of the 4 tasks in ring 1 failed; the failure budget allows 25 %."
    entry = Entry.objects.get(action="plan.paused")
    assert (entry.actor_name, entry.data["reason"]) == ("plumbline", plan.pause_reason)
    assert upgrades.dispatch_due(world.group, at=AT) == 0


def test_the_owners_are_told_once(world: World) -> None:
    plan = running(world, failure_budget=0)
    fail(plan, 1)
    [message] = OutboxMessage.objects.filter(destination="notify")
    notifications.receive(world.group.pk, message.payload, idempotency_key=message.idempotency_key, at=AT)
    told = Notification.objects.get()
    assert (told.user, told.kind) == (world.owner, Notification.Kind.ALERT)
    assert "has paused by itself" in told.subject
    assert plan.pause_reason in told.body


def test_whoever_resumes_it_has_seen_what_failed(world: World) -> None:
    plan = running(world, failure_budget=25)
    fail(plan, 1)
    fail(plan, 2)
    plans.resume(plan, actor=SYSTEM, at=AT)
    assert (plan.status, plan.pause_reason) == (Plan.Status.RUNNING, "")
    UpgradeTask.objects.filter(status=Status.GIVEN_UP).update(status=Status.SUCCEEDED)
    fail(plan, 3)
    assert plan.status == Plan.Status.RUNNING


def test_with_nothing_left_to_hand_over_there_is_nothing_to_pause(world: World) -> None:
    plan = running(world, failure_budget=0)
    plan.tasks.exclude(tenant__key="site-1").update(status=Status.SUCCEEDED)
    fail(plan, 1)
    assert plan.status == Plan.Status.COMPLETED


def test_one_alert_is_raised_about_a_plan_that_ends_with_failures(world: World) -> None:
    plan = running(world, failure_budget=100)
    WebhookSubscription.objects.create(
        group=world.group, name="chat", url="https://chat.example.org/", secret="whsec_c2VjcmV0"
    )
    plan.tasks.exclude(tenant__key__in=["site-1", "site-2"]).update(status=Status.SUCCEEDED)
    fail(plan, 1)
    assert not OutboxMessage.objects.filter(destination="webhook").exists()
    fail(plan, 2)
    [message] = OutboxMessage.objects.filter(destination="webhook")
    assert message.payload["subject"] == "enforcement_failed"
    assert message.payload["data"]["failed"] == 2


def test_the_page_says_why(world: World, client: Client) -> None:
    plan = running(world, failure_budget=0)
    fail(plan, 1)
    client.force_login(world.owner)
    page = client.get(f"/g/acme/plans/{plan.pk}/").content.decode()
    assert "1 of the 4 tasks in ring 1 failed" in page
