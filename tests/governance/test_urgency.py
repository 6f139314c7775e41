"""How urgent a task is, and what that makes of the queue."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from config.access import SYSTEM
from governance import decisions, drift, plans, urgency
from governance.models import Advisory, Plan, ReleaseAdvisory, UpgradeTask
from tenants.models import Tenant
from tests import factories
from tests.factories import AT, World

MOMENTS = st.integers(0, 1500).map(lambda hours: AT + timedelta(hours=hours))
POINTS = st.integers(0, 1000)


@given(POINTS, MOMENTS, POINTS, MOMENTS, st.integers(0, 500))
def test_whoever_has_more_points_and_waiting_goes_first_at_any_time(
    mine: int, made: datetime, yours: int, yours_made: datetime, hours: int
) -> None:
    now = max(made, yours_made) + timedelta(hours=hours)
    urgent = mine * urgency.POINT + (now - made) > yours * urgency.POINT + (now - yours_made)
    place = urgency.place(mine, created_at=made, due_at=None)
    assert (place < urgency.place(yours, created_at=yours_made, due_at=None)) == urgent


@given(POINTS, MOMENTS)
def test_nothing_waits_for_ever(points: int, made: datetime) -> None:
    least = urgency.place(0, created_at=made, due_at=None)
    later = made + (points + 1) * urgency.POINT
    assert least < urgency.place(points, created_at=later, due_at=None)


@given(POINTS, MOMENTS, st.integers(0, 400), st.integers(0, 400))
def test_the_sooner_it_is_due_the_sooner_it_goes(
    points: int, made: datetime, first: int, second: int
) -> None:
    sooner, later = sorted([first, second])
    places = [
        urgency.place(points, created_at=made, due_at=made + timedelta(hours=hours))
        for hours in (sooner, later)
    ]
    assert places[0] <= places[1] <= urgency.place(points, created_at=made, due_at=None)


def test_the_points_are_told_with_their_reasons() -> None:
    said = urgency.reasons(severities=["low", "high"], warnings=2, weight=200)
    told = [reason.because for reason in said]
    assert told == ["high severity", "security warnings on what runs now", "the policies’ weight"]
    assert urgency.priority(said) == 300 + 150 + 20


def test_a_security_warning_on_what_runs_now_goes_first(world: World) -> None:
    for name, tenant in (("crm", world.tenant_a), ("erp", world.tenant_b)):
        plugin = factories.plugin(world.group, name, ["1.0.0", "1.1.0"])
        factories.install(tenant, {name: "1.0.0"})
        rule = {"name": name, "plugins": [name], "at_least": "1.1.0"}
        factories.policy(world.group, name, [rule], profile={"mode": "enforce"})
    warning = Advisory.objects.create(group=world.group, plugin=plugin, identifier="W-1", title="Hole")
    ReleaseAdvisory.objects.create(advisory=warning, release=factories.release(plugin, "1.0.0"))
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    assert [task.tenant for task in plan.tasks.order_by("queue_at")] == [world.tenant_b, world.tenant_a]


@pytest.mark.django_db
def test_the_queues_order_is_read_from_the_index(world: World) -> None:
    plan = Plan.objects.create(
        group=world.group, number=1, snapshot_number=1, inputs_digest="", status="running",
        created_by_name="x", created_at=AT,
    )  # fmt: skip
    tenants = Tenant.objects.bulk_create(Tenant(group=world.group, key=f"t-{n}") for n in range(3000))
    UpgradeTask.objects.bulk_create(
        UpgradeTask(
            group=world.group, plan=plan, tenant=tenant, steps=[], situation_digest="", created_at=AT,
            idempotency_key=tenant.key, queue_at=AT + timedelta(seconds=tenant.pk * 7919 % 3001),
        )
        for tenant in tenants
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE governance_upgradetask, governance_plan")
    explained = UpgradeTask.objects.filter(group=world.group).claimable(AT)[:50].explain()
    assert "upgrade_task_queue" in explained
    assert "Sort" not in explained
