"""Rollbacks over REST: asked, looked at, put in force."""

from __future__ import annotations

from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config import queue
from config.access import Permission
from governance import presenters, rollbacks, simulation
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from governance.models import Plan, Policy, Rollback
from governance.restoring import Scope
from governance.rollbacks import Asked
from tenants.models import Group


@endpoint(
    "POST",
    Permission.ROLLBACK_OPERATE,
    body=bodies.RollbackBody,
    answers={200: bodies.Document, 202: bodies.Document},
    summary="Prepare a rollback",
    tag="rollback",
)
def prepare_rollback(request: Request) -> Response:
    """What would take tenants back to a snapshot, or to before a plan, simulated; nothing is done yet.

    `policies` are those that would undo it, with why; applied, they are paused, or the tenants are exempt
    from them. With `Prefer: respond-async` it is worked out in the background: 202 with `status_url`.
    """
    body = valid(bodies.RollbackBody, request)
    later = "respond-async" in request.headers.get("Prefer", "")

    def prepare() -> Answer:
        group, at = group_of(request), timezone.now()
        try:
            row = rollbacks.prepare(group, _asked(group, body), actor=access_of(request).actor, at=at)
        except rollbacks.RollbackRefused as refusal:
            raise ValidationError({refusal.field: [refusal.reason]}) from refusal
        if later:
            queue.enqueue("governance.jobs.run_simulation", simulation_id=str(row.simulation_id))
        return Answer(_told(row), HTTPStatus.ACCEPTED)

    prepared = once(request, "rollback-async" if later else "rollback", prepare)
    return respond(prepared if later else _worked_out(request, prepared))


@endpoint(
    "GET",
    Permission.ROLLBACK_OPERATE,
    answers={200: bodies.Document, 202: bodies.Document},
    summary="A rollback as it stands",
    tag="rollback",
)
def rollback_status(request: Request, number: int) -> Response:
    """The rollback with its simulation and its plan; 202 while it is worked out."""
    row = _rollback(request, number)
    under_way = row.simulation.is_under_way
    return respond(Answer(_told(row), HTTPStatus.ACCEPTED if under_way else HTTPStatus.OK))


@endpoint(
    "POST",
    Permission.ROLLBACK_OPERATE,
    answers=bodies.Document,
    summary="Put a rollback in force",
    tag="rollback",
)
def apply_rollback(request: Request, number: int) -> Response:
    """Let the policies give way and draft the plan that takes the tenants back, all or nothing.

    409 if anything changed that the simulation was worked out from.
    """
    actor = access_of(request).actor

    def apply() -> Answer:
        row = _rollback(request, number)
        rollbacks.apply(row, actor=actor, at=timezone.now())
        return Answer(_told(row))

    return respond(once(request, f"apply-rollback {number}", apply))


def _worked_out(request: Request, prepared: Answer) -> Answer:
    """Once the rollback is kept: nobody waits for its locks meanwhile. Asked again, it goes on from there."""
    row = _rollback(request, prepared.body["number"])
    row.simulation = simulation.run(row.simulation_id, at=timezone.now())
    status = HTTPStatus.ACCEPTED if row.simulation.is_under_way else HTTPStatus.OK
    return replace(prepared, body=_told(row), status=status)


def _asked(group: Group, body: dict[str, Any]) -> Asked:
    plan = policy = None
    if "before_plan" in body:
        plan = Plan.objects.get(group=group, number=body["before_plan"])
    if "policy" in body:
        policy = Policy.objects.select_related("current").get(group=group, name=body["policy"])
    return Asked(
        snapshot=body.get("snapshot"),
        scope=Scope(frozenset(body.get("tenants", ())), policy, plan),
        way=body["way"],
        until=body.get("until"),
        reason=body["reason"],
        profile=body.get("profile", ""),
        ways=body.get("ways", {}),
    )


def _rollback(request: Request, number: int) -> Rollback:
    rows = Rollback.objects.within(access_of(request)).select_related("group", "of_plan", "simulation__plan")
    row = rows.filter(number=number).first()
    if row is None:
        raise Http404
    return row


def _told(row: Rollback) -> dict[str, Any]:
    return {**presenters.rollback(row), "status_url": reverse("api_rollback_status", args=[row.number])}
