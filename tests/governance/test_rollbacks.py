"""Tenants taken back, with the policies that would undo it giving way in the same moment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit import ledger
from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from config.lifecycle import TransitionError
from governance import (
    decisions,
    drift,
    exemptions,
    flags,
    pipeline,
    plans,
    policies,
    profiles,
    rollbacks,
    simulation,
    snapshots,
    upgrades,
)
from governance.models import Conflict, Exemption, Finding, Plan, Policy, Release, Rollback, Run, Snapshot
from governance.models.snapshot import Trigger
from governance.orchestrator import OrderStatus
from governance.restoring import Scope
from governance.rollbacks import Asked, RollbackRefused
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

LATER = AT + timedelta(hours=1)


def seal(world: World, at: Any = AT) -> Snapshot:
    sealed = snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=at)
    for one in (world.group, world.tenant_a.group, world.tenant_b.group):
        one.refresh_from_db()
    return sealed


def carry_out(world: World, plan: Plan, at: Any) -> None:
    """The orchestrator does all of the plan, and the tenants' manifests show it."""
    plan.refresh_from_db()
    if plan.status != Plan.Status.RUNNING:
        plans.start(plan, actor=SYSTEM, at=at)
    upgrades.dispatch_due(plan.group, at=at)
    for task in plan.tasks.select_related("tenant"):
        word = OrderStatus(f"order-{task.pk}", str(task.pk), "succeeded", "", at)
        upgrades.write_back(word, actor=SYSTEM, at=at)
    for task in plan.tasks.select_related("tenant"):
        (step,) = task.steps
        rollout.report(world, task.tenant.key, step["to"], at + timedelta(minutes=1))
    drift.detect(plan.group, at=at + timedelta(minutes=1))
    upgrades.verify(plan.group, at=at + timedelta(minutes=1))


@pytest.fixture
def aligned(world: World) -> World:
    """The world of D-1: what the group wants has brought tenant-b from crm 2.3.0 to 2.4.0 by plan 1."""
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    profiles.save(world.group, {"name": "steady", "mode": "enforce"}, actor=SYSTEM, at=AT)
    for tenant, version in (("tenant-a", "2.4.0"), ("tenant-b", "2.3.0")):
        rollout.report(world, tenant, version, AT - timedelta(days=1))
    document = {
        "name": "align",
        "profile": "steady",
        "tenants": "*",
        "rules": [{"name": "crm", "plugins": ["crm"], "same": True, "at": "2.4.0"}],
    }
    policies.apply(world.group, document, actor=SYSTEM, at=AT)
    seal(world)
    plan = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert plan is not None
    carry_out(world, plan, AT)
    assert status(plan) == Plan.Status.COMPLETED
    return world


def status(plan: Plan) -> str:
    plan.refresh_from_db()
    return plan.status


def asked(world: World, **changes: Any) -> Asked:
    plan = Plan.objects.get(group=world.group, number=1)
    return Asked(**{"scope": Scope(plan=plan), "reason": "Customers call.", **changes})


def prepared(world: World, **changes: Any) -> Rollback:
    row = rollbacks.prepare(world.group, asked(world, **changes), actor=SYSTEM, at=LATER)
    row.simulation = simulation.run(row.simulation_id, at=LATER)
    assert row.simulation.status == "ready", row.simulation.error
    return row


def applied(world: World, **changes: Any) -> Plan:
    row = prepared(world, **changes)
    plan = rollbacks.apply(row, actor=SYSTEM, at=LATER)
    assert plan is not None
    return plan


def run(world: World, at: Any) -> Run:
    started = pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=at)
    return pipeline.advance_run(started.pk, clock=lambda: at)


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


def test_it_is_refused_when_anything_changed_since_and_nothing_gives_way(aligned: World) -> None:
    row = prepared(aligned)
    Release.objects.filter(plugin__name="crm", version="2.4.0").update(channel="lts")
    entries = Entry.objects.count()
    with pytest.raises(simulation.Outdated):
        rollbacks.apply(row, actor=SYSTEM, at=LATER)
    assert Entry.objects.count() == entries
    assert not Exemption.objects.exists()
    assert Policy.objects.filter(name=row.name).count() == 0


def test_it_is_put_in_force_once_and_only_as_a_rollback(aligned: World) -> None:
    row = prepared(aligned)
    with pytest.raises(simulation.NotApplicable, match="belongs to a rollback"):
        simulation.apply(row.simulation, actor=SYSTEM, at=LATER)
    rollbacks.apply(row, actor=SYSTEM, at=LATER)
    with pytest.raises(TransitionError):
        rollbacks.apply(Rollback.objects.get(), actor=SYSTEM, at=LATER)


def test_the_decision_stands_in_the_ledger_and_the_owners_are_told_once(aligned: World) -> None:
    applied(aligned)
    (restored,) = Entry.objects.filter(action="snapshot.restored")
    assert restored.data["policies"] == ["align"]
    assert not ledger.verify(aligned.group.pk)
    (message,) = OutboxMessage.objects.filter(idempotency_key__startswith="rollback-")
    (told,) = message.payload["recipients"]
    assert (told["user"], "reassess" in told["subject"]) == ("owner", True)
    assert "exempt from align" in told["text"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"until": AT}, "until"),
        ({"until": AT + timedelta(days=400)}, "until"),
        ({"profile": "nobody"}, "profile"),
        ({"scope": Scope()}, "snapshot"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_field(
    aligned: World, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(RollbackRefused) as refusal:
        rollbacks.prepare(aligned.group, asked(aligned, **changes), actor=SYSTEM, at=LATER)
    assert refusal.value.field == field
    assert not Rollback.objects.exists()


def test_without_a_profile_that_enforces_there_is_no_way_back(aligned: World) -> None:
    profiles.save(aligned.group, {"name": "steady", "mode": "observe"}, actor=SYSTEM, at=LATER)
    with pytest.raises(RollbackRefused, match="No profile enforces"):
        rollbacks.prepare(aligned.group, asked(aligned), actor=SYSTEM, at=LATER)


def test_while_governance_is_off_nothing_is_taken_back(aligned: World) -> None:
    row = prepared(aligned)
    flags.switch(aligned.group, flags.GOVERNANCE, on=False, actor=SYSTEM, at=LATER)
    with pytest.raises(flags.FlagOff):
        rollbacks.apply(row, actor=SYSTEM, at=LATER)


def test_alignment_run_again_leaves_alone_what_was_taken_back(aligned: World) -> None:
    carry_out(aligned, applied(aligned), LATER)
    drift.detect(aligned.group, at=LATER)
    decisions.evaluate(aligned.group, at=LATER, actor=SYSTEM)
    for _ in range(2):
        assert run(aligned, LATER).plan is None
    assert not Conflict.objects.exists()
