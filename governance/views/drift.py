"""Drift: every finding within reach."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET
from django_filters import CharFilter, ChoiceFilter, FilterSet

from config.access import ConsoleRequest, Permission, requires
from config.charts import Part, stack
from config.listing import listing
from config.rendering import render_page
from config.tones import tone
from governance import findings
from governance.models import Finding


class FindingFilter(FilterSet):
    """How the findings may be narrowed."""

    shows = ChoiceFilter(
        label="Show",
        empty_label="Open",
        choices=[("outstanding", "Outstanding"), ("overdue", "Past its due date"), ("closed", "Closed")],
        method="by_life",
    )
    status = ChoiceFilter(label="Status", empty_label="Any", choices=Finding.Status.choices)
    severity = ChoiceFilter(
        label="Severity",
        empty_label="Any",
        choices=[(name, name.title()) for name in ("critical", "high", "medium", "low")],
    )
    plugin = CharFilter(label="Plugin", field_name="plugin__name", lookup_expr="iexact")
    policy = CharFilter(label="Policy", field_name="policy__name", lookup_expr="iexact")
    tenant = CharFilter(label="Tenant", field_name="tenant__key", lookup_expr="iexact")

    class Meta:
        model = Finding
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Without a choice of another life, what is open."""
        rows: QuerySet[Any] = super().filter_queryset(queryset)
        return rows if self.form.cleaned_data.get("shows") else rows.filter(closed_at__isnull=True)

    def by_life(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Findings by where they are in their life."""
        if value == "closed":
            return rows.filter(closed_at__isnull=False)
        kept = rows.filter(closed_at__isnull=True).exclude(status=Finding.Status.ACCEPTED)
        return kept.filter(due_at__lt=timezone.now()) if value == "overdue" else kept


@require_GET
@requires(Permission.TENANT_VIEW)
def drift_list(request: ConsoleRequest) -> HttpResponse:
    """What is out of line, and what is done about it."""
    found = Finding.objects.within(request.access)
    rows = listing(
        request,
        found.select_related("tenant", "plugin", "policy", "release", "target", "exemption"),
        name="findings",
        noun=("finding", "findings"),
        search=("tenant__key", "plugin__name", "policy__name"),
        filterset_class=FindingFilter,
        sorts={
            "tenant": ("tenant__key", "plugin__name"),
            "plugin": ("plugin__name", "tenant__key"),
            "policy": ("policy__name", "plugin__name", "tenant__key"),
            "opened": ("opened_at", "tenant__key", "plugin__name"),
            "due": ("due_at", "tenant__key", "plugin__name"),
        },
        default="due",
    )
    parts = [
        Part(Finding.Status(status).label, count, tone(status))
        for status, count in findings.count_by_status(request.access).items()
    ]
    return render_page(
        request,
        "governance/drift/list.html",
        {"listing": rows, "by_status": stack(parts, title="Open findings by status") if parts else None},
        fragments={"findings": "governance/drift/_table.html"},
    )
