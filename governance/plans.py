"""Plans: drafted from the decisions, started only while the world is as it was then."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max

from audit import ledger
from audit.actions import Action
from config.access import Actor, ActorKind
from config.lifecycle import advance
from governance import cancellations, drafting, flags, reversals, rings, rollouts, urgency, withdrawals
from governance.drafting import TaskDraft
from governance.models import Finding, Plan, Policy, Run, Simulation, UpgradeTask
from governance.models.plan import NOT_STARTED, UNAPPROVED, WAITING
from governance.models.snapshot import Trigger
from governance.resolution import digest_of
from governance.rollouts import Terms
from tenants.models import Group, Tenant

Status = Plan.Status
TaskStatus = UpgradeTask.Status

_NOT_STARTED = "The plan has not been started."
_NEXT = "The next run makes a new plan, of how things are then."
_PAUSED = "The plan is paused."
_PLANNABLE = (Finding.Status.NEW, Finding.Status.VERIFY_FAILED)


class WorldMoved(Exception):
    """Tenants are no longer in the situations that the plan was computed from: it is refused for good."""

    def __init__(self, plan: Plan, tenants: Sequence[str]) -> None:
        self.tenants = tenants
        named = ", ".join(tenants[:5]) + (f" and {len(tenants) - 5} more" if len(tenants) > 5 else "")
        super().__init__(f"{plan} is refused: since it was drafted, something changed for {named}. {_NEXT}")


class NeedsApproval(Exception):
    """The plan's policies ask that someone else than its author approves it, and nobody has."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"{plan} waits for the approval of someone else than its author.")


class FourEyes(Exception):
    """Who made a plan, or started the run that did, can't approve it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(f"{plan} is yours: someone else than its author has to approve it.")


@transaction.atomic
def draft(
    group: Group,
    *,
    run: Run | None = None,
    policy_names: Collection[str] = (),
    tenant_ids: Collection[int] | None = None,
    at: datetime,
    actor: Actor,
) -> Plan | None:
    """A plan of what the policies that enforce, or these of them, want changed; None if there is nothing.

    Plans that were drafted before and never started give way to it, unless one is just the same, and bound to
    the same: then that is the answer. With `tenant_ids`, it is of these tenants alone, and only what waits of
    theirs gives way. A tenant whose last task failed is tried again only where a person asks, or once its
    situation is another. Raises FlagOff while governance is off.
    """
    flags.require_governance(group)
    ledger.hold(group.pk)
    inputs = drafting.acting_inputs(group, policy_names=policy_names, tenant_ids=tenant_ids, at=at)
    retry = run is None or run.trigger != Trigger.SCHEDULE
    tasks = rollouts.arrange(group, drafting.draft_tasks(inputs, retry=retry))
    policies = sorted({rule.policy for rule in inputs.rules if inputs.acting and rule.id in inputs.acting})
    terms = rollouts.terms(group, policies)
    digest = digest_of(*policies, terms, *map(_said, tasks))
    for earlier in Plan.objects.filter(group=group, status__in=NOT_STARTED):
        if tasks and earlier.inputs_digest == digest and _waiting(earlier) == len(tasks):
            return earlier
        if tenant_ids is None:
            cancel(earlier, actor=actor, at=at, why=f", since {run or actor.name} planned anew")
    if tenant_ids is not None:
        withdrawals.plan_anew(group, tenant_ids, actor=actor, at=at)
    if not tasks:
        return None
    plan = _create(group, run, policies, terms, digest, at=at, actor=actor)
    _add_tasks(plan, tasks, at)
    data = {"tasks": len(tasks), "policies": plan.policy_versions, "inputs_digest": digest}
    ledger.record(Action.PLAN_DRAFTED, subject=plan, actor=actor, at=at, data=data)
    return plan


def _waiting(plan: Plan) -> int:
    """How many of its tasks are left: some may have been taken out of it."""
    return plan.tasks.filter(status__in=WAITING).count()


def start(plan: Plan, *, actor: Actor, at: datetime) -> None:
    """Let the plan's tasks be handed over.

    Raises FlagOff while a flag forbids it, NeedsApproval, TransitionError if the plan isn't drafted any more,
    and WorldMoved if a tenant's situation is another than the plan was computed from; it is refused then.
    """
    flags.require_sync(plan.group)
    with transaction.atomic():
        ledger.hold(plan.group_id)
        plan.refresh_from_db(fields=["status"])
        if plan.needs_approval and plan.status in UNAPPROVED:
            raise NeedsApproval(plan)
        moved = _moved(plan, at)
        if moved:
            _refuse(plan, moved, actor=actor, at=at)
        else:
            advance(plan, to=Status.RUNNING, only_from=NOT_STARTED, started_at=at)
            _release(plan)
            data = {"tasks": plan.tasks.count(), "tenants": _tenant_keys(plan.tasks.all())}
            ledger.record(Action.PLAN_STARTED, subject=plan, actor=actor, at=at, data=data)
            if not plan.tasks.unfinished().exists():  # all of it was done by hand before
                advance(plan, to=Status.COMPLETED, finished_at=at)
                ledger.record(Action.PLAN_COMPLETED, subject=plan, actor=actor, at=at)
                reversals.settle(plan, at=at)
    if moved:
        raise WorldMoved(plan, moved)


@transaction.atomic
def note_simulation(plan: Plan, simulation: Simulation, *, actor: Actor, at: datetime) -> None:
    """Keep with a plan that hasn't been approved or started what it would do. Raises TransitionError."""
    ledger.hold(plan.group_id)
    digest = simulation.inputs_digest
    advance(plan, to=Status.SIMULATED, simulation=simulation, simulation_digest=digest)
    data = {"simulation": simulation.number, "inputs_digest": digest}
    ledger.record(Action.PLAN_SIMULATED, subject=plan, actor=actor, at=at, data=data)


@transaction.atomic
def approve(plan: Plan, *, actor: Actor, at: datetime, reason: str = "") -> None:
    """Let a drafted plan be started. Raises FourEyes for its author, and TransitionError."""
    if actor.kind == ActorKind.PERSON and actor.id == plan.author_id:
        raise FourEyes(plan)
    ledger.hold(plan.group_id)
    advance(plan, to=Status.APPROVED, approved_by_name=actor.name, approved_at=at)
    ledger.record(Action.PLAN_APPROVED, subject=plan, actor=actor, at=at, data={"reason": reason})


@transaction.atomic
def pause(plan: Plan, *, actor: Actor, at: datetime, reason: str = "") -> None:
    """Hand over no further task; what was handed over goes on. Raises TransitionError."""
    ledger.hold(plan.group_id)
    advance(plan, to=Status.PAUSED, pause_reason=reason)
    _queued(plan).update(wait_reason=_PAUSED)
    ledger.record(Action.PLAN_PAUSED, subject=plan, actor=actor, at=at, data={"reason": reason})


@transaction.atomic
def resume(plan: Plan, *, actor: Actor, at: datetime) -> None:
    """Go on handing over; what failed until now counts no longer against the plan's failure budget.

    Raises FlagOff while a flag forbids it, TransitionError if it isn't paused.
    """
    flags.require_sync(plan.group)
    ledger.hold(plan.group_id)
    advance(plan, to=Status.RUNNING, only_from=(Status.PAUSED,), pause_reason="", budget_since=at)
    _queued(plan).update(wait_reason="", not_before=None)  # windows are judged anew, at its turn
    rings.say_closed(plan)
    ledger.record(Action.PLAN_RESUMED, subject=plan, actor=actor, at=at)


@transaction.atomic
def cancel(plan: Plan, *, actor: Actor, at: datetime, why: str = "") -> None:
    """Drop what wasn't handed over yet, and ask the orchestrator to drop what was. Raises TransitionError.

    What it can't stop any more goes on and is still verified. `why` ends the sentence that its tasks tell.
    """
    ledger.hold(plan.group_id)
    advance(plan, to=Status.CANCELLED, finished_at=at)
    dropped = withdrawals.drop(plan.tasks.filter(status__in=WAITING), at, f"{plan} was cancelled{why}.")
    data = {"cancelled": dropped, "asked_to_drop": cancellations.ask(plan, at=at)}
    ledger.record(Action.PLAN_CANCELLED, subject=plan, actor=actor, at=at, data=data)


def _release(plan: Plan) -> None:
    """Let the tasks be handed over, those of later rings in their turn."""
    _queued(plan).update(wait_reason="")
    rings.close(plan)


def _said(task: TaskDraft) -> str:
    """What makes it another task: what a tenant is to become, and how its profiles let it go there."""
    return f"{task.tenant_id} {task.situation} {task.ring} {task.ring_wait} {task.retry_delays}"


def _create(
    group: Group,
    run: Run | None,
    policies: Sequence[str],
    terms: Terms,
    digest: str,
    *,
    at: datetime,
    actor: Actor,
) -> Plan:
    last = Plan.objects.filter(group=group).aggregate(last=Max("number"))["last"] or 0
    versions = Policy.objects.filter(group=group, name__in=policies).order_by("name")
    sealed = Group.objects.values_list("open_snapshot", flat=True).get(pk=group.pk) - 1
    return Plan.objects.create(
        group=group,
        number=last + 1,
        title=str(run) if run else "",
        snapshot_number=run.snapshot_number if run and run.snapshot_number else sealed,
        inputs_digest=digest,
        policy_versions=[
            {"policy": name, "version": number}
            for name, number in versions.values_list("name", "current__number")
        ],
        author_id=_author(run, actor),
        needs_approval=terms.needs_approval,
        limits=terms.limits.as_json(),
        failure_budget=terms.failure_budget,
        created_by_name=actor.name,
        created_at=at,
    )


def _author(run: Run | None, actor: Actor) -> int | None:
    """The person behind it, if it is one."""
    if run is not None:
        return run.started_by_id
    return actor.id if actor.kind == ActorKind.PERSON else None


def _add_tasks(plan: Plan, drafts: Iterable[TaskDraft], at: datetime) -> None:
    tasks = UpgradeTask.objects.bulk_create(
        UpgradeTask(
            group_id=plan.group_id,
            plan=plan,
            tenant_id=draft.tenant_id,
            steps=draft.steps,
            situation_digest=draft.situation,
            priority=draft.priority,
            priority_because=[reason.as_json() for reason in draft.reasons],
            ring=draft.ring,
            ring_name=draft.ring_name,
            ring_wait=draft.ring_wait,
            queue_at=urgency.place(draft.priority, created_at=at, due_at=draft.due_at),
            wait_reason=_NOT_STARTED,
            idempotency_key=f"plan-{plan.pk}-tenant-{draft.tenant_id}",
            retry_delays=[delay.total_seconds() for delay in draft.retry_delays],
            due_at=draft.due_at,
            created_at=at,
        )
        for draft in drafts
    )
    withdrawals.set_findings(tasks, _PLANNABLE, Finding.Status.PLANNED)


def _moved(plan: Plan, at: datetime) -> list[str]:
    """The tenants whose situation isn't what it was when the plan was drafted."""
    moved = drafting.moved(plan, plan.tasks.all(), at=at)
    return list(Tenant.objects.filter(pk__in=moved).order_by("key").values_list("key", flat=True))


def _refuse(plan: Plan, moved: Sequence[str], *, actor: Actor, at: datetime) -> None:
    advance(plan, to=Status.REFUSED, finished_at=at)
    withdrawals.drop(
        _queued(plan), at, f"{plan} was refused: something changed since it was drafted. {_NEXT}"
    )
    ledger.record(Action.PLAN_REFUSED, subject=plan, actor=actor, at=at, data={"moved": list(moved)})


def _queued(plan: Plan) -> Any:
    return plan.tasks.filter(status=TaskStatus.QUEUED)


def _tenant_keys(tasks: Any) -> list[str]:
    return list(tasks.order_by("tenant__key").values_list("tenant__key", flat=True))
