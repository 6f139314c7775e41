"""Rings: a later one begins once those before have succeeded for long enough."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from audit.models import Entry
from config.access import SYSTEM
from governance import decisions, drift, pipeline, plans, profiles, rings, rollouts, upgrades, waiting
from governance.models import Plan, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import shell

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
HOUR = timedelta(hours=1)
RINGS: list[dict[str, Any]] = [
    {"name": "pilot", "tenants": {"keys": ["tenant-b"]}},
    {"name": "broad", "tenants": "*", "wait": "2d"},
]


def running(world: World, *, beside: dict[str, Any] | None = None, **profile: Any) -> Plan:
    """A started plan in which both tenants are behind, `beside` being another policy's profile."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce", **profile})
    if beside is not None:
        factories.policy(world.group, "other", [rule], profile={"mode": "enforce", **beside})
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    plans.start(plan, actor=SYSTEM, at=AT)
    return plan


def finish(plan: Plan, key: str, at: datetime, to: Status = Status.SUCCEEDED) -> None:
    task = plan.tasks.get(tenant__key=key)
    UpgradeTask.objects.filter(pk=task.pk).update(status=Status.VERIFYING)
    upgrades.move(task, to, actor=SYSTEM, at=at)


def why(plan: Plan, at: datetime) -> waiting.Explanation | None:
    task = plan.tasks.select_related("group", "tenant", "plan").get(tenant__key="tenant-a")
    return waiting.explain_one(task, at=at)


def test_a_ring_begins_only_after_the_one_before_has_succeeded_for_long_enough(world: World) -> None:
    plan = running(world, rings=RINGS)
    assert upgrades.dispatch_due(world.group, at=AT) == 1
    assert plan.tasks.get(tenant=world.tenant_a).wait_reason == "Its ring follows later."
    assert upgrades.dispatch_due(world.group, at=AT + timedelta(days=9)) == 0
    finish(plan, "tenant-b", AT + timedelta(days=9))
    assert upgrades.dispatch_due(world.group, at=AT + timedelta(days=11) - HOUR) == 0
    assert upgrades.dispatch_due(world.group, at=AT + timedelta(days=11)) == 1
    assert Entry.objects.get(action="plan.ring_opened").data == {"ring": 2, "tasks": 1}


def test_what_its_ring_waits_for_is_told(world: World) -> None:
    plan = running(world, rings=RINGS)
    told = "Ring 2 (broad) follows once the rings before have succeeded: 1 to go."
    assert why(plan, AT) == waiting.Explanation(told)
    finish(plan, "tenant-b", AT)
    told = "Ring 2 (broad) follows at 2026-03-04 09:00 UTC, if nothing goes wrong till then."
    assert why(plan, AT) == waiting.Explanation(told, None, AT + timedelta(days=2))


def test_after_a_pause_a_later_ring_still_says_that_it_follows_later(world: World) -> None:
    plan = running(world, rings=RINGS)
    plans.pause(plan, actor=SYSTEM, at=AT, reason="Customers call.")
    plans.resume(plan, actor=SYSTEM, at=AT)
    assert plan.tasks.get(tenant=world.tenant_a).wait_reason == "Its ring follows later."


def test_a_failed_pilot_keeps_the_next_ring_closed(world: World) -> None:
    plan = running(world, rings=RINGS)
    finish(plan, "tenant-b", AT, Status.VERIFY_FAILED)
    plan.refresh_from_db()
    assert plan.status == Plan.Status.PAUSED
    assert upgrades.dispatch_due(world.group, at=AT + timedelta(days=9)) == 0


def test_the_first_ring_may_wait_too(world: World) -> None:
    running(world, rings=[{**RINGS[1], "wait": "3h"}])
    assert upgrades.dispatch_due(world.group, at=AT + 2 * HOUR) == 0
    assert upgrades.dispatch_due(world.group, at=AT + 3 * HOUR) == 2


def test_a_run_goes_on_to_the_rings_that_need_no_wait_and_leaves_the_others(world: World) -> None:
    plan = running(world, rings=[RINGS[0], {"name": "broad", "tenants": "*"}])
    assert rings.reachable(plan) == 1
    plan.tasks.filter(ring=1).update(ring_wait=HOUR)
    assert rings.reachable(plan) == 0
    run = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    Run.objects.filter(pk=run.pk).update(plan=plan, stage=Run.Stage.VERIFY)
    assert pipeline.advance_run(run.pk, clock=lambda: AT).status == Run.Status.ACTING
    finish(plan, "tenant-b", AT)
    after = pipeline.advance_run(run.pk, clock=lambda: AT)
    assert (after.status, after.figures["verify"]["left_under_way"]) == (Run.Status.COMPLETED, 1)


@given(st.integers(1, 99))
def test_a_share_always_means_the_same_tenants_and_about_so_many(percent: int) -> None:
    keys = [f"tenant-{number}" for number in range(2000)]
    chosen = {key for key in keys if rollouts.share_of(key) < percent}
    assert abs(len(chosen) / 20 - percent) < 5
    assert chosen <= {key for key in keys if rollouts.share_of(key) < percent + 1}


def test_rings_by_share_come_one_after_the_other(world: World) -> None:
    shares = sorted(rollouts.share_of(tenant.key) for tenant in (world.tenant_a, world.tenant_b))
    plan = running(world, rings=[{"name": "few", "share": shares[1]}, {"name": "all", "share": 100}])
    first, second = plan.tasks.select_related("tenant").order_by("ring")
    assert (first.ring, second.ring) == (0, 1)
    assert rollouts.share_of(first.tenant.key) == shares[0]


def test_a_plan_calls_its_rings_as_the_profile_does(world: World) -> None:
    plan = running(world, rings=RINGS)
    assert rings.names(plan) == ["pilot", "broad"]
    plan.tasks.filter(ring=1).update(ring_name="")  # as of a plan that was made before names were kept
    assert rings.names(plan) == ["pilot", "2"]
    assert [rings.in_words(1, name) for name in ("broad", "", None)] == ["2 (broad)", "2", "2"]


def test_a_ring_is_called_as_the_most_cautious_policy_calls_it(world: World) -> None:
    two = [{"name": "first", "tenants": {"keys": ["tenant-b"]}}, {"name": "everyone", "tenants": "*"}]
    three = [RINGS[0], {**RINGS[0], "name": "early"}, RINGS[1]]
    plan = running(world, rings=three, beside={"rings": two})
    assert dict(plan.tasks.values_list("tenant__key", "ring_name")) == {
        "tenant-b": "first",
        "tenant-a": "broad",
    }


def test_pages_and_the_command_give_a_rings_number_and_name(
    world: World, client: Client, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = running(world, rings=RINGS)
    client.force_login(world.owner)
    page = client.get(f"/g/acme/plans/{plan.pk}/").content.decode()
    assert "pilot, then broad" in page
    assert "2 (broad)" in page
    task = plan.tasks.get(tenant=world.tenant_a)
    assert "2 (broad)" in client.get(f"/g/acme/tasks/{task.pk}/").content.decode()
    command = shell(capsys, monkeypatch, "plan")
    assert "2 (broad)" in command("show", plan.number).out
    shown = command("show", plan.number, "--json").json["tasks"][1]
    assert (shown["ring"], shown["ring_name"]) == (2, "broad")


def test_a_ring_without_a_selector_is_about_all() -> None:
    [ring] = profiles.settings({"mode": "enforce", "rings": [{"name": "few", "share": 10}]}).rings
    assert (ring.tenants, ring.share, ring.wait) == ("*", 10, timedelta())
