"""What-if over REST: asked, looked at, downloaded, applied."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from config import queue
from config.access import Permission
from governance import presenters, simulation
from governance.api import bodies, problems
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from governance.documents import Source
from governance.models import Simulation

_UNUSABLE = (HTTPStatus.UNPROCESSABLE_ENTITY.value, problems.CONTENT_TYPE)


@endpoint(
    "POST",
    Permission.POLICY_SIMULATE,
    body=bodies.SimulateBody,
    answers={200: bodies.Document, 202: bodies.Document, _UNUSABLE: problems.Unusable},
    summary="What-if of a policy set",
    tag="policy",
)
def simulate_policies(request: Request) -> Response:
    """What the policies, exemptions, dates and releases given would change, beside what is in force.

    Nothing is done. With `Prefer: respond-async` it is worked out in the background: 202 with the address of
    its status, which is where it can be applied and downloaded too.
    """
    body = valid(bodies.SimulateBody, request)
    later = "respond-async" in request.headers.get("Prefer", "")

    def ask() -> Answer:
        group, at = group_of(request), timezone.now()
        supposed = {name: value for name, value in body.items() if name != "title"}
        what = simulation.read(group, Source("request", supposed), at=at)
        asking: dict[str, Any] = {"at": at, "actor": access_of(request).actor, "title": body.get("title", "")}
        if not later:
            return Answer(_told(simulation.simulate_what(group, what, **asking)))
        asked = simulation.request(group, what, **asking)
        queue.enqueue("governance.jobs.run_simulation", simulation_id=str(asked.pk))
        return Answer(_told(asked), HTTPStatus.ACCEPTED)

    return respond(once(request, "simulate-async" if later else "simulate", ask))


@endpoint(
    "GET",
    Permission.POLICY_SIMULATE,
    answers={200: bodies.Document, 202: bodies.Document},
    summary="A simulation as it stands",
    tag="policy",
)
def simulation_status(request: Request, pk: str) -> Response:
    """The simulation with its outcome; 202 while it is worked out. One that failed says why."""
    row = _simulation(request, pk)
    return respond(Answer(_told(row), HTTPStatus.ACCEPTED if row.is_under_way else HTTPStatus.OK))


@endpoint(
    "GET",
    Permission.POLICY_SIMULATE,
    answers={(200, "application/octet-stream"): bytes},
    summary="A file of a simulation",
    tag="policy",
)
def simulation_file(request: Request, pk: str, kind: str) -> HttpResponse:
    """The bytes of one kind: json, findings (CSV), actions (CSV) or markdown."""
    row = _simulation(request, pk)
    if kind not in simulation.KINDS or not row.is_answered:
        raise Http404
    file = simulation.export(row, kind)
    response = HttpResponse(file.content, content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


@endpoint(
    "POST",
    Permission.POLICY_EDIT,
    body=bodies.ApplyBody,
    answers={200: bodies.Document, _UNUSABLE: problems.Unusable},
    summary="Apply a simulation",
    tag="policy",
)
def apply_simulation(request: Request, pk: str) -> Response:
    """Put in force what was supposed and draft the plan of it, all or nothing.

    409 if anything changed since that the outcome depends on, or if it supposes what can't be put in force.
    One that grants or ends exemptions needs the scope `exemption.decide` too.
    """
    body = valid(bodies.ApplyBody, request)
    access = access_of(request)
    row = _simulation(request, pk)
    if simulation.grants(row) and not access.allows(Permission.EXEMPTION_DECIDE):
        raise PermissionDenied(f"The token lacks the scope {Permission.EXEMPTION_DECIDE}.")

    def apply() -> Answer:
        comment = body.get("comment", "")
        plan = simulation.apply(row, actor=access.actor, at=timezone.now(), comment=comment)
        return Answer({**_told(row), "plan": presenters.plan(plan) if plan else None})

    return respond(once(request, f"apply {pk}", apply))


def _simulation(request: Request, pk: str) -> Simulation:
    row = Simulation.objects.within(access_of(request)).defer("findings").filter(pk=pk).first()
    if row is None:
        raise Http404
    return row


def _told(row: Simulation) -> dict[str, Any]:
    return {**simulation.as_document(row), "status_url": reverse("api_simulation_status", args=[row.pk])}
