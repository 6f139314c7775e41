"""Snapshots and runs over REST."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config import queue
from config.access import Permission
from governance import flags, presenters, snapshots, stages
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.models import Run, Snapshot
from governance.models.snapshot import Trigger


@endpoint(
    "POST",
    Permission.SNAPSHOT_SEAL,
    answers={200: bodies.SnapshotAnswer, 202: bodies.Document},
    summary="Seal a group snapshot",
    tag="governance",
)
def seal_snapshot(request: Request) -> Response:
    """Collect what the group's sources have and seal its state; the last snapshot again if nothing changed.

    With `Prefer: respond-async` it is done in the background: 202 with the address of its status.
    """
    group = group_of(request)
    flags.require_governance(group)
    if "respond-async" in request.headers.get("Prefer", ""):
        return respond(once(request, "snapshot-async", lambda: _seal_later(group.pk, group.open_snapshot)))
    actor, at = access_of(request).actor, timezone.now()
    stages.take_stock(group, actor=actor, at=at)

    def seal() -> Answer:
        sealed = snapshots.seal(group, trigger=Trigger.ENDPOINT, actor=actor, at=at)
        return Answer(presenters.snapshot(sealed))

    return respond(once(request, "snapshot", seal))


@endpoint(
    "GET",
    Permission.SNAPSHOT_SEAL,
    answers={200: bodies.SnapshotAnswer, 202: bodies.Document},
    summary="A snapshot, or that it isn't sealed yet",
    tag="governance",
)
def snapshot_status(request: Request, number: int) -> Response:
    """The snapshot of that number; 202 while it is still the open one."""
    group = group_of(request)
    row = Snapshot.objects.within(access_of(request)).filter(number=number).first()
    if row is not None:
        return respond(Answer(presenters.snapshot(row)))
    if number != group.open_snapshot:
        raise Http404
    return respond(Answer({"number": number, "status": "open"}, HTTPStatus.ACCEPTED))


@endpoint(
    "GET",
    Permission.POLICY_ENFORCE,
    answers=bodies.Document,
    summary="A run as it stands",
    tag="policy",
)
def run_status(request: Request, pk: str) -> Response:
    """The run with its figures, its plan and tasks, and the conflicts that it waits for.

    It may be completed though conflicts wait that an earlier run stands for: `says` tells.
    """
    run = Run.objects.within(access_of(request)).select_related("plan").filter(pk=pk).first()
    if run is None:
        raise Http404
    return respond(Answer(presenters.run(run)))


def _seal_later(group_id: int, number: int) -> Answer:
    queue.enqueue("governance.jobs.seal_snapshot", group_id=group_id, number=number)
    status_url = reverse("api_snapshot_status", args=[number])
    return Answer({"number": number, "status": "open", "status_url": status_url}, HTTPStatus.ACCEPTED)
