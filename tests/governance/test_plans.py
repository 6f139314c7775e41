"""Plans: what they ask for, and when they are refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit.models import Entry
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import conflicts, decisions, drift, flags, plans, withdrawals
from governance.models import Conflict, Finding, Plan, Plugin, Policy, Release, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Group, Tenant
from tests import factories
from tests.factories import AT, World

ENFORCE = {"mode": "enforce", "prefer": "newest", "sla": {"medium": 14, "high": 3}}
REMIND = {"mode": "remind", "prefer": "newest"}
Status = UpgradeTask.Status


def rule(name: str, plugin: str = "crm", **value: Any) -> dict[str, Any]:
    return {"name": name, "plugins": [plugin], **value}


def floor(world: World, name: str = "floor", plugin: str = "crm", **more: Any) -> Policy:
    """A policy that wants the newest crm."""
    wish = more.pop("wish", {"at_least": "2.4.0"})
    fields = {"profile": ENFORCE, **more}
    return factories.policy(world.group, name, [rule(name, plugin, **wish)], **fields)


def draft(world: World, **more: Any) -> Plan | None:
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    return plans.draft(world.group, at=AT, actor=SYSTEM, **more)


def drafted(world: World, **more: Any) -> Plan:
    plan = draft(world, **more)
    assert plan is not None
    return plan


def steps(plan: Plan, tenant: Tenant) -> list[tuple[str, str | None, str | None]]:
    return [(s["plugin"], s["from"], s["to"]) for s in plan.tasks.get(tenant=tenant).steps]


def statuses(world: World) -> set[str]:
    return set(Finding.objects.open().values_list("status", flat=True))


def scheduled(world: World) -> Run:
    return Run.objects.create(
        group=world.group, number=1, trigger=Trigger.SCHEDULE, started_by_name="test", started_at=AT
    )


@pytest.fixture
def crm(world: World) -> Plugin:
    """tenant-a is ahead of tenant-b by a minor version."""
    plugin = factories.plugin(world.group, "crm", ["2.2.0", "2.3.0", "2.4.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    return plugin


def test_a_lagging_tenant_gets_a_task_with_its_due_date(world: World, crm: Plugin) -> None:
    floor(world, wish={"same": True})
    plan = drafted(world)
    task = plan.tasks.get()
    assert (task.tenant, task.due_at, task.status) == (world.tenant_b, AT + timedelta(days=14), Status.QUEUED)
    assert steps(plan, world.tenant_b) == [("crm", "2.3.0", "2.4.0")]
    assert task.steps[0]["because"] == "floor wants crm 2.4.0 everywhere"
    assert plan.policy_versions == [{"policy": "floor", "version": 1}]
    assert statuses(world) == {Finding.Status.PLANNED}
    assert Entry.objects.filter(action="plan.drafted", subject_id=str(plan.pk)).exists()


def test_a_plan_that_is_not_started_hands_nothing_over_and_says_why(world: World, crm: Plugin) -> None:
    floor(world)
    task = drafted(world).tasks.get()
    assert not UpgradeTask.objects.claimable(AT).exists()
    assert task.wait_reason == "The plan has not been started."


def test_a_started_plan_lets_its_tasks_be_claimed(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    assert plan.status == Plan.Status.RUNNING
    assert [task.wait_reason for task in UpgradeTask.objects.claimable(AT)] == [""]


def test_nothing_to_do_is_no_plan(world: World, crm: Plugin) -> None:
    floor(world, wish={"at_least": "2.2.0"})
    assert draft(world) is None


def test_a_conflict_waits_for_a_person_and_the_decision_lets_the_plan_go_on(
    world: World, crm: Plugin
) -> None:
    floor(world, "core-align", wish={"same": True})
    factories.policy(world.group, "hold-b", [], kind="hold", plugins=["crm"], tenants={"keys": ["tenant-b"]})
    assert draft(world) is None
    set_aside = [{"policy": "hold-b", "key": "hold"}]
    conflicts.decide(Conflict.objects.get(), set_aside=set_aside, reason="Agreed.", actor=SYSTEM, at=AT)
    assert steps(drafted(world), world.tenant_b) == [("crm", "2.3.0", "2.4.0")]


def test_policies_that_remind_or_observe_change_no_tenant(world: World, crm: Plugin) -> None:
    floor(world, profile=REMIND)
    assert draft(world) is None
    assert Finding.objects.open().get().target == factories.release(crm, "2.4.0")


def test_only_what_enforcing_policies_want_and_need_is_planned(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "core", ["1.0.0", "1.1.0", "1.2.0"])
    factories.plugin(world.group, "chat", ["1.0.0", "1.1.0"])
    Release.objects.filter(plugin=crm, version="2.4.0").update(
        requires=[{"plugin": "core", "range": ">=1.1.0"}]
    )
    factories.install(world.tenant_b, {"crm": "2.3.0", "core": "1.0.0", "chat": "1.0.0"})
    floor(world)
    floor(world, "chatter", "chat", wish={"at_least": "1.1.0"}, profile=REMIND)
    plan = drafted(world)
    assert steps(plan, world.tenant_b) == [("core", "1.0.0", "1.1.0"), ("crm", "2.3.0", "2.4.0")]


def test_a_dependency_is_not_moved_to_what_a_reminding_policy_forbids(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "core", ["1.0.0", "1.1.0", "1.2.0"])
    Release.objects.filter(plugin=crm, version="2.4.0").update(
        requires=[{"plugin": "core", "range": ">=1.1.0"}]
    )
    factories.install(world.tenant_b, {"crm": "2.3.0", "core": "1.0.0"})
    floor(world)
    floor(world, "core-exact", "core", wish={"exactly": "1.2.0"}, profile=REMIND)
    assert steps(drafted(world), world.tenant_b)[0] == ("core", "1.0.0", "1.2.0")


def test_a_plan_may_be_for_some_policies_only(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "chat", ["1.0.0", "1.1.0"])
    factories.install(world.tenant_b, {"crm": "2.3.0", "chat": "1.0.0"})
    floor(world)
    floor(world, "chatter", "chat", wish={"at_least": "1.1.0"})
    assert steps(drafted(world, policy_names=["chatter"]), world.tenant_b) == [("chat", "1.0.0", "1.1.0")]


def test_a_paused_policy_acts_on_nothing(world: World, crm: Plugin) -> None:
    policy = floor(world)
    Policy.objects.filter(pk=policy.pk).update(status=Policy.Status.PAUSED)
    assert draft(world) is None


def test_the_more_urgent_task_goes_first(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "chat", ["1.0.0", "1.1.0"])
    factories.install(world.tenant_a, {"crm": "2.3.0"})
    factories.install(world.tenant_b, {"crm": "2.4.0", "chat": "1.0.0"})
    floor(world)
    floor(world, "chatter", "chat", wish={"at_least": "1.1.0", "severity": "high"})
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    assert [task.tenant for task in UpgradeTask.objects.claimable(AT)] == [world.tenant_b, world.tenant_a]


def test_a_tenant_with_a_task_under_way_gets_no_second_one(world: World, crm: Plugin) -> None:
    floor(world)
    plans.start(drafted(world), actor=SYSTEM, at=AT)
    assert draft(world) is None


def test_drafting_the_same_again_gives_the_same_plan(world: World, crm: Plugin) -> None:
    floor(world)
    assert drafted(world) == drafted(world)


def test_a_new_draft_replaces_one_that_was_never_started(world: World, crm: Plugin) -> None:
    floor(world)
    first = drafted(world)
    factories.install(world.tenant_b, {"crm": "2.2.0"})
    second = drafted(world)
    first.refresh_from_db()
    assert (first.status, second.status) == (Plan.Status.CANCELLED, Plan.Status.DRAFTED)
    assert "since plumbline planned anew" in first.tasks.all()[0].detail
    assert steps(second, world.tenant_b) == [("crm", "2.2.0", "2.4.0")]


def test_a_start_is_refused_when_a_tenant_has_moved(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    factories.install(world.tenant_b, {"crm": "2.2.0"})
    with pytest.raises(plans.WorldMoved, match="tenant-b"):
        plans.start(plan, actor=SYSTEM, at=AT)
    plan.refresh_from_db()
    assert plan.status == Plan.Status.REFUSED
    assert plan.tasks.get().status == Status.CANCELLED
    assert statuses(world) == {Finding.Status.NEW}
    assert Entry.objects.get(action="plan.refused").data["moved"] == ["tenant-b"]


def test_a_start_is_refused_when_a_rule_says_something_else(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    floor(world, wish={"at_least": "2.3.1"})
    with pytest.raises(plans.WorldMoved):
        plans.start(plan, actor=SYSTEM, at=AT)


def test_what_has_nothing_to_do_with_the_plan_may_change(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "chat", ["1.0.0", "1.1.0"])
    factories.install(world.tenant_b, {"crm": "2.3.0", "chat": "1.0.0"})
    floor(world)
    plan = drafted(world)
    factories.install(world.tenant_b, {"crm": "2.3.0", "chat": "1.1.0"})
    plans.start(plan, actor=SYSTEM, at=AT)
    assert plan.status == Plan.Status.RUNNING


def test_no_plan_starts_while_sync_is_off(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    Group.objects.filter(pk=world.group.pk).update(sync_enabled=False)
    with pytest.raises(flags.FlagOff, match="plugin-multi-tenant-sync"):
        plans.start(Plan.objects.get(pk=plan.pk), actor=SYSTEM, at=AT)
    plan.refresh_from_db()
    assert plan.status == Plan.Status.DRAFTED


def test_a_plan_starts_once(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    with pytest.raises(TransitionError):
        plans.start(plan, actor=SYSTEM, at=AT)


def test_a_paused_plan_hands_nothing_over_until_it_is_resumed(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    plans.pause(plan, actor=SYSTEM, at=AT)
    assert not UpgradeTask.objects.claimable(AT).exists()
    assert plan.tasks.get().wait_reason == "The plan is paused."
    plans.resume(plan, actor=SYSTEM, at=AT)
    assert UpgradeTask.objects.claimable(AT).exists()


def test_a_cancelled_plan_drops_what_was_not_handed_over(world: World, crm: Plugin) -> None:
    factories.install(world.tenant_a, {"crm": "2.2.0"})
    floor(world)
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    plan.tasks.filter(tenant=world.tenant_a).update(status=Status.RUNNING)
    plans.cancel(plan, actor=SYSTEM, at=AT)
    assert plan.status == Plan.Status.CANCELLED
    assert plan.tasks.get(tenant=world.tenant_a).status == Status.RUNNING
    assert plan.tasks.get(tenant=world.tenant_b).status == Status.CANCELLED
    assert Finding.objects.get(tenant=world.tenant_b).status == Finding.Status.NEW
    assert Entry.objects.get(action="plan.cancelled").data["cancelled"] == ["tenant-b"]


def test_withdrawing_a_policy_cancels_its_queued_tasks_only(world: World, crm: Plugin) -> None:
    factories.plugin(world.group, "chat", ["1.0.0", "1.1.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0", "chat": "1.0.0"})
    policy = floor(world)
    floor(world, "chatter", "chat", wish={"at_least": "1.1.0"})
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    assert withdrawals.withdraw(policy, actor=SYSTEM, at=AT) == 1
    plan.refresh_from_db()
    assert plan.status == Plan.Status.RUNNING
    assert plan.tasks.get(tenant=world.tenant_b).status == Status.CANCELLED
    assert plan.tasks.get(tenant=world.tenant_a).status == Status.QUEUED


def test_a_failed_task_is_tried_again_by_a_person_but_not_by_the_schedule(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    plan.tasks.update(status=Status.GIVEN_UP)
    Plan.objects.update(status=Plan.Status.COMPLETED)
    Finding.objects.update(status=Finding.Status.NEW)
    assert draft(world, run=scheduled(world)) is None
    assert draft(world) is not None


def test_a_failed_task_is_tried_again_once_the_situation_is_another(world: World, crm: Plugin) -> None:
    floor(world)
    plan = drafted(world)
    plans.start(plan, actor=SYSTEM, at=AT)
    plan.tasks.update(status=Status.VERIFY_FAILED)
    Plan.objects.update(status=Plan.Status.COMPLETED)
    factories.install(world.tenant_b, {"crm": "2.2.0"})
    assert draft(world, run=scheduled(world)) is not None
