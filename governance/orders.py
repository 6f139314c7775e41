"""The receiving end of the outbound contract: upgrade plans that people carry out by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.dateparse import parse_datetime

from audit import ledger
from audit.actions import Action
from audit.senders import Undeliverable
from config.access import Actor
from config.lifecycle import advance
from governance import upgrades
from governance.models import UpgradeOrder
from governance.orchestrator import OrderStatus
from tenants.models import Tenant


def receive(
    group_id: int, payload: dict[str, Any], *, idempotency_key: str, actor: Actor, at: datetime
) -> dict[str, Any]:
    """Take an upgrade plan; the same key again gives the same answer.

    Raises Undeliverable for an unknown tenant, or for the same key with other contents.
    """
    tenant = Tenant.objects.filter(group_id=group_id, key=payload["tenant"]).first()
    if tenant is None:
        raise Undeliverable(f"There is no tenant {payload['tenant']}.")
    try:
        with transaction.atomic():
            order = _store(tenant, payload, idempotency_key, actor, at)
    except IntegrityError:
        order = UpgradeOrder.objects.get(group_id=group_id, idempotency_key=idempotency_key)
        if order.task_id != str(payload["task"]) or order.steps != payload["steps"]:
            raise Undeliverable("This Idempotency-Key was used for another upgrade plan.") from None
    return {"id": str(order.pk), "status": UpgradeOrder.Status.ACCEPTED.value}


def _store(
    tenant: Tenant, payload: dict[str, Any], idempotency_key: str, actor: Actor, at: datetime
) -> UpgradeOrder:
    due_at = payload.get("due_at")
    order = UpgradeOrder.objects.create(
        group_id=tenant.group_id,
        tenant=tenant,
        idempotency_key=idempotency_key,
        task_id=str(payload["task"]),
        steps=payload["steps"],
        callback_url=payload.get("callback_url") or "",
        due_at=parse_datetime(due_at) if due_at else None,
        received_at=at,
    )
    ledger.record(Action.TASK_RECEIVED, subject=order, actor=actor, at=at, data={"steps": order.steps})
    return order


@transaction.atomic
def report(order: UpgradeOrder, *, done: bool, detail: str, actor: Actor, at: datetime) -> None:
    """Say that an order was carried out by hand, or can't be; the tenant's next manifest checks it.

    Raises TransitionError if it was reported before.
    """
    ledger.hold(order.group_id)  # before the order's row, as whoever takes it back does
    to = UpgradeOrder.Status.SUCCEEDED if done else UpgradeOrder.Status.FAILED
    advance(order, to=to, detail=detail, finished_at=at)
    ledger.record(
        Action.TASK_CHANGED, subject=order, actor=actor, at=at, data={"status": to.value, "detail": detail}
    )
    word = OrderStatus(str(order.pk), order.task_id, to.value, detail, at)
    upgrades.write_back(word, actor=actor, at=at, group_id=order.group_id)


@transaction.atomic
def cancel(order: UpgradeOrder, *, actor: Actor, at: datetime) -> None:
    """Take back an order that nobody has reported on; one that is cancelled already stays so.

    Raises TransitionError if it was reported before.
    """
    ledger.hold(order.group_id)
    order.refresh_from_db(fields=["status", "detail", "finished_at"])
    to = UpgradeOrder.Status.CANCELLED
    if order.status == to:
        return
    advance(order, to=to, detail="cancelled by the caller", finished_at=at)
    ledger.record(Action.TASK_CHANGED, subject=order, actor=actor, at=at, data={"status": to.value})
    word = OrderStatus(str(order.pk), order.task_id, to.value, order.detail, at)
    upgrades.write_back(word, actor=actor, at=at, group_id=order.group_id)
