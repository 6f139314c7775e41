"""Upgrade tasks over REST."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import corrections, presenters
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, respond
from governance.api.idempotency import Answer, once
from governance.models import UpgradeTask


@endpoint(
    "GET",
    Permission.TENANT_VIEW,
    answers=bodies.Document,
    summary="An upgrade task as it stands",
    tag="upgrade",
)
def task_status(request: Request, pk: str) -> Response:
    """Where it stands, its steps and attempts, and why it waits."""
    return respond(Answer(presenters.task(_task(request, pk))))


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


def _task(request: Request, pk: str) -> UpgradeTask:
    rows = UpgradeTask.objects.within(access_of(request)).select_related("group", "tenant", "plan")
    task = rows.filter(pk=pk).first()
    if task is None:
        raise Http404
    return task
