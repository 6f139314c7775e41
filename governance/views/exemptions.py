"""Exemptions: all of them, asking for one, and deciding about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audit.models import Entry
from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import exemptions
from governance.exemptions import ExemptionRefused, FourEyes
from governance.forms.exemptions import USUAL_SPAN, DecisionForm, ExemptionFilter, RequestForm
from governance.models import Exemption, Finding

# Which field of the form shows what the domain refuses.
_SHOWN_AT = {"policy": "covers", "rule_key": "covers", "expires_at": "until"}


@require_GET
@requires(Permission.TENANT_VIEW)
def exemption_list(request: ConsoleRequest) -> HttpResponse:
    """The exemptions within reach, those that end first at the top."""
    rows = listing(
        request,
        _within(request),
        name="exemptions",
        noun=("exemption", "exemptions"),
        search=("tenant__key", "policy__name", "plugin__name", "reason"),
        filterset_class=ExemptionFilter,
        sorts={
            "tenant": ("tenant__key", "expires_at"),
            "policy": ("policy__name", "tenant__key"),
            "status": ("status", "expires_at"),
            "requested": ("requested_at",),
            "expires": ("expires_at", "tenant__key"),
        },
        default="expires",
    )
    may_request = request.access.allows(Permission.EXEMPTION_REQUEST)
    return render_page(
        request,
        "governance/exemptions/list.html",
        {"listing": rows, "may_request": may_request},
        fragments={"exemptions": "governance/exemptions/_table.html"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.EXEMPTION_REQUEST)
def exemption_request(request: ConsoleRequest) -> HttpResponse:
    """Ask for an exemption; `?finding=` fills in what the finding is about."""
    at = timezone.now()
    form = RequestForm(request.POST or None, access=request.access, at=at, initial=_about(request))
    if request.method == "POST" and form.is_valid():
        asked = _request(request, form)
        if asked is not None:
            messages.success(request, "Asked for. Someone else decides about it now.")
            return redirect_to(request, "exemption_detail", asked.pk)
    status = 422 if form.errors else 200
    return render_page(request, "governance/exemptions/request.html", {"form": form}, status=status)


@require_GET
@requires(Permission.TENANT_VIEW)
def exemption_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One exemption: what it is about, what it covers now, and what became of it."""
    exemption = get_object_or_404(_within(request), pk=pk)
    covered = Finding.objects.within(request.access).open().filter(exemption=exemption)
    rows = listing(
        request,
        covered.select_related("plugin", "release", "target"),
        name="covered",
        noun=("finding", "findings"),
        sorts={"plugin": ("plugin__name", "rule_key"), "opened": ("opened_at", "plugin__name")},
        default="plugin",
    )
    context = {
        "exemption": exemption,
        "listing": rows,
        "history": Entry.objects.within(request.access).about("exemption", exemption.pk).order_by("sequence"),
        "form": DecisionForm(),
        **_offers(request, exemption),
    }
    return render_page(
        request,
        "governance/exemptions/detail.html",
        context,
        fragments={"covered": "governance/exemptions/_covered.html"},
    )


@require_POST
@requires(Permission.EXEMPTION_DECIDE)
def exemption_approve(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Grant what someone else asked for."""
    return _decide(request, _within(request), pk, exemptions.approve, "Approved. It covers its findings now.")


@require_POST
@requires(Permission.EXEMPTION_DECIDE)
def exemption_reject(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Turn a request down."""
    return _decide(request, _within(request), pk, exemptions.reject, "Rejected. The rule goes on to bind.")


@require_POST
@requires(Permission.EXEMPTION_DECIDE, Permission.EXEMPTION_REQUEST)
def exemption_revoke(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """End an exemption before its time; whoever asked may take back what isn't decided yet."""
    rows = _within(request)
    if not request.access.allows(Permission.EXEMPTION_DECIDE):
        rows = rows.filter(status=Exemption.Status.REQUESTED, requested_by_id=request.actor.id)
    return _decide(request, rows, pk, exemptions.revoke, "Revoked. What it covered is drift again.")


def _within(request: ConsoleRequest) -> QuerySet[Exemption]:
    rows = Exemption.objects.within(request.access)
    return rows.select_related("group", "tenant", "policy", "plugin")


def _about(request: ConsoleRequest) -> dict[str, Any]:
    """What the form begins with; of a finding out of reach, nothing."""
    begins = {"until": (timezone.now() + USUAL_SPAN).date(), "tenant": request.GET.get("tenant", "")}
    found = request.GET.get("finding", "")
    findings = Finding.objects.within(request.access).select_related("tenant", "policy", "plugin")
    finding = findings.filter(pk=found).first() if found.isascii() and found.isdigit() else None
    if finding is None:
        return begins
    return {
        **begins,
        "tenant": finding.tenant.key,
        "covers": f"{finding.policy.name}/{finding.rule_key}",
        "plugin": finding.plugin.name,
    }


def _request(request: ConsoleRequest, form: RequestForm) -> Exemption | None:
    asked = form.cleaned_data
    policy, rule_key = asked["covers"]
    try:
        return exemptions.request(
            asked["tenant"],
            policy,
            rule_key=rule_key,
            plugin=asked["plugin"],
            reason=asked["reason"],
            expires_at=asked["until"],
            actor=request.actor,
            at=form.at,
        )
    except ExemptionRefused as refusal:
        form.add_error(_SHOWN_AT.get(refusal.field, refusal.field), refusal.reason)
        return None


def _offers(request: ConsoleRequest, exemption: Exemption) -> dict[str, bool]:
    """Which decisions the page offers to this person; the domain has the last word."""
    decides = request.access.allows(Permission.EXEMPTION_DECIDE)
    own = exemption.requested_by_id is not None and exemption.requested_by_id == request.actor.id
    requested = exemption.status == Exemption.Status.REQUESTED
    return {
        "may_approve": decides and requested and not own,
        "may_reject": decides and requested,
        "may_revoke": decides and exemption.status == Exemption.Status.APPROVED,
        "may_take_back": own and requested and not decides,
        "needs_other": own and requested,
    }


def _decide(
    request: ConsoleRequest,
    rows: QuerySet[Exemption],
    pk: UUID,
    decision: Callable[..., None],
    told: str,
) -> HttpResponse:
    exemption = get_object_or_404(rows, pk=pk)
    form = DecisionForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    try:
        decision(exemption, actor=request.actor, at=timezone.now(), comment=comment)
    except (FourEyes, ExemptionRefused) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, told)
    return redirect_to(request, "exemption_detail", exemption.pk)
