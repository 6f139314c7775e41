"""Reports over REST."""

from __future__ import annotations

from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from audit.models import Report
from config import queue
from config.access import Permission
from governance import compliance, flags, presenters
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once


@endpoint(
    "POST",
    Permission.REPORT_BUILD,
    answers={201: bodies.Document, 202: bodies.Document},
    summary="Build a compliance report",
    tag="policy",
)
def build_report(request: Request) -> Response:
    """Build the group's compliance report; with `Prefer: respond-async`, in the background (202)."""
    group = group_of(request)
    flags.require_governance(group)
    later = "respond-async" in request.headers.get("Prefer", "")

    def ask() -> Answer:
        report = compliance.request(group, actor=access_of(request).actor, at=timezone.now())
        if later:
            queue.enqueue("governance.jobs.build_report", report_id=str(report.pk))
        return Answer({"report": str(report.pk)})

    asked = once(request, "report", ask)
    if not later:
        compliance.build(asked.body["report"], at=timezone.now())
    row = Report.objects.get(pk=asked.body["report"])
    document = {**presenters.report(row), "status_url": reverse("api_report_status", args=[row.pk])}
    return respond(Answer(document, HTTPStatus.ACCEPTED if later else HTTPStatus.CREATED, asked.replayed))


@endpoint(
    "GET", Permission.REPORT_VIEW, answers=bodies.Document, summary="A report as it stands", tag="policy"
)
def report_status(request: Request, pk: str) -> Response:
    """The report and its files with their SHA-256."""
    return respond(Answer(presenters.report(_report(request, pk))))


@endpoint(
    "GET",
    Permission.REPORT_VIEW,
    answers={(200, "application/octet-stream"): bytes},
    summary="A file of a report",
    tag="policy",
)
def report_file(request: Request, pk: str, kind: str) -> HttpResponse:
    """The bytes of one format: pdf, csv or json."""
    file = _report(request, pk).files.filter(format=kind).first()
    if file is None:
        raise Http404
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    response["Content-Disposition"] = f'attachment; filename="{file.name}"'
    return response


def _report(request: Request, pk: str) -> Report:
    report = Report.objects.within(access_of(request)).filter(pk=pk).first()
    if report is None:
        raise Http404
    return report
