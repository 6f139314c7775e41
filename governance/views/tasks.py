"""One upgrade task: where it stands and why, its attempts, and what a person may do about it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit.models import Entry
from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import corrections
from governance.corrections import TenantBusy
from governance.forms.tasks import CorrectionForm
from governance.models import UpgradeTask


@require_GET
@requires(Permission.TENANT_VIEW)
def task_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One task: what is to be done, where it stands, and what became of it so far."""
    return _page(request, get_object_or_404(_within(request), pk=pk), CorrectionForm())


@require_POST
@requires(Permission.TASK_CORRECT)
def task_correct(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Say what was done by hand; the tenant's next manifest checks it."""
    task = get_object_or_404(_within(request), pk=pk)
    form = CorrectionForm(request.POST)
    if not form.is_valid():
        return _page(request, task, form, status=422)
    try:
        corrections.correct(task, done=form.cleaned_data["done"], actor=request.actor, at=timezone.now())
    except TenantBusy as refusal:
        messages.error(request, str(refusal))
    else:
        proved = task.status == UpgradeTask.Status.SUCCEEDED
        messages.success(
            request, "The tenant shows it already." if proved else "The next manifest checks it."
        )
    return redirect_to(request, "task_detail", task.pk)


def _page(
    request: ConsoleRequest, task: UpgradeTask, form: CorrectionForm, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "task": task,
        "form": form,
        "attempts_allowed": len(task.retry_delays) + 1,
        "history": Entry.objects.within(request.access).about("upgradetask", task.pk).order_by("sequence"),
        "may_correct": corrections.correctable(task) and request.access.allows(Permission.TASK_CORRECT),
    }
    return render_page(request, "governance/tasks/detail.html", context, status=status)


def _within(request: ConsoleRequest) -> QuerySet[UpgradeTask]:
    return UpgradeTask.objects.within(request.access).select_related("group", "tenant", "plan")
