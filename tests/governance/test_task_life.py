"""The life of upgrade tasks and plans: whatever comes in whatever order, each state is a legal one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from audit import ledger
from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from config.lifecycle import TransitionError, advance
from governance import corrections, flags, plans, retries, upgrades, verification
from governance.models import Plan, UpgradeTask
from governance.models.plan import UNFINISHED
from governance.orchestrator import STATUSES, OrderStatus
from tests.factories import AT, World
from tests.governance import rollout

pytestmark = pytest.mark.django_db
Status = UpgradeTask.Status
REFUSALS = (TransitionError, plans.NeedsApproval, flags.FlagOff, corrections.TenantBusy)


@pytest.mark.parametrize("source", Status)
def test_a_task_goes_only_where_the_table_says(world: World, source: Status) -> None:
    task = rollout.running_task(world)
    for to in Status:
        UpgradeTask.objects.filter(pk=task.pk).update(status=source, detail="before")
        task.refresh_from_db()
        entries = Entry.objects.count()
        if to in UpgradeTask.TRANSITIONS[source]:
            upgrades.move(task, to, actor=SYSTEM, at=AT, detail="after")
            told = Entry.objects.filter(action="task.changed").latest("sequence")
            assert told.data["status"] == to
        else:
            with pytest.raises(TransitionError):
                upgrades.move(task, to, actor=SYSTEM, at=AT, detail="after")
            assert Entry.objects.count() == entries
        task.refresh_from_db()
        legal = to in UpgradeTask.TRANSITIONS[source]
        assert (task.status, task.detail) == ((to, "after") if legal else (source, "before"))


@pytest.mark.parametrize("source", Plan.Status)
def test_a_plan_goes_only_where_the_table_says(world: World, source: Plan.Status) -> None:
    plan = rollout.plan(world)
    for to in Plan.Status:
        Plan.objects.filter(pk=plan.pk).update(status=source)
        legal = to in Plan.TRANSITIONS[source]
        if legal:
            advance(plan, to=to)
        else:
            with pytest.raises(TransitionError):
                advance(plan, to=to)
        plan.refresh_from_db()
        assert plan.status == (to if legal else source)


class Life(RuleBasedStateMachine):
    """One task of one plan, and whatever people, the orchestrator and the tenant may do, at any time."""

    world: World  # set by the test

    @initialize()
    def begin(self) -> None:
        self.savepoint = transaction.savepoint()
        plan = rollout.plan(self.world)
        self.task_id, self.plan_id, self.at = plan.tasks.get().pk, plan.pk, AT
        self.seen = [UpgradeTask.objects.get().status]
        self.plans_seen = [plan.status]
        self.orders = 0

    def teardown(self) -> None:
        if hasattr(self, "savepoint"):
            transaction.savepoint_rollback(self.savepoint)

    @rule(minutes=st.sampled_from([1, 10, 60, 60 * 24 * 8]))
    def time_passes(self, minutes: int) -> None:
        self.at += timedelta(minutes=minutes)

    @rule()
    def the_worker_comes_by(self) -> None:
        retries.queue_due(self.world.group, at=self.at)
        self._note()
        upgrades.dispatch_due(self.world.group, at=self.at)
        self._note()
        upgrades.verify(self.world.group, at=self.at)

    @rule(status=st.sampled_from(sorted(STATUSES)), order=st.integers(0, 3))
    def the_orchestrator_says(self, status: str, order: int) -> None:
        word = OrderStatus(f"order-{order}", str(self.task_id), status, status, self.at)
        upgrades.write_back(word, actor=SYSTEM, at=self.at)

    @rule(version=st.sampled_from(["2.3.0", "2.4.0"]))
    def the_tenant_reports(self, version: str) -> None:
        rollout.report(self.world, "tenant-b", version, self.at)
        upgrades.verify(self.world.group, at=self.at)

    @rule(change=st.sampled_from([plans.approve, plans.start, plans.pause, plans.resume, plans.cancel]))
    def a_person_operates_the_plan(self, change: Callable[..., None]) -> None:
        plan = Plan.objects.get(pk=self.plan_id)
        self._try(lambda: change(plan, actor=SYSTEM, at=self.at))

    @rule()
    def a_person_does_it_by_hand(self) -> None:
        task = UpgradeTask.objects.get(pk=self.task_id)
        self._try(lambda: corrections.correct(task, done="By hand.", actor=SYSTEM, at=self.at))

    @invariant()
    def each_state_follows_from_the_one_before(self) -> None:
        if not hasattr(self, "seen"):
            return
        self._note()
        for before, after in pairwise(self.seen):
            assert before == after or after in _reachable(before), (before, after)
        for before, after in pairwise(self.plans_seen):
            assert before == after or after in Plan.TRANSITIONS[before], (before, after)

    @invariant()
    def what_hangs_together_agrees(self) -> None:
        if not hasattr(self, "seen"):
            return
        task = UpgradeTask.objects.get(pk=self.task_id)
        assert (task.finished_at is None) == (task.status in UNFINISHED)
        assert OutboxMessage.objects.filter(destination="orchestrator").count() == task.attempts
        assert task.attempts <= len(task.retry_delays) + 1
        if task.plan.status == Plan.Status.RUNNING:
            assert task.status in UNFINISHED
        assert not ledger.verify(self.world.group.pk)

    @invariant()
    def of_what_is_left_out_there_is_nothing_to_say(self) -> None:
        if not hasattr(self, "seen"):
            return
        given = UpgradeTask.objects.exclude(dispatched_at=None, corrected_at=None)
        rest = list(given.exclude(pk__in=verification.arguable(given, at=self.at).values("pk")))
        evidence = verification.gather(rest)
        assert all(verification.judge(task, evidence, at=self.at) is None for task in rest)

    def _note(self) -> None:
        self.seen.append(UpgradeTask.objects.get(pk=self.task_id).status)
        self.plans_seen.append(Plan.objects.get(pk=self.plan_id).status)

    def _try(self, change: Callable[[], None]) -> None:
        """What is refused changes nothing."""
        before = _all_that_counts()
        try:
            change()
        except plans.WorldMoved:
            assert Plan.objects.get(pk=self.plan_id).status == Plan.Status.REFUSED
        except REFUSALS:
            assert _all_that_counts() == before


def _reachable(before: str) -> set[str]:
    """One event may carry a task two states on: a correction that the tenant has shown already."""
    one = UpgradeTask.TRANSITIONS[before]
    by_hand = UpgradeTask.TRANSITIONS[Status.MANUAL] if Status.MANUAL in one else frozenset()
    return {str(status) for status in one | by_hand}


def _all_that_counts() -> list[tuple[object, ...]]:
    tasks = UpgradeTask.objects.values_list("pk", "status", "attempts", "wait_reason", "finished_at")
    rows: list[tuple[object, ...]] = [*tasks, *Plan.objects.values_list("pk", "status", "finished_at")]
    return [*rows, (Entry.objects.count(), OutboxMessage.objects.count())]


def test_every_sequence_of_events_leaves_a_legal_state(world: World) -> None:
    Life.world = world
    run_state_machine_as_test(Life, settings=settings(max_examples=25, stateful_step_count=20))
    assert not UpgradeTask.objects.exists()  # each example was taken back
