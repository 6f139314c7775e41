"""Upgrade orders that people carry out by hand: listed, and reported done or impossible."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import orders
from governance.forms.orders import OrderFilter, ReportOrderForm
from governance.models import UpgradeOrder


@require_GET
@requires(Permission.TENANT_VIEW)
def order_list(request: ConsoleRequest) -> HttpResponse:
    """What is to be done by hand in the tenants within reach, and what was."""
    rows = listing(
        request,
        UpgradeOrder.objects.within(request.access).select_related("tenant"),
        name="orders",
        noun=("order", "orders"),
        search=("tenant__key", "detail"),
        filterset_class=OrderFilter,
        sorts={
            "tenant": ("tenant__key", "received_at"),
            "received": ("received_at",),
            "due": ("due_at", "tenant__key"),
        },
        default="-received",
    )
    may_report = request.access.allows(Permission.REMINDER_ACKNOWLEDGE)
    return render_page(
        request,
        "governance/orders/list.html",
        {"listing": rows, "may_report": may_report},
        fragments={"orders": "governance/orders/_table.html"},
    )


@require_POST
@requires(Permission.REMINDER_ACKNOWLEDGE)
def order_report(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Say that an order was carried out, or can't be; the tenant's next manifest checks it."""
    found = UpgradeOrder.objects.within(request.access).select_related("tenant")
    order = get_object_or_404(found, pk=pk)
    form = ReportOrderForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.reason())
        return redirect_to(request, "order_list")
    done: bool = form.cleaned_data["done"]
    detail: str = form.cleaned_data["detail"]
    orders.report(order, done=done, detail=detail, actor=request.actor, at=timezone.now())
    queue.enqueue("governance.jobs.follow_up", group_id=order.group_id)
    told = "Thank you: the next manifest checks it." if done else "Noted that it can’t be done."
    messages.success(request, f"{order.tenant}: {told}")
    return redirect_to(request, "order_list")
