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

from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination
from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import aftermath, corrections, delivery, queueing, waiting
from governance.corrections import TenantBusy
from governance.forms.tasks import CorrectionForm, PriorityForm
from governance.models import UpgradeTask
from governance.models.plan import WAITING


@require_GET
@requires(Permission.TENANT_VIEW)
def task_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One task: what is to be done, where it stands, and what became of it so far."""
    return _page(request, get_object_or_404(_within(request), pk=pk))


@require_POST
@requires(Permission.PLAN_OPERATE)
def task_prioritise(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Raise, lower or send to the front of the queue, with a reason."""
    task = get_object_or_404(_within(request), pk=pk)
    form = PriorityForm(request.POST)
    if not form.is_valid():
        return _page(request, task, order=form, status=422)
    move, reason = form.cleaned_data["move"], form.cleaned_data["reason"]
    queueing.prioritise(task, move, reason=reason, actor=request.actor, at=timezone.now())
    queue.enqueue("governance.jobs.follow_up", group_id=task.group_id)
    messages.success(request, f"{task}: its turn has changed.")
    return redirect_to(request, "task_detail", task.pk)


@require_POST
@requires(Permission.TASK_CORRECT)
def task_correct(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Say what was done by hand; the tenant's next manifest checks it."""
    task = get_object_or_404(_within(request), pk=pk)
    form = CorrectionForm(request.POST)
    if not form.is_valid():
        return _page(request, task, correction=form, status=422)
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
    request: ConsoleRequest,
    task: UpgradeTask,
    *,
    correction: CorrectionForm | None = None,
    order: PriorityForm | None = None,
    status: int = 200,
) -> HttpResponse:
    task.explanation = waiting.explain_one(task, at=timezone.now())
    context: dict[str, Any] = {
        "task": task,
        "form": correction or CorrectionForm(),
        "order": order or PriorityForm(),
        "may_prioritise": task.status in WAITING and request.access.allows(Permission.PLAN_OPERATE),
        "attempts_allowed": len(task.retry_delays) + 1,
        "aftermath": aftermath.of(task),
        "undelivered": _undelivered(request, task),
        "history": _history(request, task),
        "may_correct": corrections.correctable(task) and request.access.allows(Permission.TASK_CORRECT),
    }
    return render_page(request, "governance/tasks/detail.html", context, status=status)


def _history(request: ConsoleRequest, task: UpgradeTask) -> list[tuple[Entry, str]]:
    """What became of it, each with the state that it moved to in words; empty where it moved to none."""
    entries = Entry.objects.within(request.access).about("upgradetask", task.pk).order_by("sequence")
    labels = {str(value): str(label) for value, label in UpgradeTask.Status.choices}
    return [(entry, labels.get(entry.data.get("status", ""), "")) for entry in entries]


def _undelivered(request: ConsoleRequest, task: UpgradeTask) -> OutboxMessage | None:
    """The hand-over that was given up and that this person may have tried again."""
    if task.status != UpgradeTask.Status.GIVEN_UP or not request.access.allows(Permission.PLAN_OPERATE):
        return None
    rows = delivery.retriable(request.access).filter(destination=Destination.ORCHESTRATOR)
    return rows.filter(idempotency_key=task.idempotency_key).first()


def _within(request: ConsoleRequest) -> QuerySet[UpgradeTask]:
    return UpgradeTask.objects.within(request.access).select_related("group", "tenant", "plan")
