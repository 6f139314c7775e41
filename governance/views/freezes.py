"""Freezes of a group: added to its calendar, and ended."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import freezing
from governance.documents import ConfigurationError
from governance.forms.freezes import FreezeForm
from tenants.models import Group


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_EDIT)
def freeze_add(request: ConsoleRequest) -> HttpResponse:
    """Hand nothing over on these days."""
    form = FreezeForm(request.POST or None)
    if request.method == "POST" and form.is_valid() and _added(request, form):
        messages.success(request, f"{form.cleaned_data['name']} stands in the calendar.")
        return redirect_to(request, "calendar")
    status = 422 if form.errors else 200
    return render_page(request, "governance/windows/freeze.html", {"form": form}, status=status)


@require_POST
@requires(Permission.POLICY_EDIT)
def freeze_end(request: ConsoleRequest) -> HttpResponse:
    """Take a freeze out of the calendar; what waited for its end goes on."""
    group, name = _group(request), request.POST.get("name", "")
    try:
        freezing.thaw(group, name, actor=request.actor, at=timezone.now())
    except freezing.NoSuchFreeze:
        messages.info(request, "That freeze had ended before.")
    else:
        queue.enqueue("governance.jobs.follow_up", group_id=group.pk)
        messages.success(request, f"The freeze {name} is gone.")
    return redirect_to(request, "calendar")


def _added(request: ConsoleRequest, form: FreezeForm) -> bool:
    """Whether it is in the calendar now; why not stands in the form."""
    try:
        freezing.add(_group(request), form.document, actor=request.actor, at=timezone.now())
    except freezing.NameTaken as refusal:
        form.add_error("name", str(refusal))
    except ConfigurationError as refusal:
        form.add_error(None, str(refusal))
    return not form.errors


def _group(request: ConsoleRequest) -> Group:
    return Group.objects.get(pk=request.access.group_id)
