"""The whole loop as a story: what arrives is judged at once, and a run goes through the stages.

A run may be killed anywhere and advanced again by anyone: each stage may be done twice, and the stage that
comes next stands in its row.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import structlog
from django.db import IntegrityError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from audit import ledger
from audit.actions import Action
from config import queue
from config.access import SYSTEM, Actor, ActorKind
from config.lifecycle import TransitionError, advance
from governance import catalogue, decisions, delivery, drift, flags, manifests, stages, upgrades
from governance.answers import deciders
from governance.models import Run
from governance.models.snapshot import Trigger
from tenants.models import Group

log = structlog.get_logger("plumbline.pipeline")

Stage = Run.Stage
Clock = Callable[[], datetime]
_ORDER = list(Stage)
_PAUSE_SECONDS = 0.3  # between two looks at tasks that are under way


class RunUnderWay(Exception):
    """The group has a run that isn't finished; it is the exception's `run`."""

    def __init__(self, run: Run) -> None:
        self.run = run
        super().__init__(f"{run} of this group is under way; wait for it or cancel it.")


def receive(
    group: Group,
    documents: Sequence[manifests.ManifestDocument | manifests.ManifestRefused],
    *,
    actor: Actor,
    at: datetime,
    in_background: bool = False,
) -> manifests.IngestResult:
    """Take manifests and judge the tenants that they change: drift now, targets now or in a job.

    Raises FlagOff while governance is off.
    """
    flags.require_governance(group)
    with transaction.atomic():
        result = manifests.ingest(group, documents, actor=actor, at=at)
        found = drift.detect(group, at=at, tenant_ids=result.changed_tenant_ids)
        concerned = found.concerns(result.changed_tenant_ids)
        upgrades.verify(group, tenant_ids=result.accepted_tenant_ids, at=at)
        if in_background and concerned != set():
            queue.enqueue(
                "governance.jobs.evaluate_tenants",
                group_id=group.pk,
                tenant_ids=None if concerned is None else sorted(concerned),
            )
    if concerned != set() and not in_background:
        decisions.evaluate(group, at=at, actor=actor, tenant_ids=concerned)
    return result


@transaction.atomic
def load_catalogue(group: Group, documents: object, *, actor: Actor, at: datetime) -> catalogue.LoadResult:
    """Take catalogue documents, and judge at once what runs by what is known now.

    Raises CatalogueError.
    """
    result = catalogue.load(group, documents, actor=actor, at=at)
    if result.changed and group.governance_enabled:
        drift.detect(group, at=at)
    return result


def start_run(
    group: Group,
    *,
    trigger: Trigger,
    actor: Actor,
    at: datetime,
    dry_run: bool = False,
    policy_names: Sequence[str] = (),
) -> Run:
    """Begin a run; `advance_run` or a worker carries it on.

    Raises FlagOff while governance is off, RunUnderWay if the group has an unfinished one.
    """
    flags.require_governance(group)
    run = Run(
        group=group,
        trigger=trigger,
        dry_run=dry_run,
        policy_names=sorted(policy_names),
        started_by_name=actor.name,
        started_by_id=actor.id if actor.kind == ActorKind.PERSON else None,
        started_at=at,
    )
    try:
        _store(run, actor=actor)
    except IntegrityError:
        if (under_way := _under_way(group)) is None:
            raise
        raise RunUnderWay(under_way) from None
    return run


def advance_run(run_id: Any, *, clock: Clock = timezone.now) -> Run:
    """Carry a run on as far as it gets without waiting; returns it as it stands then.

    Whoever else is carrying it on right now is left to it.
    """
    with _alone(run_id) as mine, deciders():
        run = Run.objects.select_related("group").get(pk=run_id)
        while mine and run.status in {Run.Status.RUNNING, Run.Status.ACTING} and run.stage != Stage.DONE:
            try:
                finished = _do_stage(run, clock)
            except Exception as failure:
                run.refresh_from_db(fields=["status"])
                if run.status != Run.Status.CANCELLED:  # someone gave it up meanwhile: that is no failure
                    _fail(run, failure, clock())
                break
            if not finished:
                break
    run.refresh_from_db()
    return run


def drive(
    run_id: Any,
    *,
    timeout: float,
    clock: Clock = timezone.now,
    progress: Callable[[Run], None] | None = None,
) -> Run:
    """Carry a run through in this process until it stands or `timeout` seconds are over."""
    deadline = time.monotonic() + timeout
    while True:
        run = advance_run(run_id, clock=clock)
        if progress:
            progress(run)
        if run.status not in {Run.Status.RUNNING, Run.Status.ACTING} or time.monotonic() > deadline:
            delivery.deliver_due(at=clock())
            return run
        stages.hand_over(run.group, at=clock())
        time.sleep(_PAUSE_SECONDS)


def resume_decided(group: Group) -> list[Run]:
    """Move runs on whose conflicts are all decided by now; only a decision does that."""
    resumed: list[Run] = []
    standing = Run.objects.filter(group=group, status=Run.Status.NEEDS_DECISION)
    for run in standing.exclude(conflicts__status="open").order_by("number"):
        try:
            with transaction.atomic():
                advance(run, to=Run.Status.RUNNING, stage=Stage.EVALUATE, finished_at=None)
        except (IntegrityError, TransitionError):
            break  # another run of the group is under way: this one follows it
        log.info("run.resumed", run=run.number, group=group.slug)
        resumed.append(run)
        break
    return resumed


def cancel_run(run: Run, *, actor: Actor, at: datetime) -> None:
    """Give a run up; what its plan handed over stays under way. Raises TransitionError if it is finished."""
    _finish(run, Run.Status.CANCELLED, actor=actor, at=at)


def _do_stage(run: Run, clock: Clock) -> bool:
    """Do the run's next stage; False if it has to wait."""
    begun, at = time.monotonic(), clock()
    stage = Stage(run.stage)
    figures = stages.STAGES[stage](run, at)
    if figures.get("started"):  # by now: a large plan has taken a while to start
        figures["dispatched"] = upgrades.dispatch_due(run.group, at=clock())
    seconds = run.figures.get(stage, {}).get("seconds", 0) + time.monotonic() - begun
    run.figures[stage] = {**figures, "seconds": round(seconds, 3)}
    if figures.get("waiting"):
        _update(run, status=Run.Status.ACTING, figures=run.figures)
        return False
    following = _ORDER[_ORDER.index(stage) + 1]
    if following == Stage.DONE:
        _close(run, clock())
    else:
        _update(run, stage=following, status=Run.Status.RUNNING, figures=run.figures)
    return True


def _close(run: Run, at: datetime) -> None:
    run.figures["changed"] = stages.changed_anything(run)
    with transaction.atomic():
        waiting = stages.claim_conflicts(run, at)
        run.figures["conflicts_waiting"] = waiting
        _update(run, stage=Stage.DONE, figures=run.figures)
        _finish(run, Run.Status.NEEDS_DECISION if waiting else Run.Status.COMPLETED, actor=SYSTEM, at=at)


def _finish(run: Run, status: Run.Status, *, actor: Actor, at: datetime, error: str = "") -> None:
    with transaction.atomic():
        advance(run, to=status, finished_at=at, error=error)
        data = {"status": status.value, "figures": run.figures, "error": error}
        ledger.record(Action.RUN_FINISHED, subject=run, actor=actor, at=at, data=data)


def _fail(run: Run, failure: Exception, at: datetime) -> None:
    log.exception("run.failed", run=run.number, stage=run.stage)
    _finish(run, Run.Status.FAILED, actor=SYSTEM, at=at, error=f"{run.stage}: {failure}"[:2000])


def _update(run: Run, **fields: Any) -> None:
    # Only while it is carried on: a run that someone cancelled meanwhile stays so.
    rows = Run.objects.filter(pk=run.pk, status__in=[Run.Status.RUNNING, Run.Status.ACTING])
    if not rows.update(**fields):
        raise TransitionError(run, fields.get("stage", run.stage))
    for name, value in fields.items():
        setattr(run, name, value)


@transaction.atomic
def _store(run: Run, *, actor: Actor) -> None:
    """Raises IntegrityError if the group has an unfinished one."""
    Group.objects.select_for_update(no_key=True).get(pk=run.group_id)  # numbers come one after the other
    last = Run.objects.filter(group=run.group_id).aggregate(last=Max("number"))["last"] or 0
    run.number = last + 1
    run.save(force_insert=True)
    data = {"dry_run": run.dry_run, "policies": run.policy_names}
    ledger.record(Action.RUN_STARTED, subject=run, actor=actor, at=run.started_at, data=data)


def _under_way(group: Group) -> Run | None:
    statuses = [Run.Status.RUNNING, Run.Status.ACTING]
    return Run.objects.filter(group=group, status__in=statuses, dry_run=False).first()


@contextmanager
def _alone(run_id: Any) -> Iterator[bool]:
    """Whether this process may carry the run on: by a session lock, which a killed process gives back."""
    run = Run.objects.only("pk").get(pk=run_id)
    key = int.from_bytes(run.pk.bytes[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        mine = bool(cursor.fetchone()[0])
    try:
        yield mine
    finally:
        if mine:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
