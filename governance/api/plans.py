"""Plans over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config import queue
from config.access import Permission
from governance import plans, presenters, simulation
from governance.api import bodies, problems
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from governance.models import Plan
from tenants.models import User
from tenants.reach import access_of_person


@endpoint(
    "GET",
    Permission.GROUP_VIEW,
    answers=bodies.Document,
    summary="A plan as it stands",
    tag="plans",
)
def plan_status(request: Request, number: int) -> Response:
    """Its status, its rings and limits, why it is paused, and its tasks."""
    return respond(Answer(presenters.plan(_plan(request, number))))


@endpoint(
    "POST",
    Permission.POLICY_SIMULATE,
    answers=bodies.Document,
    summary="Simulate a plan",
    tag="plans",
)
def simulate_plan(request: Request, number: int) -> Response:
    """Work out what it would do, with nothing done; the simulation and its digest stay with the plan."""

    def simulate() -> Answer:
        plan = _plan(request, number)
        actor, title = access_of(request).actor, f"{plan} carried out"
        what = simulation.Supposition(plan=plan.number)
        kept = simulation.simulate_what(plan.group, what, at=timezone.now(), actor=actor, title=title)
        return Answer(simulation.as_document(kept))

    return respond(once(request, "simulate-plan", simulate))


@endpoint(
    "POST",
    Permission.PLAN_APPROVE,
    body=bodies.ApprovalBody,
    answers=bodies.Document,
    summary="Record a person's approval of a plan",
    tag="plans",
)
def approve_plan(request: Request, number: int) -> Response:
    """Let it be started; `approved_by` is the username of the person, who isn't its author."""
    body = valid(bodies.ApprovalBody, request)
    person = User.objects.filter(username=body["approved_by"]).first()
    access = access_of_person(person, access_of(request).group_slug) if person else None
    if access is None or not access.allows(Permission.PLAN_APPROVE):
        raise ValidationError({"approved_by": "There is no such person who may approve in this group."})
    approver = access.actor

    def approve(plan: Plan) -> None:
        plans.approve(plan, actor=approver, at=timezone.now(), reason=body["reason"])

    return _change(request, number, "approve-plan", approve)


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    answers=bodies.Document,
    summary="Start a plan",
    tag="plans",
)
def start_plan(request: Request, number: int) -> Response:
    """Let its tasks be handed over, unless a tenant changed since it was drafted."""
    actor = access_of(request).actor
    return _change(
        request, number, "start-plan", lambda plan: plans.start(plan, actor=actor, at=timezone.now())
    )


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    body=bodies.ReasonBody,
    answers=bodies.Document,
    summary="Pause a plan",
    tag="plans",
)
def pause_plan(request: Request, number: int) -> Response:
    """Hand nothing more of it over; what was handed over goes on."""
    body, actor = valid(bodies.ReasonBody, request), access_of(request).actor

    def pause(plan: Plan) -> None:
        plans.pause(plan, actor=actor, at=timezone.now(), reason=body["reason"])

    return _change(request, number, "pause-plan", pause)


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    answers=bodies.Document,
    summary="Resume a plan",
    tag="plans",
)
def resume_plan(request: Request, number: int) -> Response:
    """Go on handing over; what failed until now counts no longer."""
    actor = access_of(request).actor
    return _change(
        request, number, "resume-plan", lambda plan: plans.resume(plan, actor=actor, at=timezone.now())
    )


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    answers=bodies.Document,
    summary="Cancel a plan",
    tag="plans",
)
def cancel_plan(request: Request, number: int) -> Response:
    """Drop what wasn't handed over yet, and ask the orchestrator to drop the rest."""
    actor = access_of(request).actor
    return _change(
        request, number, "cancel-plan", lambda plan: plans.cancel(plan, actor=actor, at=timezone.now())
    )


def _change(request: Request, number: int, kind: str, change: Callable[[Plan], Any]) -> Response:
    def do() -> Answer:
        plan = _plan(request, number)
        try:
            change(plan)
        except plans.WorldMoved as moved:  # raised, it would undo that the plan is refused for good
            told = problems.refusal(moved)
            return Answer(told.data, told.status_code)
        queue.enqueue("governance.jobs.follow_up", group_id=plan.group_id)
        return Answer(presenters.plan(plan))

    return respond(once(request, kind, do))


def _plan(request: Request, number: int) -> Plan:
    rows = Plan.objects.within(access_of(request)).select_related("group")
    plan = rows.filter(number=number).first()
    if plan is None:
        raise Http404
    return plan
