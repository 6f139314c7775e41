"""Runs of the loop: they go on wherever they were, wait where they must, and change nothing twice."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.conf import LazySettings

from audit.models import Entry, OutboxMessage, Report
from config.access import SYSTEM, Actor, ActorKind
from governance import conflicts, decisions, delivery, drift, flags, orders, pipeline, plans, stages
from governance.models import Conflict, Notification, Plan, Run, UpgradeOrder, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

pytestmark = pytest.mark.django_db
Status = Run.Status
PERSON = Actor(ActorKind.PERSON, 1, "someone")


@pytest.fixture(autouse=True)
def _carried_out_by_hand(settings: LazySettings) -> None:
    """No orchestrator is named: plans go to Plumbline's own receiver."""
    settings.ORCHESTRATOR_URL = ""


def start(world: World, *, after: timedelta = timedelta(0), **options: Any) -> Run:
    return pipeline.start_run(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT + after, **options)


def advanced(run: Run, *, after: timedelta = timedelta(0)) -> Run:
    return pipeline.advance_run(run.pk, clock=lambda: AT + after)


def behind(world: World) -> None:
    """tenant-b is a version behind a policy that enforces."""
    rollout.world_behind(world)


def held(world: World) -> None:
    """And another policy holds it there."""
    behind(world)
    rule = {"name": "hold", "plugins": ["crm"], "hold": True}
    factories.policy(world.group, "freeze", [rule], tenants={"keys": ["tenant-b"]})


def test_a_group_in_line_has_nothing_to_do_and_says_so(world: World) -> None:
    first, second = advanced(start(world)), advanced(start(world))

    assert (first.status, second.status) == (Status.COMPLETED, Status.COMPLETED)
    assert second.figures["changed"] is False
    assert Report.objects.count() == 1


def test_a_run_waits_for_its_tasks_and_ends_with_their_verification(world: World) -> None:
    behind(world)
    run = advanced(start(world))
    assert (run.status, run.stage) == (Status.ACTING, Run.Stage.VERIFY)
    assert UpgradeOrder.objects.get().tenant == world.tenant_b

    rollout.report(world, "tenant-b", "2.4.0", AT + timedelta(minutes=1))
    _said_done()
    run = advanced(run, after=timedelta(minutes=2))

    assert run.status == Status.COMPLETED, run.error
    assert Plan.objects.get().status == Plan.Status.COMPLETED
    assert Report.objects.get().run_id == run.pk


def _said_done() -> None:
    order = UpgradeOrder.objects.get()
    orders.report(order, done=True, detail="", actor=PERSON, at=AT + timedelta(seconds=30))


def test_tasks_are_handed_over_by_the_clock_of_that_moment_not_of_the_stages_beginning(world: World) -> None:
    behind(world)
    ticks = count()

    run = pipeline.advance_run(start(world).pk, clock=lambda: AT + timedelta(seconds=next(ticks)))

    task = UpgradeTask.objects.get()
    assert run.plan is not None
    assert run.plan.started_at is not None
    assert task.dispatched_at is not None
    assert task.dispatched_at > run.plan.started_at


def test_advancing_again_repeats_nothing(world: World) -> None:
    behind(world)
    run = start(world)
    for _ in range(3):
        run = advanced(run)

    assert UpgradeTask.objects.count() == 1
    assert OutboxMessage.objects.filter(destination="orchestrator").count() == 1


def test_people_are_told_before_the_tasks_are_done(world: World) -> None:
    factories.member(world.group, "b-admin", Role.TENANT_ADMIN, of=world.tenant_b)
    behind(world)
    advanced(start(world))
    delivery.deliver_due(at=AT)

    assert Notification.objects.filter(user__username="b-admin").exists()


def test_a_dry_run_plans_and_does_nothing(world: World) -> None:
    behind(world)

    run = advanced(start(world, dry_run=True))

    assert run.status == Status.COMPLETED
    assert Plan.objects.get().status == Plan.Status.DRAFTED
    assert not OutboxMessage.objects.exists()


def test_one_run_of_a_group_at_a_time(world: World) -> None:
    run = start(world)

    with pytest.raises(pipeline.RunUnderWay) as refusal:
        start(world)

    assert refusal.value.run == run


def test_a_conflict_waits_for_a_person_and_nothing_else_moves_it(world: World) -> None:
    held(world)
    run = advanced(start(world))
    assert run.status == Status.NEEDS_DECISION
    assert not Plan.objects.exists()

    again = advanced(start(world))
    pipeline.resume_decided(world.group)
    run.refresh_from_db()

    assert (again.status, run.status) == (Status.COMPLETED, Status.NEEDS_DECISION)
    assert Conflict.objects.get().run == run


def test_a_decision_moves_the_run_on(world: World) -> None:
    held(world)
    run = advanced(start(world))
    aside = [{"policy": "freeze", "key": "hold"}]
    conflicts.decide(Conflict.objects.get(), set_aside=aside, reason="over", actor=PERSON, at=AT)

    [resumed] = pipeline.resume_decided(world.group)
    run = advanced(resumed)

    assert resumed == run
    assert run.status == Status.ACTING
    assert run.plan is not None
    assert run.plan.tasks.get().tenant == world.tenant_b


def test_a_decision_after_a_plan_was_carried_out_gets_a_plan_of_its_own(world: World) -> None:
    held(world)
    rollout.report(world, "tenant-a", "2.3.0", AT - timedelta(hours=1))
    run = advanced(start(world))
    first = run.plan
    _said_done()
    rollout.report(world, "tenant-a", "2.4.0", AT + timedelta(minutes=1))
    run = advanced(run, after=timedelta(minutes=2))
    assert run.status == Status.NEEDS_DECISION
    aside = [{"policy": "freeze", "key": "hold"}]
    conflicts.decide(
        Conflict.objects.get(), set_aside=aside, reason="over", actor=PERSON, at=AT + timedelta(minutes=3)
    )

    [resumed] = pipeline.resume_decided(world.group)
    run = advanced(resumed, after=timedelta(minutes=3))

    assert run.status == Status.ACTING
    assert run.plan is not None
    assert run.plan != first
    assert run.plan.tasks.get().tenant == world.tenant_b

    order = UpgradeOrder.objects.get(tenant=world.tenant_b)
    orders.report(order, done=True, detail="", actor=PERSON, at=AT + timedelta(minutes=4))
    rollout.report(world, "tenant-b", "2.4.0", AT + timedelta(minutes=5))
    run = advanced(run, after=timedelta(minutes=6))
    assert run.status == Status.COMPLETED
    assert Report.objects.filter(run_id=run.pk).count() == 2


def test_a_run_that_is_cancelled_while_it_is_carried_on_stays_cancelled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancelled_meanwhile(run: Run, at: Any) -> dict[str, Any]:
        pipeline.cancel_run(Run.objects.get(pk=run.pk), actor=PERSON, at=at)
        return {}

    monkeypatch.setitem(stages.STAGES, Run.Stage.EVALUATE, cancelled_meanwhile)

    assert advanced(start(world)).status == Status.CANCELLED


def test_a_stage_that_fails_is_named_and_leaves_the_run_to_be_seen(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(run: Run, at: Any) -> dict[str, Any]:
        raise ValueError("the disk is full")

    monkeypatch.setitem(stages.STAGES, Run.Stage.EVALUATE, broken)

    run = advanced(start(world))

    assert run.status == Status.FAILED
    assert run.error == "evaluate: the disk is full"


def test_a_run_that_someone_cancelled_is_not_carried_on(world: World) -> None:
    behind(world)
    run = advanced(start(world))
    pipeline.cancel_run(run, actor=PERSON, at=AT)

    assert advanced(run).status == Status.CANCELLED


def test_with_governance_off_no_run_starts(world: World) -> None:
    world.group.governance_enabled = False
    world.group.save()
    before = Entry.objects.count()

    with pytest.raises(flags.FlagOff):
        start(world)
    assert Entry.objects.count() == before


def test_with_sync_off_the_plan_stays_a_draft_and_the_run_says_why(world: World) -> None:
    behind(world)
    world.group.sync_enabled = False
    world.group.save()

    run = advanced(start(world))

    assert run.status == Status.COMPLETED
    assert "plugin-multi-tenant-sync" in run.figures["execute"]["refused"]
    assert Plan.objects.get().status == Plan.Status.DRAFTED
    assert run.figures["changed"] is True


def test_a_plan_that_waits_to_be_started_is_no_news_to_the_next_run(world: World) -> None:
    behind(world)
    world.group.sync_enabled = False
    world.group.save()
    advanced(start(world))
    hour = timedelta(hours=1)

    again = advanced(start(world, after=hour), after=hour)

    assert again.plan == Plan.objects.get()
    assert again.figures["changed"] is False
    assert Report.objects.count() == 1


def test_a_task_that_never_ends_does_not_hold_up_the_groups_next_run(world: World) -> None:
    behind(world)
    run = advanced(start(world))
    assert run.status == Status.ACTING

    run = advanced(run, after=stages.PATIENCE + timedelta(minutes=1))

    assert (run.status, run.figures["verify"]["left_under_way"]) == (Status.COMPLETED, 1)
    assert UpgradeTask.objects.unfinished().exists()
    assert advanced(start(world)).status == Status.COMPLETED


def test_a_person_who_is_faster_with_the_plan_is_no_failure_of_the_run(world: World) -> None:
    behind(world)
    run = start(world)
    drift.detect(world.group, at=AT)
    decisions.evaluate(world.group, at=AT, actor=SYSTEM)
    run.plan = plans.draft(world.group, run=run, at=AT, actor=SYSTEM)
    plans.cancel(Plan.objects.get(), actor=PERSON, at=AT)
    assert stages.execute(run, AT) == {
        "started": 0,
        "refused": "Plan 1 can't become running: it is cancelled by now.",
    }
