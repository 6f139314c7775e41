"""Enforcement, decisions and stopping a policy over REST."""

from __future__ import annotations

from collections.abc import Callable
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
from governance import conflicts, pipeline, policies, presenters
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.models import Conflict, Policy, Run
from governance.models.snapshot import Trigger
from tenants.models import User
from tenants.reach import access_of_person


@endpoint(
    "POST",
    Permission.POLICY_ENFORCE,
    body=bodies.EnforceBody,
    answers={200: bodies.Document, 202: bodies.Document},
    summary="Evaluate and enforce",
    tag="policy",
)
def enforce_policies(request: Request) -> Response:
    """Evaluate and return the plan, and carry it out unless `dry_run` is asked for.

    202 with `status_url` while upgrade tasks are under way; `status` is `needs_decision` where the run stands
    at a conflict.
    """
    body = valid(bodies.EnforceBody, request)
    names = body.get("policies", [])
    _known_policies(request, names)

    def start() -> Answer:
        run = pipeline.start_run(
            group_of(request),
            trigger=Trigger.ENDPOINT,
            actor=access_of(request).actor,
            at=timezone.now(),
            dry_run=body["dry_run"],
            policy_names=names,
        )
        queue.enqueue("governance.jobs.advance_run", run_id=str(run.pk))
        return Answer({"run": str(run.pk)})

    # Only the start is kept under the key: a repetition tells how the same run stands by then.
    started = once(request, "enforce", start)
    run = pipeline.advance_run(started.body["run"])
    status = HTTPStatus.ACCEPTED if run.status in {Run.Status.RUNNING, Run.Status.ACTING} else HTTPStatus.OK
    document = {**presenters.run(run), "status_url": reverse("api_run_status", args=[run.pk])}
    return respond(Answer(document, status, started.replayed))


@endpoint(
    "GET",
    Permission.POLICY_ENFORCE,
    answers=bodies.Document,
    summary="Conflicts that stand",
    tag="policy",
)
def list_conflicts(request: Request) -> Response:
    """The group's conflicts, those that need a decision first, at most 500."""
    standing = Conflict.objects.within(access_of(request)).standing().select_related("plugin")
    rows = standing.order_by("-status", "-found_at", "pk")[:500]
    return respond(Answer({"conflicts": [presenters.conflict(row) for row in rows]}))


@endpoint(
    "POST",
    Permission.CONFLICT_DECIDE,
    body=bodies.DecideBody,
    answers=bodies.Document,
    summary="Record a person's decision on a conflict",
    tag="policy",
)
def decide_conflict(request: Request) -> Response:
    """Set rules of a conflict aside; `decided_by` is the username of the person who decided."""
    body = valid(bodies.DecideBody, request)
    person = User.objects.filter(username=body["decided_by"]).first()
    access = access_of_person(person, access_of(request).group_slug) if person else None
    if access is None or not access.allows(Permission.CONFLICT_DECIDE):
        raise ValidationError({"decided_by": "There is no such person who may decide in this group."})

    def decide() -> Answer:
        conflict = Conflict.objects.within(access_of(request)).filter(pk=body["conflict"]).first()
        if conflict is None:
            raise Http404
        conflicts.decide(
            conflict,
            set_aside=body["set_aside"],
            reason=body["reason"],
            actor=access.actor,
            at=timezone.now(),
        )
        queue.enqueue("governance.jobs.follow_up", group_id=conflict.group_id)
        return Answer(presenters.conflict(conflict))

    return respond(once(request, "decide", decide))


@endpoint(
    "POST",
    Permission.POLICY_EDIT,
    body=bodies.PolicySwitchBody,
    answers=bodies.Document,
    summary="Pause a policy",
    tag="policy",
)
def pause_policy(request: Request) -> Response:
    """Let it act on nothing, its waiting tasks included; it still finds drift."""
    return _switch(request, "pause-policy", policies.pause)


@endpoint(
    "POST",
    Permission.POLICY_EDIT,
    body=bodies.PolicySwitchBody,
    answers=bodies.Document,
    summary="Resume a policy",
    tag="policy",
)
def resume_policy(request: Request) -> Response:
    """Let it act again; the rollbacks that it was paused for end."""
    return _switch(request, "resume-policy", policies.resume)


def valid(kind: type[bodies.Body], request: Request) -> dict[str, Any]:
    """The request's body as that kind has it. Raises ValidationError."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _switch(request: Request, kind: str, change: Callable[..., None]) -> Response:
    body = valid(bodies.PolicySwitchBody, request)

    def switch() -> Answer:
        rows = Policy.objects.within(access_of(request)).select_related("group")
        policy = rows.filter(name=body["policy"]).first()
        if policy is None:
            raise Http404
        change(policy, actor=access_of(request).actor, at=timezone.now(), reason=body["reason"])
        return Answer({"name": policy.name, "status": policy.status})

    return respond(once(request, kind, switch))


def _known_policies(request: Request, names: list[str]) -> None:
    known = set(
        Policy.objects.within(access_of(request)).filter(name__in=names).values_list("name", flat=True)
    )
    if missing := [name for name in names if name not in known]:
        raise ValidationError({"policies": f"There is no policy {', '.join(missing)}."})
