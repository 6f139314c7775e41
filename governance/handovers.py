"""Who carries upgrade tasks to the orchestrator, and who asks for them back."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet

from audit import ledger
from audit.actions import Action
from audit.models import OutboxMessage
from audit.senders import Answered, Undeliverable
from config.access import SYSTEM, Actor
from config.lifecycle import TransitionError, advance
from governance import flags, moves, orchestrator, orders, upgrades
from governance.cancellations import UNDER_WAY
from governance.models import Plan, UpgradeOrder, UpgradeTask
from governance.orchestrator import OrderStatus, TooLate
from tenants.models import Group

Status = UpgradeTask.Status


class StillOpen(Exception):
    """It isn't known yet whether the orchestrator took the task over, so it can't be asked to drop it."""


class NotRevivable(Exception):
    """A hand-over whose task or plan has ended otherwise, or whose tenant has another task by now."""

    def __init__(self, message: OutboxMessage) -> None:
        tenant = message.payload.get("tenant")
        super().__init__(
            f"The upgrade of {tenant} can’t be handed over again: its plan is paused or has ended otherwise, "
            "or the tenant has another task by now. The next run plans it anew."
        )


class ToOrchestrator:
    """Upgrade plans; to Plumbline's own receiver while no other orchestrator is named."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """POST the plan under its task's key, unless its plan was cancelled before the first attempt."""
        return next(self.calls([message]))()

    def calls(self, messages: Sequence[OutboxMessage]) -> Iterator[Callable[[], dict[str, Any]]]:
        """The same for several: which are withdrawn is looked up once."""
        withdrawn = _withdrawn(messages)
        for message in messages:
            yield partial(self._send, message, withdrawn=message.payload["task"] in withdrawn)

    def _send(self, message: OutboxMessage, *, withdrawn: bool) -> dict[str, Any]:
        if withdrawn:
            return {"withdrawn": True}
        if settings.ORCHESTRATOR_URL:
            return orchestrator.hand_over(message.payload, idempotency_key=message.idempotency_key)
        return orders.receive(
            message.group_id,
            message.payload,
            idempotency_key=message.idempotency_key,
            actor=SYSTEM,
            at=message.created_at,
        )

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: datetime) -> None:
        """Note the order's id; the callback may have been faster."""
        self.settle_all([(message, answer)], at)

    def settle_all(self, answered: Answered, at: datetime) -> None:
        """The same for those of one group, by as few statements as for one."""
        ledger.hold(answered[0][0].group_id)  # before the tasks' rows, as everyone who moves a task does
        tasks = _tasks([message for message, _ in answered])
        pairs = [(tasks[message.payload["task"]], answer) for message, answer in answered]
        mine = [
            (task, answer)
            for (message, _), (task, answer) in zip(answered, pairs, strict=True)
            if not _is_of_an_earlier_attempt(message, task)
        ]
        for task in (task for task, answer in mine if answer.get("withdrawn")):
            said = f"{task.plan} was cancelled before the orchestrator had this task."
            _move(task, Status.CANCELLED, at, detail=said)
        _accept({task: str(answer.get("id", "")) for task, answer in mine if not answer.get("withdrawn")}, at)

    def give_up(self, message: OutboxMessage, reason: str, at: datetime) -> None:
        """Give the task up with the reason: what the orchestrator made of the order isn't known."""
        ledger.hold(message.group_id)
        task = _task(message)
        if not _is_of_an_earlier_attempt(message, task):
            _move(task, Status.GIVEN_UP, at, detail=reason)


class ToCancellation:
    """Requests to drop a task that was handed over."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """Ask for the order's end. Raises StillOpen while the hand-over has no answer."""
        task = _task(message)
        if task.status not in UNDER_WAY:
            return {"status": "", "detail": f"The task is {task.status} already."}
        if not task.order_id:
            raise StillOpen("It isn't known yet whether the orchestrator took the task over.")
        try:
            word = _cancel(task, at=message.created_at)
        except (TooLate, TransitionError) as objection:
            return {"status": "", "detail": f"Too late to cancel: {objection}"}
        return {"status": word.status, "detail": word.detail}

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: datetime) -> None:
        """Write the answer back; what can't be stopped goes on to its verification, and says so."""
        ledger.hold(message.group_id)
        task = _task(message)
        if answer["status"]:
            word = OrderStatus(task.order_id, str(task.pk), answer["status"], answer["detail"], at)
            upgrades.write_back(word, actor=SYSTEM, at=at, group_id=message.group_id)
        else:
            _note(task, answer["detail"], at)

    def give_up(self, message: OutboxMessage, reason: str, at: datetime) -> None:
        """The task goes on; say why it wasn't stopped."""
        ledger.hold(message.group_id)
        _note(_task(message), f"The orchestrator could not be asked to drop it: {reason}", at)


def revivable(group_id: int) -> QuerySet[UpgradeTask]:
    """Tasks that were given up on the way and may be taken up: their plan goes on, and no task came after."""
    later = UpgradeTask.objects.filter(tenant=OuterRef("tenant"), created_at__gt=OuterRef("created_at"))
    given_up = UpgradeTask.objects.filter(
        group_id=group_id,
        status=Status.GIVEN_UP,
        plan__status__in=[Plan.Status.RUNNING, Plan.Status.COMPLETED],
        group__governance_enabled=True,
        group__sync_enabled=True,
    )
    return given_up.exclude(Exists(later))


def revive(message: OutboxMessage, *, actor: Actor, at: datetime) -> None:
    """Take a task up again whose hand-over was given up, and its plan with it, in the caller's transaction.

    It is the same order under the same key: it may have arrived after all. Like every other it goes when
    limits, windows and freezes let it, which the caller sees to by `upgrades.dispatch_due`. Raises
    NotRevivable, and FlagOff while a flag forbids changes to tenants.
    """
    flags.require_sync(Group.objects.get(pk=message.group_id))
    tasks = revivable(message.group_id).select_related("tenant", "plan__group")
    task = tasks.filter(idempotency_key=message.idempotency_key).first()
    if task is None:
        raise NotRevivable(message)
    if task.plan.status == Plan.Status.COMPLETED:
        advance(task.plan, to=Plan.Status.RUNNING, only_from=(Plan.Status.COMPLETED,), finished_at=None)
        data = {"retried": task.tenant.key}
        ledger.record(Action.PLAN_RESUMED, subject=task.plan, actor=actor, at=at, data=data)
    fields = {"finished_at": None, "not_before": None, "wait_reason": "", "detail": ""}
    same_attempt = max(task.attempts - 1, 0)
    upgrades.move(task, Status.QUEUED, actor=actor, at=at, attempts=same_attempt, **fields)


def _cancel(task: UpgradeTask, *, at: datetime) -> OrderStatus:
    if settings.ORCHESTRATOR_URL:
        return orchestrator.cancel(task.order_id)
    # By its key: an id may be of another orchestrator, that was named before.
    order = UpgradeOrder.objects.filter(group_id=task.group_id, idempotency_key=task.idempotency_key).first()
    if order is None:
        raise Undeliverable(f"There is no order {task.order_id} here.")
    orders.cancel(order, actor=SYSTEM, at=at)
    return OrderStatus(str(order.pk), order.task_id, order.status, order.detail, order.finished_at)


def _withdrawn(messages: Sequence[OutboxMessage]) -> set[str]:
    """The tasks whose plans were cancelled before any attempt: one without an answer may have arrived."""
    never_tried = [one.payload["task"] for one in messages if one.attempts <= 1 and not one.last_error]
    rows = UpgradeTask.objects.filter(pk__in=never_tried, plan__status=Plan.Status.CANCELLED)
    return set(map(str, rows.values_list("pk", flat=True)))


def _accept(orders: Mapping[UpgradeTask, str], at: datetime) -> None:
    """Note the orders' ids, and that the tasks are accepted where nothing further is known yet."""
    if not orders:
        return
    found = [{"id": str(task.pk), "order": order_id} for task, order_id in orders.items()]
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_ORDERS, {"orders": json.dumps(found)})
    for task, order_id in orders.items():
        task.order_id = order_id
    moves.move_all(list(orders), Status.ACCEPTED, actor=SYSTEM, at=at)


# Of one that has moved on, a callback has said the id.
_NOTE_ORDERS = """
UPDATE governance_upgradetask t
SET order_id = found."order"
FROM jsonb_to_recordset(%(orders)s) AS found (id uuid, "order" text)
WHERE t.id = found.id AND (t.order_id = '' OR t.status = 'dispatched')
"""


def _is_of_an_earlier_attempt(message: OutboxMessage, task: UpgradeTask) -> bool:
    """Whether the task is handed over anew by now: a callback was faster than the answer, and said failed."""
    return message.idempotency_key != task.idempotency_key


def _task(message: OutboxMessage) -> UpgradeTask:
    return _tasks([message])[message.payload["task"]]


def _tasks(messages: Iterable[OutboxMessage]) -> dict[str, UpgradeTask]:
    """By id, the tasks that messages are about. Raises UpgradeTask.DoesNotExist if one is gone."""
    wanted = {message.payload["task"] for message in messages}
    rows = UpgradeTask.objects.filter(pk__in=wanted).select_related("tenant", "plan")
    tasks = {str(task.pk): task for task in rows}
    if gone := wanted - tasks.keys():
        raise UpgradeTask.DoesNotExist(f"There is no upgrade task {', '.join(sorted(gone))}.")
    return tasks


def _move(task: UpgradeTask, to: Status, at: datetime, **fields: Any) -> bool:
    """Move the task on, unless it has moved past that; whether it did."""
    try:
        upgrades.move(task, to, actor=SYSTEM, at=at, **fields)
    except TransitionError:
        return False
    return True


def _note(task: UpgradeTask, detail: str, at: datetime) -> None:
    """Say it of a task that goes on; one that has ended keeps its own last word."""
    if not UpgradeTask.objects.filter(pk=task.pk, status__in=UNDER_WAY).update(detail=detail):
        return
    data = {"status": task.status, "detail": detail, "order": task.order_id}
    ledger.record(Action.TASK_CHANGED, subject=task, actor=SYSTEM, at=at, data=data)
