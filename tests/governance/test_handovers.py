"""Orders on their way to the orchestrator, by the batch."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from config.access import SYSTEM
from governance import decisions, delivery, drift, orchestrator, plans, upgrades
from governance.models import Plan, UpgradeTask
from governance.orchestrator import OrderStatus
from tests import factories
from tests.factories import AT, World

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status


@pytest.fixture(autouse=True)
def _orchestrator(settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that takes every order."""

    def hand_over(payload: dict[str, Any], *, idempotency_key: str) -> dict[str, Any]:
        return {"id": f"order of {payload['tenant']}"}

    settings.ORCHESTRATOR_URL = "http://orchestrator.example"
    monkeypatch.setattr(orchestrator, "hand_over", hand_over)


def dispatched(world: World, tenants: int) -> Plan:
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for number in range(tenants):
        factories.install(factories.tenant(world.group, f"tenant-{number:02}"), {"crm": "2.3.0"})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce"})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    plans.start(plan, actor=SYSTEM, at=AT)
    assert upgrades.dispatch_due(world.group, at=AT) == tenants
    return plan


def test_many_are_accepted_together_each_with_its_order_and_its_entry(world: World) -> None:
    plan = dispatched(world, 12)
    with CaptureQueriesContext(connection) as asked:
        assert delivery.deliver_due(at=AT).delivered == 12
    assert len(asked) < 30
    rows = plan.tasks.values_list("status", "order_id", "tenant__key")
    assert {(status, order) for status, order, _ in rows} == {
        (Status.ACCEPTED, f"order of {key}") for _, _, key in rows
    }
    said = Entry.objects.filter(subject_kind="upgradetask", data__status="accepted")
    assert {entry.data["order"] for entry in said} == {order for _, order, _ in rows}


def test_what_a_callback_said_before_the_answer_stands(world: World) -> None:
    plan = dispatched(world, 2)
    fast = plan.tasks.get(tenant__key="tenant-01")
    word = OrderStatus("order of tenant-01", str(fast.pk), "succeeded", "", AT)
    upgrades.write_back(word, actor=SYSTEM, at=AT)
    assert delivery.deliver_due(at=AT).delivered == 2
    assert dict(plan.tasks.values_list("tenant__key", "status")) == {
        "tenant-00": Status.ACCEPTED,
        "tenant-01": Status.VERIFYING,
    }


def test_those_of_a_cancelled_plan_stay_here(world: World) -> None:
    plan = dispatched(world, 3)
    Plan.objects.filter(pk=plan.pk).update(status=Plan.Status.CANCELLED)
    assert delivery.deliver_due(at=AT).delivered == 3
    assert set(plan.tasks.values_list("status", "order_id")) == {(Status.CANCELLED, "")}
