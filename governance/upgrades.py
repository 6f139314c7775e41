"""Upgrade tasks: handed to the orchestrator, written back, verified by the tenant's next manifest."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.urls import reverse

from audit import ledger, outbox
from audit.models import OutboxMessage
from audit.models.outbox import Destination
from config.access import SYSTEM, Actor
from config.lifecycle import TransitionError
from governance import (
    flags,
    halting,
    held,
    limits,
    maintenance,
    moves,
    orchestrator,
    rings,
    verification,
)
from governance.models import Plan, UpgradeTask
from governance.models.plan import WAITING
from governance.moves import FINDING_STATUS, move
from governance.orchestrator import CallbackRefused, OrderStatus
from tenants.models import Group

__all__ = ["FINDING_STATUS", "dispatch_due", "kept_by", "move", "poll", "post", "verify", "write_back"]

log = structlog.get_logger("plumbline.upgrades")

Status = UpgradeTask.Status
# What an order's status makes of its task; a failure depends on the attempts that are left.
POLLED = 200  # orders asked about in one round, those first that nobody asked about yet
_SAID = {
    "accepted": Status.ACCEPTED,
    "running": Status.RUNNING,
    "succeeded": Status.VERIFYING,
    "cancelled": Status.CANCELLED,
}

# Where a manifest may settle a task.
_KNOWN_AS_FAILED = (Status.VERIFY_FAILED, Status.FAILED)
_JUDGED = (Status.VERIFYING, Status.MANUAL, *_KNOWN_AS_FAILED)


def dispatch_due(group: Group, *, at: datetime) -> int:
    """Hand queued tasks over, most urgent first, as far as rings and limits allow; the number handed over.

    The status is the claim: a dispatched task has its message in the outbox, in one transaction.
    """
    with transaction.atomic():
        ledger.hold(group.pk)  # no two that count the free places at once
        if kept := kept_by(Group.objects.get(pk=group.pk), at):
            _explain_waiting(group, kept, at)
            return 0
        rings.open_due(group, at=at)
        queue = UpgradeTask.objects.filter(group=group).claimable(at).select_related("tenant", "plan")
        maintenance.postpone_closed(group, queue, at=at)
        tasks = _admitted(group, queue, at)
        again = {task.idempotency_key for task in tasks if task.dispatched_at is not None}
        attempt = {"dispatched_at": at, "attempts": F("attempts") + 1, "wait_reason": ""}
        moves.move_all(tasks, Status.DISPATCHED, actor=SYSTEM, at=at, **attempt)
        post(tasks, group, at, again=again)
    _explain_waiting(group, "Others go first.", at)
    return len(tasks)


def _admitted(group: Group, queue: QuerySet[UpgradeTask], at: datetime) -> list[UpgradeTask]:
    """Those whose turn it is; where windows of some far behind prove closed, others go in their place."""
    tasks = limits.admitted(group, queue)
    while maintenance.put_off({task.pk: task.tenant_id for task in tasks}, at=at):
        tasks = limits.admitted(group, queue)
    return tasks


def kept_by(group: Group, at: datetime) -> str:
    """Why nothing of the group may be handed over, whatever the task; empty if something may."""
    for flag, on in flags.states(group).items():
        if not on:
            return f"The feature flag {flag} is off."
    freeze = maintenance.freeze_at(group, at)
    return halting.in_words(group) or (maintenance.in_words(freeze) if freeze else "")


def write_back(
    status: OrderStatus, *, actor: Actor, at: datetime, group_id: int | None = None
) -> UpgradeTask | None:
    """Note what the orchestrator says of an order; None where no task is meant by it.

    The same or an older word again changes nothing: callbacks may come twice, late and in any order. So does
    a word about an attempt that failed before, once the task waits for the next one or is handed over again.
    """
    if not _names_a_task(status.task_id):
        return None
    with transaction.atomic():
        task = held.task(status.task_id, group_id=group_id)
        if task is None or not _is_about(status, task):
            return None
        _note(task, status, actor=actor, at=at)
    return task


def _is_about(status: OrderStatus, task: UpgradeTask) -> bool:
    """Whether it is about the order that the task stands for now, as far as that is known."""
    return task.order_id in {"", status.order_id} and status.order_id not in task.earlier_orders


def _note(task: UpgradeTask, status: OrderStatus, *, actor: Actor, at: datetime) -> None:
    """The caller holds the ledger's lock."""
    fields: dict[str, Any] = {"detail": status.detail, "order_id": status.order_id, "checked_at": at}
    if status.status == "failed":
        to, follows = _after_failure(task, at)
        fields |= follows
    else:
        to = _SAID[status.status]
    try:
        if task.status in WAITING:  # nobody has been told of it
            raise TransitionError(task, to)
        moves.move_held(task, to, actor=actor, at=at, **fields)
    except TransitionError:
        log.info("write_back.ignored", task=str(task.pk), said=status.status, stands=task.status)


def _after_failure(task: UpgradeTask, at: datetime) -> tuple[Status, dict[str, Any]]:
    """What a failed attempt leads to: another one after its delay, or the end. Nobody retries for a plan
    that was cancelled."""
    allowed = len(task.retry_delays) + 1
    if task.attempts >= allowed or task.plan.status not in {Plan.Status.RUNNING, Plan.Status.PAUSED}:
        return Status.GIVEN_UP, {"wait_reason": ""}
    follows = at + timedelta(seconds=task.retry_delays[max(task.attempts, 1) - 1])
    reason = f"Attempt {task.attempts} of {allowed} failed; the next follows at {follows:%Y-%m-%d %H:%M} UTC."
    return Status.FAILED, {"not_before": follows, "wait_reason": reason}


def poll(group: Group, *, at: datetime, after: timedelta = settings.POLL_AFTER) -> int:
    """Ask the orchestrator about tasks that nothing was heard of for a while; the number asked about."""
    if not settings.ORCHESTRATOR_URL:
        return 0
    under_way = UpgradeTask.objects.filter(
        Q(checked_at__isnull=True, dispatched_at__lte=at - after) | Q(checked_at__lte=at - after),
        group=group,
        status__in=[Status.DISPATCHED, Status.ACCEPTED, Status.RUNNING],
    ).exclude(order_id="")
    asked = 0
    for task in under_way.order_by(F("checked_at").asc(nulls_first=True), "dispatched_at")[:POLLED]:
        UpgradeTask.objects.filter(pk=task.pk).update(checked_at=at)
        try:
            status = orchestrator.ask(task.order_id)
        except httpx.TransportError as failure:
            log.warning("poll.failed", task=str(task.pk), error=str(failure))
            break  # it is away: the others would only wait for the same time-out
        except (httpx.HTTPError, CallbackRefused) as failure:
            log.warning("poll.refused", task=str(task.pk), error=str(failure))
            continue  # what it says of this order makes no sense; it may of the next
        write_back(status, actor=SYSTEM, at=at, group_id=group.pk)
        asked += 1
    return asked


def verify(group: Group, *, tenant_ids: Iterable[int] | None = None, at: datetime) -> dict[str, int]:
    """Judge tasks that wait for it by the tenants' manifests since the hand-over.

    A manifest that shows every step's release settles it; one observed after the orchestrator's or a person's
    word that doesn't is a failed verification, with the difference named. So is none at all for too long; a
    late one still settles it, and one that shows that a failed attempt did its work after all.
    """
    waiting = UpgradeTask.objects.filter(
        Q(dispatched_at__isnull=False) | Q(corrected_at__isnull=False), group=group, status__in=_JUDGED
    ).select_related("tenant", "plan")
    waiting = waiting.exclude(Exists(_followed()))  # whose work a manifest shows, the later task did
    if tenant_ids is not None:
        waiting = waiting.filter(tenant_id__in=list(tenant_ids))
    tasks = list(verification.arguable(waiting, at=at))
    evidence = verification.gather(tasks)
    verdicts = {task.pk: verification.judge(task, evidence, at=at) for task in tasks}
    shown = [task for task in tasks if verdicts[task.pk] == []]
    verified = moves.move_all(shown, Status.SUCCEEDED, actor=SYSTEM, at=at, detail="", wait_reason="")
    failed = [task for task in tasks if verdicts[task.pk] and task.status not in _KNOWN_AS_FAILED]
    for task in failed:
        told = "; ".join(verdicts[task.pk] or ())
        moves.move_all([task], Status.VERIFY_FAILED, actor=SYSTEM, at=at, detail=told, wait_reason="")
    return {"verified": len(verified), "verify_failed": len(failed)}


def _followed() -> QuerySet[UpgradeTask]:
    """The tasks of a tenant after the one that is asked about."""
    return UpgradeTask.objects.filter(tenant=OuterRef("tenant"), created_at__gt=OuterRef("created_at"))


def _names_a_task(text: str) -> bool:
    """Whether it may be a task's id; others name theirs otherwise."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _explain_waiting(group: Group, reason: str, at: datetime) -> None:
    """Why tasks whose time has come are still here; a later ring says so itself.

    All of them are written to only when the first one says something else, not at every round.
    """
    waiting = UpgradeTask.objects.filter(group=group).claimable(at)
    first = waiting.values_list("wait_reason", flat=True).first()
    if first is not None and first != reason:
        waiting.order_by().exclude(wait_reason=reason).update(wait_reason=reason)


def post(tasks: Iterable[UpgradeTask], group: Group, at: datetime, *, again: Collection[str] = ()) -> None:
    """Put the orders of dispatched tasks into the outbox.

    Those of the keys in `again` that were given up get another round.
    """
    payloads = {task.idempotency_key: _order(task, group) for task in tasks}
    outbox.post_many(Destination.ORCHESTRATOR, payloads.items(), group_id=group.pk, at=at)
    for message in OutboxMessage.objects.given_up().filter(idempotency_key__in=again):
        outbox.retry(message, at=at)


def _order(task: UpgradeTask, group: Group) -> dict[str, Any]:
    return {
        "group": group.slug,
        "plan": str(task.plan_id),
        "task": str(task.pk),
        "tenant": task.tenant.key,
        "steps": [{name: step[name] for name in ("plugin", "from", "to")} for step in task.steps],
        "due_at": task.due_at.isoformat() if task.due_at else None,
        "callback_url": f"{settings.BASE_URL}{reverse('api_upgrade_status')}",
    }
