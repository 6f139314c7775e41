"""Background work: each job loads by id, calls one function, and may run twice."""

from __future__ import annotations

import time
from datetime import date, datetime

from django.utils import timezone

from audit import machines
from config import queue
from config.access import SYSTEM, Actor, ActorKind
from governance import (
    announcements,
    compliance,
    decisions,
    directories,
    duedates,
    parcels,
    pipeline,
    reconciliation,
    reminders,
    retention,
    simulation,
    snapshots,
    stages,
    upgrades,
    waking,
)
from governance.models import Reconciliation, Run
from governance.models.snapshot import Trigger
from tenants.models import Deputy, Group, User


@queue.job
def evaluate_tenants(group_id: int, tenant_ids: list[int] | None) -> None:
    """Decide what to do about the drift of tenants that a manifest concerns; None stands for all."""
    group = Group.objects.get(pk=group_id)
    decisions.evaluate(group, at=timezone.now(), actor=SYSTEM, tenant_ids=tenant_ids)


@queue.job
def advance_run(run_id: str) -> None:
    """Carry a run on."""
    pipeline.advance_run(run_id)


@queue.job
def follow_up(group_id: int) -> None:
    """Work on what is under way in a group: tasks, messages, runs."""
    time.sleep(waking.pause(group_id, at=timezone.now()).total_seconds())
    at = timezone.now()
    waking.begun(group_id, at=at)
    _go_round(group_id, at)
    now = timezone.now()
    waking.done(group_id, at=now, took=now - at)


def _go_round(group_id: int, at: datetime) -> None:
    group = Group.objects.get(pk=group_id)
    reminders.release(group, at=at)
    parcels.send_due(group, at=at)
    pipeline.resume_decided(group)
    for run in Run.objects.filter(group=group, status__in=[Run.Status.RUNNING, Run.Status.ACTING]):
        pipeline.advance_run(run.pk)
    upgrades.verify(group, at=timezone.now())
    stages.hand_over(group, at=timezone.now())  # last: into the places of what was found to be done


@queue.job
def build_report(report_id: str) -> None:
    """Build a report that was asked for."""
    compliance.build(report_id, at=timezone.now())


@queue.job
def run_simulation(simulation_id: str) -> None:
    """Answer a simulation that was asked for."""
    simulation.run(simulation_id, at=timezone.now())


@queue.job
def tick() -> None:
    """Find again whatever a lost wake-up left lying."""
    for group in Group.objects.filter(governance_enabled=True):
        waking.follow_up(group.pk, at=timezone.now())


@queue.job
def notice_steps() -> None:
    """Tell each group's people of what has come near its due date, or past it; no group waits for others."""
    for group in Group.objects.filter(governance_enabled=True):
        queue.enqueue("governance.jobs.notice_group_steps", group_id=group.pk)


@queue.job
def notice_group_steps(group_id: int) -> None:
    """The same of one group, since the last look."""
    duedates.notice(Group.objects.get(pk=group_id), at=timezone.now())


@queue.job
def seal_snapshots() -> None:
    """Collect, seal and judge every group; what time alone changes is seen here."""
    for group in Group.objects.filter(governance_enabled=True):
        queue.enqueue("governance.jobs.seal_snapshot", group_id=group.pk)


@queue.job
def seal_snapshot(group_id: int, number: int | None = None) -> None:
    """Collect, judge and seal one group; where a `number` was promised, that one, even if nothing changed."""
    at = timezone.now()
    group = Group.objects.get(pk=group_id)
    stages.take_stock(group, actor=SYSTEM, at=at)
    trigger = Trigger.SCHEDULE if number is None else Trigger.ENDPOINT
    promised = number == group.open_snapshot
    snapshots.seal(group, trigger=trigger, actor=SYSTEM, at=at, force=promised)
    compliance.measure(group, at=at)


@queue.job
def reconcile(
    group_id: int, apply: bool, person_id: int | None, person: str, asked_at: str, whole: bool = False
) -> None:
    """Compare all that should agree, for a person; done twice it finds less."""
    group = Group.objects.get(pk=group_id)
    actor = Actor(ActorKind.PERSON, person_id, person)
    asked = datetime.fromisoformat(asked_at)
    done = Reconciliation.objects.filter(group=group, applied=apply, at__gt=asked)
    if not (done.filter(whole=True) if whole else done).exists():
        reconciliation.reconcile(group, apply=apply, whole=whole, actor=actor, at=timezone.now())


@queue.job
def sync_directories() -> None:
    """Take over who is responsible for what from LDAP, where a group's directory file names it."""
    directories.sync_all(at=timezone.now())


@queue.job
def tell_deputy(deputy_id: int) -> None:
    """Tell somebody whom a person named in their own preferences, unless they were dismissed since."""
    rows = Deputy.objects.filter(pk=deputy_id).select_related("group", "person", "deputy")
    if (row := rows.first()) is not None:
        announcements.deputy_appointed(row, (row.deputy,), at=timezone.now())


@queue.job
def tell_dismissed_deputy(
    number: int, group_id: int, person_id: int, deputy_id: int, days: list[str]
) -> None:
    """Tell somebody whom the person that they stood in for has dismissed; the row itself is gone."""
    names = {"group": Group.objects.get(pk=group_id), "person": User.objects.get(pk=person_id)}
    starts_on, ends_on = map(date.fromisoformat, days)
    row = Deputy(pk=number, **names, deputy_id=deputy_id, starts_on=starts_on, ends_on=ends_on)
    announcements.deputy_ended(row, (row.deputy,), by=str(row.person), at=timezone.now())


@queue.job
def look_at_machine() -> None:
    """Note how this worker's machine does."""
    machines.look(at=timezone.now())


@queue.job
def prune() -> None:
    """Delete what nobody asks for again."""
    retention.prune(at=timezone.now())


@queue.job
def run_loops() -> None:
    """Start a run of every group that has none under way."""
    for group in Group.objects.filter(governance_enabled=True):
        queue.enqueue("governance.jobs.run_loop", group_id=group.pk)


@queue.job
def run_loop(group_id: int) -> None:
    """Start a run of one group and carry it on."""
    group = Group.objects.get(pk=group_id)
    try:
        run = pipeline.start_run(group, trigger=Trigger.SCHEDULE, actor=SYSTEM, at=timezone.now())
    except pipeline.RunUnderWay:
        return
    pipeline.advance_run(run.pk)
