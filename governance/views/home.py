"""Where a tenant admin's work begins: the own tenants, and what waits there."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.access import Access, ConsoleRequest, Permission, requires
from config.rendering import render_page
from governance import tenants, waiting
from governance.models import Exemption, Finding, Notification, UpgradeTask
from tenants.models import Group

# The home shows what is most urgent; the lists behind its links show all.
SHOWN = 10


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_home(request: ConsoleRequest) -> HttpResponse:
    """The tenants of a tenant admin, with findings, tasks, reminders and exemptions."""
    if request.access.whole_group:
        return redirect(request.access.link("tenant_list"))
    own = tenants.with_figures(request.access, at=timezone.now()).order_by("key")
    return render_page(request, "governance/home/home.html", {"tenants": own, **_waiting(request.access)})


def _waiting(access: Access) -> dict[str, Any]:
    findings = Finding.objects.within(access).outstanding()
    unfinished = UpgradeTask.objects.within(access).unfinished().select_related("tenant", "plan")
    tasks = list(unfinished.order_by("queue_at", "pk")[:SHOWN])
    waiting.say(Group.objects.get(pk=access.group_id), tasks, at=timezone.now())
    exemptions = Exemption.objects.within(access).filter(status__in=("requested", "approved"))
    return {
        "findings": findings.select_related("tenant", "plugin", "policy", "release", "target").order_by(
            "due_at", "pk"
        )[:SHOWN],
        "tasks": tasks,
        "reminders": Notification.objects.within(access).unread().order_by("-created_at")[:SHOWN],
        "exemptions": exemptions.select_related("tenant", "policy", "plugin").order_by("expires_at")[:SHOWN],
    }
