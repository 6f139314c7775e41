"""The big red button: stop all hand-overs of the group, and let them go on."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to
from governance import halting
from governance.halting import AlreadySo
from tenants.models import Group

_LONGEST = 1000


@require_POST
@requires(Permission.PLAN_OPERATE)
def group_halt(request: ConsoleRequest) -> HttpResponse:
    """Hand nothing more over, of any plan."""
    group = Group.objects.get(pk=request.access.group_id)
    reason = request.POST.get("reason", "").strip()[:_LONGEST]
    if not reason:
        messages.error(
            request, "Say why everything is to stop: every page shows it to all. Nothing was stopped."
        )
        return redirect_to(request, "plan_list")
    try:
        halting.halt(group, reason=reason, actor=request.actor, at=timezone.now())
    except AlreadySo as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Stopped: nothing more is handed over. What was handed over goes on.")
    return redirect_to(request, "plan_list")


@require_POST
@requires(Permission.PLAN_OPERATE)
def group_release(request: ConsoleRequest) -> HttpResponse:
    """Let the running plans go on."""
    group = Group.objects.get(pk=request.access.group_id)
    reason = request.POST.get("reason", "").strip()[:_LONGEST]
    try:
        halting.release(group, reason=reason, actor=request.actor, at=timezone.now())
    except AlreadySo as refusal:
        messages.error(request, str(refusal))
    else:
        queue.enqueue("governance.jobs.follow_up", group_id=group.pk)
        messages.success(request, "Hand-overs go on.")
    return redirect_to(request, "plan_list")
