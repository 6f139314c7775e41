"""Drift: every finding within reach, and what the actor says about one."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_filters import CharFilter, ChoiceFilter, FilterSet

from audit.models import Entry
from config.access import ConsoleRequest, Permission, requires
from config.charts import Part, stack
from config.listing import listing
from config.rendering import redirect_to, render_page
from config.tones import tone
from governance import findings, silences
from governance.forms.silences import AcknowledgeForm, SnoozeForm
from governance.models import Conflict, Finding, Silence
from governance.silences import SilenceRefused
from tenants import preferences
from tenants.models import User

_LIFE = [
    ("outstanding", "Outstanding"),
    ("overdue", "Past its due date"),
    ("quiet", "Snoozed or acknowledged by you"),
    ("closed", "Closed"),
]


class FindingFilter(FilterSet):
    """How the findings may be narrowed."""

    shows = ChoiceFilter(
        label="Show",
        empty_label="Open",
        choices=_LIFE,
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
        if value == "quiet":
            return rows.filter(closed_at__isnull=True, silenced__isnull=False)
        kept = rows.filter(closed_at__isnull=True).exclude(status=Finding.Status.ACCEPTED)
        return kept.filter(due_at__lt=timezone.now()) if value == "overdue" else kept


@require_GET
@requires(Permission.TENANT_VIEW)
def drift_list(request: ConsoleRequest) -> HttpResponse:
    """What is out of line, and what is done about it."""
    found = silences.with_silence(Finding.objects.within(request.access), request.access, at=timezone.now())
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


@require_GET
@requires(Permission.TENANT_VIEW)
def finding_detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """One finding: what is out of line, since when, and what the reader has said about it."""
    return _page(request, _reached(request, pk))


@require_POST
@requires(Permission.REMINDER_ACKNOWLEDGE)
def finding_snooze(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Leave it out of the actor's reminders until a day begins."""
    finding = _reached(request, pk)
    form = SnoozeForm(request.POST, zone=ZoneInfo(preferences.of(_person(request)).time_zone))
    if not form.is_valid():
        return _page(request, finding, snooze=form, status=422)
    try:
        silences.snooze(finding, **form.cleaned_data, **_by(request))
    except SilenceRefused as refusal:
        form.add_error("until", str(refusal))
        return _page(request, finding, snooze=form, status=422)
    messages.success(request, "Snoozed. Your reminders leave it out until then.")
    return redirect_to(request, "finding_detail", finding.pk)


@require_POST
@requires(Permission.REMINDER_ACKNOWLEDGE)
def finding_acknowledge(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Leave it out of the actor's reminders while it stays as it is."""
    finding = _reached(request, pk)
    form = AcknowledgeForm(request.POST)
    if not form.is_valid():
        return _page(request, finding, acknowledge=form, status=422)
    try:
        silences.acknowledge(finding, **form.cleaned_data, **_by(request))
    except SilenceRefused as refusal:
        form.add_error("reason", str(refusal))
        return _page(request, finding, acknowledge=form, status=422)
    messages.success(request, "Acknowledged. Your reminders leave it out while it stays as it is.")
    return redirect_to(request, "finding_detail", finding.pk)


@require_POST
@requires(Permission.REMINDER_ACKNOWLEDGE)
def finding_unsilence(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Remind the actor of it again."""
    finding = _reached(request, pk)
    silence = get_object_or_404(Silence.objects.within(request.access), finding=finding)
    silences.end(silence, actor=request.actor, at=timezone.now())
    messages.success(request, "You are reminded of it again.")
    return redirect_to(request, "finding_detail", finding.pk)


def _by(request: ConsoleRequest) -> dict[str, Any]:
    return {"user": _person(request), "actor": request.actor, "at": timezone.now()}


def _person(request: ConsoleRequest) -> User:
    user: Any = request.user
    assert isinstance(user, User)  # the access middleware lets nobody else come so far
    return user


def _reached(request: ConsoleRequest, pk: int) -> Finding:
    rows = silences.with_silence(Finding.objects.within(request.access), request.access, at=timezone.now())
    return get_object_or_404(
        rows.select_related("tenant", "plugin", "policy", "release", "target", "exemption", "group"), pk=pk
    )


def _page(
    request: ConsoleRequest,
    finding: Finding,
    *,
    snooze: SnoozeForm | None = None,
    acknowledge: AcknowledgeForm | None = None,
    status: int = 200,
) -> HttpResponse:
    at = timezone.now()
    reminded = finding.closed_at is None and finding.status not in Finding.ASKING_NOTHING
    context: dict[str, Any] = {
        "finding": finding,
        "silence": Silence.objects.within(request.access).holding(at).filter(finding=finding).first(),
        "may_say": reminded and request.access.allows(Permission.REMINDER_ACKNOWLEDGE),
        "latest": silences.latest(finding.due_at, at),
        "snooze": snooze or SnoozeForm(),
        "acknowledge": acknowledge or AcknowledgeForm(),
        "conflicts": _conflicts(request, finding),
        "history": Entry.objects.within(request.access).about("finding", finding.pk).order_by("sequence"),
    }
    return render_page(request, "governance/drift/detail.html", context, status=status)


def _conflicts(request: ConsoleRequest, finding: Finding) -> QuerySet[Conflict]:
    """The conflicts behind it, for those who may read them."""
    if finding.closed_at is not None or not request.access.allows(Permission.GROUP_VIEW):
        return Conflict.objects.none()
    return Conflict.objects.within(request.access).behind(finding).order_by("found_at")
