"""What a plan's tasks are made of: the drift behind their changes, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.access import SYSTEM
from governance import decisions, drift, plans
from governance.models import Advisory, Finding, Plugin, Policy, Release, ReleaseAdvisory, UpgradeTask
from tests import factories
from tests.factories import AT, World

pytestmark = pytest.mark.django_db

ENFORCE = {"mode": "enforce", "prefer": "newest", "sla": {"medium": 14, "high": 3}}
REMIND = {"mode": "remind", "prefer": "newest", "sla": {"critical": 1}}


def floor(
    world: World,
    name: str,
    version: str = "2.4.0",
    *,
    plugin: str = "crm",
    severity: str = "medium",
    **more: Any,
) -> Policy:
    rule = {"name": "floor", "plugins": [plugin], "at_least": version, "severity": severity}
    return factories.policy(world.group, name, [rule], **{"profile": ENFORCE, **more})


def tasks(world: World) -> list[UpgradeTask]:
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    return list(plan.tasks.order_by("tenant_id")) if plan is not None else []


@pytest.fixture
def crm(world: World) -> Plugin:
    """Both tenants lag behind, in two plugins."""
    factories.plugin(world.group, "chat", ["1.0.0", "1.1.0"])
    made = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0", "chat": "1.0.0"})
    return made


def test_only_drift_that_its_changes_mend_makes_a_task_urgent(world: World, crm: Plugin) -> None:
    floor(world, "usual")
    floor(world, "urgent", severity="high")
    floor(world, "asked", severity="critical", profile=REMIND)
    floor(world, "other", "1.1.0", plugin="chat", severity="critical", profile=REMIND)
    exempt = floor(world, "exempt", severity="critical")
    factories.exemption(world.tenant_b, exempt, until=AT + timedelta(days=1))
    advisory = Advisory.objects.create(group=world.group, plugin=crm, identifier="ADV-1")
    ReleaseAdvisory.objects.create(
        release=Release.objects.get(plugin=crm, version="2.3.0"), advisory=advisory
    )
    _, task = tasks(world)
    assert (task.tenant_id, [step["plugin"] for step in task.steps]) == (world.tenant_b.pk, ["crm"])
    assert task.due_at == AT + timedelta(days=3)
    assert {one["because"]: one["points"] for one in task.priority_because} == {
        "high severity": 300,
        "security warnings on what runs now": 150,
        "the policies’ weight": 10,
    }


def test_a_task_whose_drift_has_no_service_level_is_never_due(world: World, crm: Plugin) -> None:
    floor(world, "floor", profile={"mode": "enforce", "sla": {}})
    drift.detect(world.group, at=AT)
    Finding.objects.update(due_at=None)
    assert [task.due_at for task in tasks(world)] == [None, None]


def test_tenants_that_are_alike_have_equal_steps_and_dates_of_their_own(world: World, crm: Plugin) -> None:
    floor(world, "floor")
    drift.detect(world.group, at=AT)
    Finding.objects.filter(tenant=world.tenant_a).update(due_at=AT + timedelta(days=1))
    one, other = tasks(world)
    assert (one.steps, one.situation_digest) == (other.steps, other.situation_digest)
    assert (one.due_at, other.due_at) == (AT + timedelta(days=1), AT + timedelta(days=14))


def test_more_tenants_cost_no_more_statements(world: World, crm: Plugin) -> None:
    floor(world, "floor")
    with CaptureQueriesContext(connection) as few:
        assert len(tasks(world)) == 2
    for number in range(6):
        factories.install(factories.tenant(world.group, f"more-{number}"), {"crm": "2.3.0"})
    UpgradeTask.objects.all().delete()
    with CaptureQueriesContext(connection) as many:
        assert len(tasks(world)) == 8
    assert len(many) <= len(few) + 2  # the plan that was there before is given back
