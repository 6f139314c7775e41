"""The actor's own messages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_filters import ChoiceFilter, FilterSet

from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_fragment, render_page, wants_fragment
from governance import notifications
from governance.models import Notification, Silence, Told


class NotificationFilter(FilterSet):
    """How the inbox may be narrowed."""

    kind = ChoiceFilter(label="About", empty_label="Anything", choices=Notification.Kind.choices)
    state = ChoiceFilter(
        label="State",
        empty_label="Any",
        choices=[("unread", "Unread"), ("open", "Not acknowledged"), ("acknowledged", "Acknowledged")],
        method="by_state",
    )

    class Meta:
        model = Notification
        fields: tuple[str, ...] = ()

    def by_state(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Messages by what their reader has done about them."""
        chosen = {
            "unread": Q(read_at__isnull=True),
            "open": Q(acknowledged_at__isnull=True),
            "acknowledged": Q(acknowledged_at__isnull=False),
        }
        return rows.filter(chosen[value])


@require_GET
@requires(Permission.TENANT_VIEW)
def notification_list(request: ConsoleRequest) -> HttpResponse:
    """The inbox."""
    rows = listing(
        request,
        Notification.objects.within(request.access).select_related("tenant"),
        name="notifications",
        noun=("message", "messages"),
        search=("subject", "body"),
        filterset_class=NotificationFilter,
        sorts={
            "sent": ("created_at",),
            "due": ("due_at", "created_at"),
            "subject": ("subject", "created_at"),
        },
        default="-sent",
        per_page=25,
    )
    return render_page(
        request,
        "governance/notifications/list.html",
        {"listing": rows, "held": _held(request)},
        fragments={"notifications": "governance/notifications/_table.html"},
    )


@require_GET
@requires(Permission.TENANT_VIEW)
def notification_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One message, whole. That it was read is told by the page itself, with a POST."""
    notification = _own(request, pk)
    told = {notifications.finding_of(line) for line in notification.content.get("lines", ())} - {None}
    silences = Silence.objects.within(request.access).holding(timezone.now())
    silenced = set(silences.filter(finding__in=told).values_list("finding", flat=True))
    context = {"notification": notification, "findings": told, "silenced": silenced}
    return render_page(request, "governance/notifications/detail.html", context)


@require_POST
@requires(Permission.TENANT_VIEW)
def notification_read(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Note that the message was read."""
    notifications.mark_read(_own(request, pk), at=timezone.now())
    return _state_of(request, pk)


@require_POST
@requires(Permission.TENANT_VIEW)
def notification_read_all(request: ConsoleRequest) -> HttpResponse:
    """Note that all messages were read."""
    count = notifications.mark_all_read(request.access, at=timezone.now())
    messages.success(request, f"{count} message{'' if count == 1 else 's'} marked as read.")
    return redirect_to(request, "notification_list")


@require_POST
@requires(Permission.REMINDER_ACKNOWLEDGE)
def notification_acknowledge(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Note that the reader takes it up."""
    notifications.acknowledge(_own(request, pk), actor=request.actor, at=timezone.now())
    messages.success(request, "Acknowledged. The ledger says so too.")
    return _state_of(request, pk)


def _held(request: ConsoleRequest) -> Told | None:
    """Until when, and why, the actor's next digest waits."""
    user: Any = request.user
    own = Told.objects.filter(group_id=request.access.group_id, user=user)
    return own.filter(held_until__gt=timezone.now()).first()


def _state_of(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    if wants_fragment(request):
        template = "governance/notifications/_state.html"
        return render_fragment(request, template, {"notification": _own(request, pk)})
    return redirect_to(request, "notification_detail", pk)


def _own(request: ConsoleRequest, pk: UUID) -> Notification:
    return get_object_or_404(Notification.objects.within(request.access).select_related("tenant"), pk=pk)
