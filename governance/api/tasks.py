"""Upgrade tasks over REST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import corrections, halting, presenters, queueing, waiting
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.models import UpgradeTask
from governance.models.plan import WAITING


@endpoint(
    "GET",
    Permission.TENANT_VIEW,
    answers=bodies.Document,
    summary="An upgrade task as it stands",
    tag="upgrade",
)
def task_status(request: Request, pk: str) -> Response:
    """Where it stands, its steps and attempts, why it waits, and what follows if it came to nothing."""
    return respond(Answer(presenters.explained_task(_task(request, pk), at=timezone.now())))


@endpoint(
    "GET",
    Permission.GROUP_VIEW,
    answers=bodies.Document,
    summary="The queue of upgrade tasks",
    tag="upgrade",
)
def task_queue(request: Request) -> Response:
    """What waits, those that go first at the top, at most 200, each with why it isn't running."""
    rows = UpgradeTask.objects.within(access_of(request)).filter(status__in=WAITING)
    tasks = list(rows.select_related("tenant", "plan").order_by("queue_at", "pk")[:200])
    explained = waiting.explain(group_of(request), tasks, at=timezone.now())
    told = [{**presenters.task(task), "waiting": explained[task.pk].as_json()} for task in tasks]
    return respond(Answer({"tasks": told}))


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    body=bodies.PriorityBody,
    answers=bodies.Document,
    summary="Raise, lower or send to the front",
    tag="upgrade",
)
def prioritise_task(request: Request, pk: str) -> Response:
    """Move a waiting task within the queue."""
    body = bodies.PriorityBody(data=request.data)
    body.is_valid(raise_exception=True)
    said: dict[str, Any] = body.validated_data

    def prioritise() -> Answer:
        task, at = _task(request, pk), timezone.now()
        move = queueing.Move(said["move"])
        queueing.prioritise(task, move, reason=said["reason"], actor=access_of(request).actor, at=at)
        return Answer(presenters.explained_task(task, at=at))

    return respond(once(request, "prioritise-task", prioritise))


@endpoint(
    "POST",
    Permission.TASK_CORRECT,
    body=bodies.CorrectionBody,
    answers=bodies.Document,
    summary="Say what was done by hand instead",
    tag="upgrade",
)
def correct_task(request: Request, pk: str) -> Response:
    """Take a task over that the orchestrator hasn't got; the tenant's next manifest checks it."""
    body = bodies.CorrectionBody(data=request.data)
    body.is_valid(raise_exception=True)
    said: dict[str, Any] = body.validated_data

    def correct() -> Answer:
        task = _task(request, pk)
        corrections.correct(task, done=said["done"], actor=access_of(request).actor, at=timezone.now())
        return Answer(presenters.task(task))

    return respond(once(request, "correct-task", correct))


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    body=bodies.ReasonBody,
    answers=bodies.Document,
    summary="Stop all hand-overs of the group",
    tag="upgrade",
)
def halt_group(request: Request) -> Response:
    """Hand nothing more over, of any plan; what was handed over goes on."""
    return _switch(request, "halt-group", halting.halt)


@endpoint(
    "POST",
    Permission.PLAN_OPERATE,
    body=bodies.ReasonBody,
    answers=bodies.Document,
    summary="Let hand-overs of the group go on",
    tag="upgrade",
)
def release_group(request: Request) -> Response:
    """Let the running plans go on."""
    return _switch(request, "release-group", halting.release)


def _switch(request: Request, kind: str, change: Callable[..., None]) -> Response:
    body = bodies.ReasonBody(data=request.data)
    body.is_valid(raise_exception=True)
    said: dict[str, Any] = body.validated_data

    def switch() -> Answer:
        group = group_of(request)
        change(group, reason=said["reason"], actor=access_of(request).actor, at=timezone.now())
        return Answer({"group": group.slug, "halted": group.halted_at is not None})

    return respond(once(request, kind, switch))


def _task(request: Request, pk: str) -> UpgradeTask:
    rows = UpgradeTask.objects.within(access_of(request)).select_related("group", "tenant", "plan")
    task = rows.filter(pk=pk).first()
    if task is None:
        raise Http404
    return task
