"""What leaves the house: messages that wait, that were delivered, and that were given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from audit import machines
from audit.models import Circuit, OutboxMessage
from audit.models.outbox import Destination
from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import Listing, listing
from config.rendering import redirect_to, render_page
from governance import advising, delivery, flags, resting
from governance.forms.deliveries import DeliveryFilter
from governance.handovers import NotRevivable
from governance.models import WebhookSubscription
from tenants import masking

_SORTS = {
    "destination": ("destination", "created_at"),
    "status": ("status", "created_at"),
    "attempts": ("attempts", "created_at"),
    "created": ("created_at",),
}


@require_GET
@requires(Permission.PLAN_OPERATE, Permission.LEDGER_VIEW)
def delivery_list(request: ConsoleRequest) -> HttpResponse:
    """What is on its way out, and what was given up with the reason and what to do.

    Who only reads sees no addresses, nor what receivers answered, which may name them.
    """
    operates = request.access.allows(Permission.PLAN_OPERATE)
    rows = _rows(request, operates=operates)
    context = {
        "listing": rows,
        "shown": _shown(request, rows.rows, operates=operates),
        "operates": operates,
        "resting": resting.of_group(request.access),
        "troubles": machines.troubles(at=timezone.now()),
        "retriable": delivery.retriable(request.access).count() if operates else 0,
        "may_reconcile": request.access.allows(Permission.RECONCILE),
        "webhooks_too": request.access.allows(Permission.GROUP_ADMINISTER),
    }
    return render_page(
        request,
        "governance/deliveries/list.html",
        context,
        fragments={"deliveries": "governance/deliveries/_table.html"},
    )


@require_POST
@requires(Permission.PLAN_OPERATE)
def delivery_retry(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Try a message again that was given up; asked on its task's page, the answer is there."""
    message = get_object_or_404(OutboxMessage.objects.within(request.access), pk=pk)
    task = message.payload.get("task") if "on_task" in request.POST else None
    there = ("task_detail", task) if task else ("delivery_list",)
    return _retried(
        request, lambda: delivery.retry(message, actor=request.actor, at=timezone.now()), there=there
    )


@require_POST
@requires(Permission.PLAN_OPERATE)
def delivery_retry_all(request: ConsoleRequest) -> HttpResponse:
    """Try everything again that was given up; for after an outage."""
    return _retried(
        request,
        lambda: delivery.retry_all(request.access, actor=request.actor, at=timezone.now()),
        there=("delivery_list",),
    )


@require_POST
@requires(Permission.PLAN_OPERATE)
def circuit_retry(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Try a receiver again at once that is left alone for a while."""
    circuit = get_object_or_404(Circuit.objects.within(request.access), pk=pk)
    name = resting.title(circuit)
    count = resting.try_again(circuit, actor=request.actor, at=timezone.now())
    queue.enqueue("governance.jobs.follow_up", group_id=request.access.group_id)
    counted = f"{count:,} message{'' if count == 1 else 's'} that waited for it"
    messages.success(request, f"{name} is tried again now, with {counted}.")
    return redirect_to(request, "delivery_list")


def _rows(request: ConsoleRequest, *, operates: bool) -> Listing:
    return listing(
        request,
        OutboxMessage.objects.within(request.access),
        name="deliveries",
        noun=("message", "messages"),
        search=("address", "idempotency_key", "last_error") if operates else ("idempotency_key",),
        filterset_class=DeliveryFilter,
        sorts=_SORTS,
        default="-created",
    )


def _retried(
    request: ConsoleRequest, retry: Callable[[], int | None], *, there: tuple[str, ...]
) -> HttpResponse:
    """Answer with how many messages are on their way again, or why they aren't."""
    try:
        count = retry()
    except (NotRevivable, flags.FlagOff) as refusal:
        messages.error(request, str(refusal))
        return redirect_to(request, *there)
    if count == 0:
        messages.info(request, "Nothing to retry.")
    else:
        queue.enqueue("governance.jobs.follow_up", group_id=request.access.group_id)
        counted = "1 message is" if count in (None, 1) else f"{count:,} messages are"
        messages.success(request, f"{counted} tried again now.")
    return redirect_to(request, *there)


def _shown(request: ConsoleRequest, rows: Sequence[OutboxMessage], *, operates: bool) -> list[dict[str, Any]]:
    """The rows with what they are about, where they go, and what to do about those given up."""
    webhooks = WebhookSubscription.objects.within(request.access)
    names = {str(pk): name for pk, name in webhooks.values_list("pk", "name")}
    retriable = delivery.retriable(request.access).filter(pk__in=[message.pk for message in rows])
    may_retry = set(retriable.values_list("pk", flat=True)) if operates else set()
    return [
        {
            "message": message,
            "about": delivery.about(message),
            "to": names.get(message.address, _address(message, whole=operates)),
            "advice": advising.advice(message),
            "may_retry": message.pk in may_retry,
        }
        for message in rows
    ]


def _address(message: OutboxMessage, *, whole: bool) -> str:
    mail = message.destination == Destination.EMAIL
    return masking.address(message.address) if mail and not whole else message.address
