"""Reconciliation over REST."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import reconciliation
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, in_steps
from governance.api.policies import valid


@endpoint(
    "POST",
    Permission.RECONCILE,
    body=bodies.ReconcileBody,
    answers=bodies.Document,
    summary="Compare all that should agree",
    tag="governance",
)
def reconcile_group(request: Request) -> Response:
    """Name every disagreement of installations, findings, tasks, orchestrator, outbox and ledger.

    Nothing is changed unless `apply` is true: then what has one right answer is repaired, the rest listed.
    What was over when the last one that left nothing began isn't compared again, unless `all` is true.
    """
    body = valid(bodies.ReconcileBody, request)
    actor = access_of(request).actor

    def reconcile() -> Answer:
        asked = {"apply": body["apply"], "whole": body["all"]}
        row = reconciliation.reconcile(group_of(request), **asked, actor=actor, at=timezone.now())
        return Answer(reconciliation.as_document(row))

    return respond(in_steps(request, "reconcile", reconcile))


@endpoint(
    "GET",
    Permission.RECONCILE,
    answers=bodies.Document,
    summary="The last reconciliation",
    tag="governance",
)
def last_reconciliation(request: Request) -> Response:
    """What the newest one found, repaired and left."""
    row = reconciliation.last(access_of(request))
    if row is None:
        raise Http404
    return respond(Answer(reconciliation.as_document(row)))
