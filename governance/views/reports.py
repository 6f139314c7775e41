"""Compliance reports: all of them, one, its files, and a new one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import F
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_filters import ChoiceFilter, FilterSet

from audit.models import Report, ReportFile
from audit.models.report import ReportStatus
from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.filters import DayFilter
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import compliance, flags
from governance.reports import highlights
from tenants.models import Group

# What the page shows of a report; its longest lists are in the files alone.
_PARTS = (
    "period",
    "run",
    "snapshot",
    "summary",
    "trend",
    "by_policy",
    "by_plugin",
    "by_tenant",
    "planned",
    "conflicts",
    "assessment",
    "exemptions",
    "policies",
)


class ReportFilter(FilterSet):
    """How the list of reports may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=ReportStatus.choices)
    since = DayFilter("created_at", label="From")
    until = DayFilter("created_at", label="To", end=True)

    class Meta:
        model = Report
        fields: tuple[str, ...] = ()


@require_GET
@requires(Permission.REPORT_VIEW)
def report_list(request: ConsoleRequest) -> HttpResponse:
    """The group's reports."""
    rows = listing(
        request,
        Report.objects.within(request.access)
        .defer("data")
        .annotate(rate=F("data__summary__compliance_rate"), outstanding=F("data__summary__outstanding")),
        name="reports",
        noun=("report", "reports"),
        search=("title", "requested_by", "digest"),
        filterset_class=ReportFilter,
        sorts={
            "number": ("number",),
            "created": ("created_at",),
            "snapshot": ("snapshot_number", "number"),
        },
        default="-number",
        per_page=25,
    )
    return render_page(
        request,
        "governance/reports/list.html",
        {"listing": rows},
        fragments={"reports": "governance/reports/_table.html"},
    )


@require_GET
@requires(Permission.REPORT_VIEW)
def report_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One report; while it is being built, how far it is."""
    report = get_object_or_404(Report.objects.within(request.access).defer("data"), pk=pk)
    context: dict[str, Any] = {"report": report}
    if report.status == ReportStatus.READY:
        found = Report.objects.filter(pk=pk).values_list(*(F(f"data__{name}") for name in _PARTS))[0]
        data = dict(zip(_PARTS, found, strict=True))
        files = report.files.defer("content").order_by("format")
        context |= {"data": data, "files": files, **highlights.of(data)}
    return render_page(
        request,
        "governance/reports/detail.html",
        context,
        fragments={"report": "governance/reports/_report.html"},
    )


@require_GET
@requires(Permission.REPORT_VIEW)
def report_download(request: ConsoleRequest, pk: UUID, format: str) -> HttpResponse:
    """The bytes of one of the report's files."""
    reports = Report.objects.within(request.access).filter(pk=pk).values("pk")
    file = get_object_or_404(ReportFile, report__in=reports, format=format)
    disposition = f'attachment; filename="{file.name}"'
    return HttpResponse(
        bytes(file.content), content_type=file.content_type, headers={"Content-Disposition": disposition}
    )


@require_POST
@requires(Permission.REPORT_BUILD)
def report_build(request: ConsoleRequest) -> HttpResponse:
    """Ask for a report; a worker builds it."""
    group = Group.objects.get(pk=request.access.group_id)
    try:
        flags.require_governance(group)
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
        return redirect_to(request, "report_list")
    with transaction.atomic():
        report = compliance.request(group, actor=request.actor, at=timezone.now())
        queue.enqueue("governance.jobs.build_report", report_id=str(report.pk))
    return redirect_to(request, "report_detail", report.pk)
