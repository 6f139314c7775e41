"""Tenants taken back, with the policies that would undo it giving way in the same moment."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from audit.models import Entry
from config.access import SYSTEM
from governance import (
    decisions,
    drift,
    exemptions,
    plans,
    policies,
    profiles,
    rollbacks,
    upgrades,
)
from governance.models import (
    Conflict,
    ConflictTenant,
    Exemption,
    Finding,
    Plan,
    Plugin,
    Policy,
    Release,
    Rollback,
)
from governance.orchestrator import OrderStatus
from governance.restoring import Scope
from tests import factories
from tests.factories import AT, World
from tests.governance.taken_back import LATER, align, applied, carry_out, prepared, run, seal, status
from tests.ground import Kind

SCENE = Kind(align)


@pytest.fixture
def aligned(standing_scene: World) -> World:
    return standing_scene


def test_it_is_simulated_with_what_stands_against_it_and_nothing_is_done(aligned: World) -> None:
    row = prepared(aligned)
    assert [(one["policy"], one["says"]) for one in row.policies] == [("align", "wants crm 2.4.0 everywhere")]
    outcome = row.simulation.outcome
    assert outcome["order"] == [
        {"tenants": ["tenant-b"], "steps": [{"plugin": "crm", "from": "2.4.0", "to": "2.3.0"}]}
    ]
    assert (outcome["difference"]["conflicts_new"], outcome["difference"]["opened"]) == (0, 1)
    assert outcome["done"]["drift"] == 0
    assert not Exemption.objects.exists()
    assert Policy.objects.filter(name=row.name).count() == 0


def test_only_the_way_back_is_simulated_and_planned(aligned: World) -> None:
    factories.plugin(aligned.group, "mail", ["1.0.0", "1.1.0"])
    rules = [{"name": "mail", "plugins": ["mail"], "present": True}]
    document = {"name": "mail", "profile": "steady", "tenants": "*", "rules": rules}
    policies.apply(aligned.group, document, actor=SYSTEM, at=AT)
    row = prepared(aligned)
    ((kind,), actions) = row.simulation.outcome["order"], row.simulation.outcome["actions"]
    assert [step["plugin"] for step in kind["steps"]] == [one["plugin"] for one in actions] == ["crm"]
    plan = rollbacks.apply(row, actor=SYSTEM, at=LATER)
    assert plan is not None
    assert [step["plugin"] for task in plan.tasks.all() for step in task.steps] == ["crm"]


def test_exempt_until_a_day_the_policy_and_the_rollback_do_not_fight(aligned: World) -> None:
    plan = applied(aligned, until=LATER + timedelta(days=9))
    assert plan.status == Plan.Status.SIMULATED
    (exemption,) = Exemption.objects.all()
    assert (exemption.tenant, exemption.rule_key, exemption.expires_at) == (
        aligned.tenant_b,
        "crm",
        LATER + timedelta(days=9),
    )
    assert Policy.objects.get(name="align").status == "active"
    carry_out(aligned, plan, LATER)
    assert not Conflict.objects.exists()
    assert not Finding.objects.outstanding().exists()
    assert plans.draft(aligned.group, at=LATER, actor=SYSTEM) is None


def test_when_the_exemption_ends_the_policy_acts_again(aligned: World) -> None:
    carry_out(aligned, applied(aligned, until=LATER + timedelta(days=9)), LATER)
    at = LATER + timedelta(days=10)
    exemptions.expire_due(aligned.group, at=at)
    policies.settle(aligned.group, actor=SYSTEM, at=at)
    plan = plans.draft(aligned.group, at=at, actor=SYSTEM)
    assert plan is not None
    assert plan.tasks.get().steps[0]["to"] == "2.4.0"
    assert not Conflict.objects.exists()


def test_paused_the_policy_acts_on_nothing_until_someone_resumes_it(aligned: World) -> None:
    carry_out(aligned, applied(aligned, way="pause"), LATER)
    policy = Policy.objects.get(name="align")
    assert policy.status == "paused"
    assert plans.draft(aligned.group, at=LATER, actor=SYSTEM) is None
    policies.resume(policy, actor=SYSTEM, at=LATER)
    row = Rollback.objects.get()
    assert (row.ended_at, row.baseline.status if row.baseline else "") == (LATER, "retired")
    assert Exemption.objects.get().status == "revoked"
    assert not Conflict.objects.exists()
    plan = plans.draft(aligned.group, at=LATER, actor=SYSTEM)
    assert plan is not None
    assert plan.tasks.get().steps[0]["to"] == "2.4.0"
    assert Entry.objects.filter(action="rollback.ended").count() == 1


def test_the_plan_is_rolled_back_once_the_other_has_done_its_work(aligned: World) -> None:
    undone = Plan.objects.get(number=1)
    plan = applied(aligned)
    assert (plan.rolls_back, status(undone)) == (undone, Plan.Status.COMPLETED)
    carry_out(aligned, plan, LATER)
    assert (status(plan), status(undone)) == (Plan.Status.COMPLETED, Plan.Status.ROLLED_BACK)
    assert list(undone.taken_back_by.all()) == [plan]
    assert Entry.objects.filter(action="plan.rolled_back").get().data == {"by": plan.number}


def test_a_plan_that_is_taken_back_in_some_of_its_tenants_is_not_rolled_back(aligned: World) -> None:
    undone = Plan.objects.get(number=1)
    elsewhere = undone.tasks.get()
    elsewhere.pk, elsewhere.idempotency_key, elsewhere.tenant = uuid4(), "elsewhere", aligned.tenant_a
    elsewhere._state.adding = True
    elsewhere.save()
    plan = applied(aligned)
    carry_out(aligned, plan, LATER)
    assert (status(plan), status(undone)) == (Plan.Status.COMPLETED, Plan.Status.COMPLETED)


def test_a_plan_is_rolled_back_also_where_a_run_has_planned_the_way_back_anew(aligned: World) -> None:
    undone = Plan.objects.get(number=1)
    plan = applied(aligned)
    anew = run(aligned, LATER).plan
    assert anew is not None
    assert (status(plan), anew.tasks.get().steps[0]["to"]) == (Plan.Status.CANCELLED, "2.3.0")
    carry_out(aligned, anew, LATER)
    assert (status(anew), status(undone)) == (Plan.Status.COMPLETED, Plan.Status.ROLLED_BACK)


def test_a_plan_is_not_rolled_back_while_what_it_began_goes_on(aligned: World) -> None:
    undone = Plan.objects.get(number=1)
    goes_on = undone.tasks.get()
    goes_on.pk, goes_on.idempotency_key, goes_on.tenant = uuid4(), "goes on", aligned.tenant_a
    goes_on._state.adding, goes_on.status = True, "running"
    goes_on.save()
    Plan.objects.filter(pk=undone.pk).update(status="running")
    plan = applied(aligned)
    carry_out(aligned, plan, LATER)
    assert (status(plan), status(undone)) == (Plan.Status.COMPLETED, Plan.Status.CANCELLED)
    word = OrderStatus(goes_on.order_id, str(goes_on.pk), "cancelled", "", LATER)
    upgrades.write_back(word, actor=SYSTEM, at=LATER)
    assert status(undone) == Plan.Status.ROLLED_BACK


def test_a_plan_that_takes_another_back_is_ready_whatever_else_waits_in_its_tenants(aligned: World) -> None:
    plan = applied(aligned)
    conflict = Conflict.objects.create(
        group=aligned.group,
        plugin=factories.plugin(aligned.group, "mail", ["1.0.0"]),
        fingerprint="f" * 64,
        explanation={},
        found_at=AT,
    )
    ConflictTenant.objects.create(group=aligned.group, conflict=conflict, tenant=aligned.tenant_b)
    assert plan.standing == Plan.Standing.READY
    assert Plan.objects.that_stand("ready").contains(plan)


def test_a_plan_is_not_rolled_back_while_a_tenant_is_still_there(aligned: World) -> None:
    plan = applied(aligned)
    plans.start(plan, actor=SYSTEM, at=LATER)
    plan.tasks.update(status="dispatched", attempts=1, dispatched_at=LATER, retry_delays=[])
    task = plan.tasks.get()
    upgrades.write_back(OrderStatus("order-9", str(task.pk), "failed", "", LATER), actor=SYSTEM, at=LATER)
    assert status(plan) == Plan.Status.COMPLETED
    assert status(Plan.objects.get(number=1)) == Plan.Status.COMPLETED


def test_a_plan_that_is_still_under_way_is_cancelled_by_it(aligned: World) -> None:
    Plan.objects.filter(number=1).update(status="paused")
    applied(aligned)
    assert status(Plan.objects.get(number=1)) == Plan.Status.CANCELLED


def test_what_waits_in_another_plan_to_change_what_comes_back_is_cancelled(aligned: World) -> None:
    Policy.objects.filter(name="align").update(status=Policy.Status.RETIRED)
    rules = [{"name": "crm", "plugins": ["crm"], "at_least": "2.5.0"}]
    document = {"name": "newer", "profile": "steady", "tenants": "*", "rules": rules}
    crm = Plugin.objects.get(name="crm")
    Release.objects.create(group=aligned.group, plugin=crm, version="2.5.0", rank=3, released_at=AT)
    policies.apply(aligned.group, document, actor=SYSTEM, at=AT)
    other = plans.draft(aligned.group, at=AT, actor=SYSTEM)
    assert other is not None
    plans.start(other, actor=SYSTEM, at=AT)
    plan = applied(aligned)
    waited = {task.tenant.key: task.status for task in other.tasks.select_related("tenant")}
    assert waited == {"tenant-a": "queued", "tenant-b": "cancelled"}
    assert status(other) == Plan.Status.RUNNING, "elsewhere it goes on"
    assert [task.steps[0]["to"] for task in plan.tasks.all()] == ["2.3.0"]
    assert Entry.objects.filter(subject_id=str(other.pk)).order_by("-sequence")[0].data["cancelled"] == [
        "tenant-b"
    ]


def test_it_waits_for_approval_like_every_plan(aligned: World) -> None:
    document = {"name": "careful", "mode": "enforce", "approval": True}
    profiles.save(aligned.group, document, actor=SYSTEM, at=AT)
    plan = applied(aligned, profile="careful")
    with pytest.raises(plans.NeedsApproval):
        plans.start(plan, actor=SYSTEM, at=LATER)


def test_releases_that_were_warned_of_since_come_back_if_that_is_wanted(aligned: World) -> None:
    document = {"name": "strict", "mode": "enforce", "deny": ["withdrawn", "vulnerable"]}
    profiles.save(aligned.group, document, actor=SYSTEM, at=AT)
    plan = applied(aligned, profile="strict")
    (rule,) = Policy.objects.get(name="rollback-1").rules.values_list("key", flat=True)
    assert (rule, plan.tasks.count()) == ("crm", 1)


def test_dependencies_hold_at_every_step_of_the_way_back(aligned: World) -> None:
    """crm 2.4.0 needs lib 2, so that crm has to go back before lib may."""
    lib = factories.plugin(aligned.group, "lib", ["1.0.0", "2.0.0"])
    needs = [{"plugin": "lib", "range": ">=1"}]
    Release.objects.filter(plugin__name="crm").update(requires=needs)
    newer = Release.objects.filter(plugin__name="crm", version="2.4.0")
    newer.update(requires=[{"plugin": "lib", "range": ">=2"}])
    aligned.tenant_b.group.refresh_from_db()
    factories.install(aligned.tenant_b, {"crm": "2.3.0", "lib": "1.0.0", "host": "10.0.0"})
    number = seal(aligned, LATER).number
    factories.install(aligned.tenant_b, {"crm": "2.4.0", "lib": "2.0.0", "host": "10.0.0"})
    policies.settle(aligned.group, actor=SYSTEM, at=LATER)
    plan = applied(aligned, snapshot=number, scope=Scope())
    assert [(step["plugin"], step["to"]) for step in plan.tasks.get().steps] == [
        ("crm", "2.3.0"),
        (lib.name, "1.0.0"),
    ]


def test_a_plugin_that_was_removed_comes_back_at_its_version(aligned: World) -> None:
    number = seal(aligned, LATER).number
    factories.install(aligned.tenant_b, {"host": "10.0.0"})
    plan = applied(aligned, snapshot=number, scope=Scope())
    (step,) = plan.tasks.get().steps
    assert (step["plugin"], step["from"], step["to"]) == ("crm", None, "2.4.0")


def test_alignment_run_again_leaves_alone_what_was_taken_back(aligned: World) -> None:
    carry_out(aligned, applied(aligned), LATER)
    drift.detect(aligned.group, at=LATER)
    decisions.evaluate(aligned.group, at=LATER, actor=SYSTEM)
    for _ in range(2):
        assert run(aligned, LATER).plan is None
    assert not Conflict.objects.exists()
