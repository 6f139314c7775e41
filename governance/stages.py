"""What a run does at each stage. Every function may be called twice and then finds nothing left to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q

from config.access import SYSTEM, Actor
from config.lifecycle import TransitionError
from governance import (
    collectors,
    compilation,
    compliance,
    decisions,
    delivery,
    drift,
    events,
    exemptions,
    flags,
    maintenance,
    notifications,
    plans,
    retries,
    rings,
    rollouts,
    snapshots,
    upgrades,
    waking,
)
from governance.models import Conflict, Finding, Plan, Run, UpgradeTask
from governance.models.plan import NOT_STARTED, UNAPPROVED
from governance.models.snapshot import Trigger
from tenants.models import Group

Figures = dict[str, Any]
DELIVERED = 100  # messages in one round, at most
PATIENCE = timedelta(minutes=30)  # how long a run waits for its tasks before it ends without them


def collect(run: Run, at: datetime) -> Figures:
    """Take what the group's sources have, and judge it."""
    return collectors.collect(run.group, actor=SYSTEM, at=at).figures()


def seal(run: Run, at: datetime) -> Figures:
    """Seal the state that the run goes by."""
    before = run.group.open_snapshot
    snapshot = snapshots.seal(run.group, trigger=Trigger.RUN, actor=SYSTEM, at=at)
    run.snapshot_number = snapshot.number
    Run.objects.filter(pk=run.pk).update(snapshot_number=snapshot.number)
    return {
        "snapshot": snapshot.number,
        "sealed": int(snapshot.number >= before),
        "tenants": snapshot.tenants,
        "installations": snapshot.installations,
    }


def evaluate(run: Run, at: datetime) -> Figures:
    """Find drift, and decide what to do about it."""
    expired = exemptions.expire_due(run.group, at=at)
    compilation.recompile(run.group, at=at)
    found = drift.detect(run.group, at=at)
    outcome = decisions.evaluate(run.group, at=at, actor=SYSTEM)
    alert_overdue(run, at)
    return {"exemptions_expired": expired, **found.figures(), **outcome.figures()}


def plan(run: Run, at: datetime) -> Figures:
    """Draft the plan of what the policies in mode enforce want changed.

    Done twice, it is the same plan. A run that a decision moved on has one already, and gets another for what
    the decision allows.
    """
    drafted = plans.draft(run.group, run=run, policy_names=run.policy_names, at=at, actor=SYSTEM)
    if drafted is not None and drafted != run.plan:
        run.plan = drafted
        Run.objects.filter(pk=run.pk).update(plan=drafted)
    if run.plan is None:
        return {"plan": None, "tasks": 0}
    # One that a run before drafted and that nobody has started yet is no news.
    drafted_now = int(run.plan.created_at >= run.started_at)
    return {"plan": run.plan.number, "tasks": run.plan.tasks.count(), "drafted": drafted_now}


def execute(run: Run, at: datetime) -> Figures:
    """Start the plan, unless the run is dry, a profile leaves that to a person, or a flag forbids.

    Whoever carries the run on hands over.
    """
    if run.dry_run or run.plan is None or run.plan.status not in NOT_STARTED:
        return {"started": 0}
    unapproved = run.plan.needs_approval and run.plan.status in UNAPPROVED
    if unapproved or not rollouts.starts_by_itself(run.plan):
        return {"started": 0, "waits_for_a_person": 1}
    try:
        plans.start(run.plan, actor=SYSTEM, at=at)
    except (flags.FlagOff, plans.WorldMoved, TransitionError) as refusal:  # or a person was faster
        return {"started": 0, "refused": str(refusal)}
    return {"started": 1}


def notify(run: Run, at: datetime) -> Figures:
    """Write one digest to each person concerned."""
    if run.dry_run:
        return {"digests": 0}
    digests = notifications.send_digests(run, at=at)
    delivered = delivery.deliver_due(at=at)
    return {"digests": digests, "delivered": delivered.delivered, "postponed": delivered.postponed}


def verify(run: Run, at: datetime) -> Figures:
    """Look at the plan's tasks until each is settled by its tenant's next manifest.

    Whoever carries the run on hands over between two looks.
    """
    if run.dry_run or run.plan is None or run.plan.status in NOT_STARTED:
        return {"tasks": 0}
    take_back(run.group, at=at)
    figures = _standing(run.plan, at)
    run.plan.refresh_from_db(fields=["status"])
    completed = run.plan.status == Plan.Status.COMPLETED  # which raised the alert itself
    failed = figures.get("given_up", 0) + figures.get("verify_failed", 0)
    if failed and not completed and not figures.get("waiting"):
        data = {"run": run.number, "plan": run.plan.number, "failed": failed}
        events.alert(run.group, "enforcement_failed", data, key=f"run-{run.pk}-failed", at=at)
    return figures


def _standing(plan: Plan, at: datetime) -> Figures:
    """How many of its tasks are where, and what they wait for."""
    tasks = UpgradeTask.objects.filter(plan=plan)
    counts = dict(tasks.order_by().values_list("status").annotate(Count("pk")))
    found = {status.value: counts[status] for status in UpgradeTask.Status if status in counts}
    figures: Figures = {"tasks": sum(found.values()), **found}
    if waiting := _worth_waiting_for(plan, at):
        figures["waiting"] = waiting
    elif unfinished := tasks.unfinished().count():
        # The follow-up goes on with them; the group's next run need not wait.
        figures["left_under_way"] = unfinished
    if awaited := maintenance.awaited(tasks, at):
        figures |= {"wait_for_windows": awaited.tasks, "next_window": awaited.opens}
    return figures


def _worth_waiting_for(plan: Plan, at: datetime) -> int:
    """How many tasks the run waits for: not those of a later ring or a paused plan, and none for ever."""
    started_at = plan.started_at or plan.created_at
    if plan.status == Plan.Status.PAUSED or at > started_at + PATIENCE:
        return 0
    within_reach = plan.tasks.unfinished().filter(ring__lte=rings.reachable(plan))
    return within_reach.exclude(not_before__gt=at).count()


def report(run: Run, at: datetime) -> Figures:
    """Report, where the run changed anything or nothing was reported before."""
    if run.dry_run or not (changed_anything(run) or compliance.never_reported(run.group)):
        return {"report": None}
    built = compliance.report_on(run, at=at)
    return {"report": built.number, "status": built.status}


STAGES: dict[Run.Stage, Callable[[Run, datetime], Figures]] = {
    Run.Stage.COLLECT: collect,
    Run.Stage.SEAL: seal,
    Run.Stage.EVALUATE: evaluate,
    Run.Stage.PLAN: plan,
    Run.Stage.EXECUTE: execute,
    Run.Stage.NOTIFY: notify,
    Run.Stage.VERIFY: verify,
    Run.Stage.REPORT: report,
}


def take_stock(group: Group, *, actor: Actor, at: datetime) -> None:
    """Collect what the group's sources have, and judge it all: what a snapshot outside a run begins with."""
    collectors.collect(group, actor=actor, at=at)
    exemptions.expire_due(group, at=at)
    drift.detect(group, at=at)
    decisions.evaluate(group, at=at, actor=SYSTEM)


def hand_over(group: Group, *, at: datetime) -> None:
    """One round for what is to be done elsewhere: hand over whose turn it is, deliver, ask."""
    retries.queue_due(group, at=at)
    upgrades.dispatch_due(group, at=at)
    if delivery.deliver_due(at=at, limit=DELIVERED).settled >= DELIVERED:
        waking.follow_up(group.pk, at=at)  # for those that are left
    upgrades.poll(group, at=at)


def take_back(group: Group, *, at: datetime) -> None:
    """One round for what was done: collect where something is said to be, judge it, verify."""
    if not UpgradeTask.objects.filter(group=group, status=UpgradeTask.Status.VERIFYING).exists():
        return
    changed = collectors.collect(group, actor=SYSTEM, at=at).changed_tenant_ids
    drift.detect(group, at=at, tenant_ids=changed)
    upgrades.verify(group, at=at)
    if changed:
        decisions.evaluate(group, at=at, actor=SYSTEM, tenant_ids=changed)


def changed_anything(run: Run) -> bool:
    """Whether the run found or did anything that wasn't so before."""
    counted = (
        *("changed", "sealed", "opened", "closed", "accepted", "new_conflicts"),
        *("drafted", "started", "digests", "succeeded", "given_up", "verify_failed"),
    )
    return any(
        figures.get(name) for figures in run.figures.values() if isinstance(figures, dict) for name in counted
    )


def claim_conflicts(run: Run, at: datetime) -> int:
    """Make the run stand for the open conflicts that it found; how many it waits for.

    A conflict that an earlier run stands for stays with that one, so that a repetition waits for nothing new.
    """
    if run.dry_run:
        return 0
    found = Conflict.objects.filter(Q(run__isnull=True) | Q(run=run), group=run.group).waiting()
    wanted = set(run.policy_names)
    mine = [
        conflict.pk
        for conflict in found
        if not wanted or wanted & {rule["policy"] for rule in conflict.explanation.get("rules", [])}
    ]
    if mine:
        data = {"run": run.number, "conflicts": [str(pk) for pk in mine]}
        events.alert(run.group, "conflict_found", data, key=f"run-{run.pk}-conflicts", at=at)
    return Conflict.objects.filter(pk__in=mine).update(run=run)


def alert_overdue(run: Run, at: datetime) -> None:
    """Raise one alert a day while drift is past its SLA."""
    overdue = Finding.objects.filter(group=run.group).overdue(at).count()
    if overdue:
        data = {"run": run.number, "overdue": overdue}
        events.alert(run.group, "drift_overdue", data, key=f"overdue-{at:%Y-%m-%d}", at=at)
