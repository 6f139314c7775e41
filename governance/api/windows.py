"""Maintenance windows and freezes over REST."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config import queue
from config.access import Permission
from governance import freezing, maintenance, presenters
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from governance.models import MaintenanceWindow
from tenants.models import Tenant


@endpoint(
    "GET",
    Permission.TENANT_VIEW,
    answers=bodies.Document,
    summary="When tenants may be changed",
    tag="upgrade",
)
def show_calendar(request: Request) -> Response:
    """The group's freezes that are still ahead, and the maintenance windows of its tenants."""
    return respond(Answer(_calendar(request)))


@endpoint(
    "POST",
    Permission.WINDOW_AGREE,
    body=bodies.WindowBody,
    answers=bodies.Document,
    summary="Agree a maintenance window",
    tag="upgrade",
)
def agree_window(request: Request) -> Response:
    """Add a window to those in which a tenant may be changed; its upgrades keep to it from now on."""
    body = valid(bodies.WindowBody, request)

    def agree() -> Answer:
        tenants = Tenant.objects.within(access_of(request))
        tenant = tenants.filter(key=body["tenant"]).select_related("group").first()
        if tenant is None:
            raise Http404
        given = {name: body[name] for name in ("days", "starts", "ends", "zone")}
        row = maintenance.agree(tenant, **given, actor=access_of(request).actor, at=timezone.now())
        return Answer(presenters.window(row))

    return respond(once(request, "agree-window", agree))


@endpoint(
    "POST",
    Permission.WINDOW_AGREE,
    answers=bodies.Document,
    summary="End a maintenance window",
    tag="upgrade",
)
def end_window(request: Request, number: int) -> Response:
    """Take a window away; without any left, its tenant may be changed at any time."""

    def end() -> Answer:
        rows = MaintenanceWindow.objects.within(access_of(request)).select_related("tenant")
        row = rows.filter(pk=number).first()
        if row is None:
            raise Http404
        told = presenters.window(row)
        maintenance.end(row, actor=access_of(request).actor, at=timezone.now())
        queue.enqueue("governance.jobs.follow_up", group_id=row.group_id)
        return Answer(told)

    return respond(once(request, f"end-window {number}", end))


@endpoint(
    "POST",
    Permission.POLICY_EDIT,
    body=bodies.FreezesBody,
    answers=bodies.Document,
    summary="Set the group's freezes",
    tag="upgrade",
)
def set_freezes(request: Request) -> Response:
    """Put this freeze calendar in the place of the one in force, as the configuration would."""
    body = valid(bodies.FreezesBody, request)

    def change() -> Answer:
        at = timezone.now()
        freezing.put(group_of(request), body["freezes"], actor=access_of(request).actor, at=at)
        return Answer(_calendar(request))

    return respond(once(request, "set-freezes", change))


def _calendar(request: Request) -> dict[str, Any]:
    rows = MaintenanceWindow.objects.within(access_of(request)).select_related("tenant")
    return presenters.calendar(group_of(request), rows, at=timezone.now())
