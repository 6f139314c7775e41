"""When tenants may be changed: one tenant's maintenance windows, and the group's calendar."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import maintenance
from governance.forms.windows import WindowForm
from governance.models import MaintenanceWindow
from tenants.models import Tenant


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_windows(request: ConsoleRequest, pk: int) -> HttpResponse:
    """When the tenant may be changed."""
    return _page(request, _reached(request, pk), WindowForm())


@require_POST
@requires(Permission.WINDOW_AGREE)
def window_agree(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Add a window."""
    tenant = _reached(request, pk)
    form = WindowForm(request.POST)
    if not form.is_valid():
        return _page(request, tenant, form, status=422)
    maintenance.agree(tenant, **form.cleaned_data, actor=request.actor, at=timezone.now())
    messages.success(request, "Agreed. Upgrades of this tenant keep to it from now on.")
    return redirect_to(request, "tenant_windows", tenant.pk)


@require_POST
@requires(Permission.WINDOW_AGREE)
def window_end(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Take a window away."""
    tenant = _reached(request, pk)
    number = request.POST.get("window", "")
    rows = MaintenanceWindow.objects.within(request.access).filter(tenant=tenant).select_related("tenant")
    row = get_object_or_404(rows, pk=int(number) if number.isascii() and number.isdigit() else 0)
    try:
        maintenance.end(row, actor=request.actor, at=timezone.now())
    except maintenance.EndedAlready as refusal:
        messages.error(request, str(refusal))
    else:
        queue.enqueue("governance.jobs.follow_up", group_id=tenant.group_id)
        messages.success(request, "That window is gone.")
    return redirect_to(request, "tenant_windows", tenant.pk)


@require_GET
@requires(Permission.GROUP_VIEW)
def calendar(request: ConsoleRequest) -> HttpResponse:
    """When the group is frozen, and the windows of all its tenants."""
    at = timezone.now()
    rows = listing(
        request,
        MaintenanceWindow.objects.within(request.access).select_related("tenant"),
        name="windows",
        noun=("maintenance window", "maintenance windows"),
        search=("tenant__key", "zone"),
        sorts={"tenant": ("tenant__key", "starts"), "agreed": ("agreed_at",)},
        default="tenant",
    )
    ahead = [freeze for freeze in maintenance.freezes_of(request.access.group_id) if freeze.ends_at > at]
    return render_page(
        request,
        "governance/windows/calendar.html",
        {
            "listing": rows,
            "freezes": sorted(ahead, key=lambda freeze: freeze.starts_at),
            "may_freeze": request.access.allows(Permission.POLICY_EDIT),
            "now": at,
        },
        fragments={"windows": "governance/windows/_table.html"},
    )


def _reached(request: ConsoleRequest, pk: int) -> Tenant:
    return get_object_or_404(Tenant.objects.within(request.access).select_related("group"), pk=pk)


def _page(request: ConsoleRequest, tenant: Tenant, form: WindowForm, status: int = 200) -> HttpResponse:
    context = {
        "tenant": tenant,
        "windows": MaintenanceWindow.objects.within(request.access).filter(tenant=tenant).order_by("pk"),
        "form": form,
        "may_agree": request.access.allows(Permission.WINDOW_AGREE),
    }
    return render_page(request, "governance/windows/tenant.html", context, status=status)
