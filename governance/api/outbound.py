"""The receiving ends of the three outbound contracts, and the orchestrator's way back."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

import structlog
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from audit import ledger
from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM, Permission
from governance import notifications, orchestrator, orders, upgrades, waking
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import HEADER, Answer, once
from governance.models import UpgradeOrder
from governance.moves import IN_HAND
from governance.orchestrator import CallbackRefused

log = structlog.get_logger("plumbline.callbacks")


@endpoint(
    "POST",
    Permission.UPGRADE_WRITE,
    body=bodies.UpgradePlanBody,
    answers={202: bodies.UpgradePlanAnswer},
    summary="Create an upgrade plan for a drift tenant",
    tag="outbound contracts",
    required_key=True,
)
def create_upgrade_plan(request: Request) -> Response:
    """Take an upgrade plan, to be carried out by hand and checked by the tenant's next manifest."""
    body = bodies.UpgradePlanBody(data=request.data)
    body.is_valid(raise_exception=True)
    _same_group(request, body.validated_data["group"])

    def receive() -> Answer:
        order = orders.receive(
            access_of(request).group_id,
            json.loads(request.body),
            idempotency_key=request.headers[HEADER],
            actor=access_of(request).actor,
            at=timezone.now(),
        )
        return Answer(order, HTTPStatus.ACCEPTED)

    return respond(once(request, "upgrade-plan", receive, required=True))


@endpoint(
    "GET",
    Permission.UPGRADE_WRITE,
    answers=bodies.Document,
    summary="An upgrade plan as it stands",
    tag="outbound contracts",
)
def upgrade_plan_status(request: Request, pk: str) -> Response:
    """The order's status: accepted, succeeded, failed or cancelled."""
    return respond(Answer(_facts(_order(request, pk))))


@endpoint(
    "POST",
    Permission.UPGRADE_WRITE,
    answers=bodies.Document,
    summary="Stop an upgrade plan that hasn't finished",
    tag="outbound contracts",
)
def cancel_upgrade_plan(request: Request, pk: str) -> Response:
    """Take the order off the list of what is to be done by hand; again is no error, too late is 409."""
    order = _order(request, pk)
    orders.cancel(order, actor=access_of(request).actor, at=timezone.now())
    return respond(Answer(_facts(order)))


@endpoint(
    "POST",
    Permission.NOTIFY_SEND,
    body=bodies.NotifyBody,
    answers={202: bodies.Document},
    summary="Tell drift tenants' admins and group owners",
    tag="outbound contracts",
    required_key=True,
)
def notify_version(request: Request) -> Response:
    """Put one message a person into the console's inbox and send it by mail."""
    body = bodies.NotifyBody(data=request.data)
    body.is_valid(raise_exception=True)

    def receive() -> Answer:
        answer = notifications.receive(
            access_of(request).group_id,
            json.loads(request.body),
            idempotency_key=request.headers[HEADER],
            at=timezone.now(),
        )
        return Answer(answer, HTTPStatus.ACCEPTED)

    return respond(once(request, "notify", receive, required=True))


@endpoint(
    "POST",
    Permission.AUDIT_WRITE,
    body=bodies.AuditBody,
    answers={200: bodies.Document, 201: bodies.Document},
    summary="Persist policy executions, exemptions and conflicts",
    tag="outbound contracts",
)
def audit_version(request: Request) -> Response:
    """Put a record into the ledger. An entry of this very ledger is known by its hash and not repeated."""
    body = bodies.AuditBody(data=request.data)
    body.is_valid(raise_exception=True)
    known = Entry.objects.filter(
        group_id=access_of(request).group_id, hash=body.validated_data.get("hash", "")
    )
    if entry := known.first():
        return respond(Answer({"sequence": entry.sequence, "hash": entry.hash}))

    def keep() -> Answer:
        entry = ledger.record(
            Action.AUDIT_RECEIVED,
            subject=group_of(request),
            actor=access_of(request).actor,
            at=timezone.now(),
            data={"record": json.loads(request.body)},
        )
        return Answer({"sequence": entry.sequence, "hash": entry.hash}, HTTPStatus.CREATED)

    return respond(once(request, "audit", keep))


@extend_schema(
    operation_id="upgrade_status",
    summary="The orchestrator writes a result back",
    description="Signed with Standard Webhooks headers and the callback secret; no token.",
    tags=["upgrade"],
    request=bodies.Document,
    responses={200: bodies.Document},
    auth=[],
)
@api_view(["POST"])
@authentication_classes([])
@permission_classes([AllowAny])
def upgrade_status(request: Request) -> Response:
    """Note an order's status. Repeated, late and older words change nothing."""
    at = timezone.now()
    try:
        status = orchestrator.verified_callback(request.body, _headers(request), at=at)
    except CallbackRefused as refusal:
        log.warning("callback.refused", reason=str(refusal), webhook_id=request.headers.get("webhook-id", ""))
        raise
    task = upgrades.write_back(status, actor=SYSTEM, at=at)
    if task is None:
        raise Http404
    if task.status not in IN_HAND:
        waking.follow_up(task.group_id, at=at)
    return Response({"task": str(task.pk), "status": task.status})


# The signature is the permission.
upgrade_status.access_rule = "signed by the orchestrator"  # type: ignore[attr-defined]


def _order(request: Request, pk: str) -> UpgradeOrder:
    order = UpgradeOrder.objects.within(access_of(request)).select_related("tenant").filter(pk=pk).first()
    if order is None:
        raise Http404
    return order


def _facts(order: UpgradeOrder) -> dict[str, Any]:
    finished_at = order.finished_at.isoformat() if order.finished_at else None
    facts = {"id": str(order.pk), "task": order.task_id, "tenant": order.tenant.key, "status": order.status}
    return {**facts, "detail": order.detail, "finished_at": finished_at}


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _same_group(request: Request, slug: Any) -> None:
    if slug != access_of(request).group_slug:
        raise Http404
