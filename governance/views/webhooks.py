"""Webhooks: the addresses that get the group's events."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import events, webhooks
from governance.forms.webhooks import WebhookForm
from governance.models import WebhookSubscription
from governance.webhooks import WebhookRefused
from tenants.models import Group


@require_GET
@requires(Permission.GROUP_ADMINISTER)
def webhook_list(request: ConsoleRequest) -> HttpResponse:
    """The group's webhooks, those that have ended too."""
    rows = listing(
        request,
        WebhookSubscription.objects.within(request.access),
        name="webhooks",
        noun=("webhook", "webhooks"),
        search=("name", "url"),
        sorts={"name": ("name",), "since": ("created_at", "name")},
        default="name",
    )
    last = webhooks.last_to(rows.rows)
    return render_page(
        request,
        "governance/webhooks/list.html",
        {"listing": rows, "webhooks": [(row, last.get(row.pk)) for row in rows.rows]},
        fragments={"webhooks": "governance/webhooks/_table.html"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.GROUP_ADMINISTER)
def webhook_add(request: ConsoleRequest) -> HttpResponse:
    """Add a webhook; the answer shows its secret, once."""
    form = WebhookForm(request.POST or None, access=request.access)
    secret = _subscribe(request, form) if request.method == "POST" and form.is_valid() else None
    context = {"form": form, "secret": secret}
    return render_page(request, "governance/webhooks/add.html", context, status=422 if form.errors else 200)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def webhook_test(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Send a webhook an event, to see whether it arrives."""
    known = WebhookSubscription.objects.within(request.access).filter(active=True).select_related("group")
    webhook = get_object_or_404(known, pk=pk)
    events.post_test(webhook, at=timezone.now())
    messages.success(request, f"An event for {webhook.name} is on its way; what came of it stands here soon.")
    return redirect_to(request, "webhook_list")


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def webhook_end(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Send a webhook nothing any more."""
    webhook = get_object_or_404(WebhookSubscription.objects.within(request.access), pk=pk)
    if webhooks.unsubscribe(_group(request), name=webhook.name, actor=request.actor, at=timezone.now()):
        messages.success(request, f"{webhook.name} is told nothing any more.")
    else:
        messages.info(request, f"{webhook.name} had ended before.")
    return redirect_to(request, "webhook_list")


def _subscribe(request: ConsoleRequest, form: WebhookForm) -> str | None:
    wanted = form.cleaned_data
    try:
        return webhooks.subscribe(
            _group(request), name=wanted["name"], url=wanted["url"], actor=request.actor, at=timezone.now()
        )
    except WebhookRefused as refusal:
        form.add_error("url", str(refusal))
        return None


def _group(request: ConsoleRequest) -> Group:
    return Group.objects.get(pk=request.access.group_id)
