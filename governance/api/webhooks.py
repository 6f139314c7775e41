"""Webhooks over REST: listed, added, tested, ended. A secret is told once, to whoever adds the webhook."""

from __future__ import annotations

from django.http import Http404
from django.utils import timezone
from rest_framework import serializers as s
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import events, webhooks
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.api.policies import valid
from governance.forms.webhooks import WebhookForm
from governance.models import WebhookSubscription


class WebhookBody(bodies.Body):
    """What a webhook is called, and where the events go."""

    name = s.CharField(max_length=100)
    url = s.CharField(max_length=500)


@endpoint(
    "GET",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="The group's webhooks",
    tag="directory",
)
def list_webhooks(request: Request) -> Response:
    """Those that have ended too, each with what came of the newest event."""
    return respond(Answer(webhooks.told(group_of(request))))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    body=WebhookBody,
    answers=bodies.Document,
    summary="Add a webhook",
    tag="directory",
)
def add_webhook(request: Request) -> Response:
    """Send the group's events there from now on.

    `secret` signs them. It isn't told again: under the same Idempotency-Key the answer comes without it.
    """
    body, secrets = valid(WebhookBody, request), []

    def add() -> Answer:
        form = WebhookForm(body, access=access_of(request))
        if not form.is_valid():
            raise ValidationError({name: list(map(str, told)) for name, told in form.errors.items()})
        secrets.append(_subscribed(request, form))
        row = WebhookSubscription.objects.within(access_of(request)).get(name=form.cleaned_data["name"])
        return Answer(webhooks.document(row))

    answer = once(request, "add-webhook", add)
    # Beside the answer that is kept for repetitions, not in it.
    told = {**answer.body, "secret": secrets[0] if secrets else None}
    return respond(Answer(told, answer.status, answer.replayed))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="Send a webhook a test event",
    tag="directory",
)
def test_webhook(request: Request, number: int) -> Response:
    """What came of it stands in the list, in a minute."""

    def test() -> Answer:
        row = _in_use(request, number)
        events.post_test(row, at=timezone.now())
        return Answer(webhooks.document(row))

    return respond(once(request, f"test-webhook {number}", test))


@endpoint(
    "POST",
    Permission.GROUP_ADMINISTER,
    answers=bodies.Document,
    summary="End a webhook",
    tag="directory",
)
def end_webhook(request: Request, number: int) -> Response:
    """Send it nothing any more."""

    def end() -> Answer:
        row = _in_use(request, number)
        webhooks.unsubscribe(row.group, name=row.name, actor=access_of(request).actor, at=timezone.now())
        row.refresh_from_db()
        return Answer(webhooks.document(row))

    return respond(once(request, f"end-webhook {number}", end))


def _subscribed(request: Request, form: WebhookForm) -> str:
    given, actor = form.cleaned_data, access_of(request).actor
    try:
        return webhooks.subscribe(group_of(request), **given, actor=actor, at=timezone.now())
    except webhooks.WebhookRefused as refusal:
        raise ValidationError({"url": [str(refusal)]}) from refusal


def _in_use(request: Request, number: int) -> WebhookSubscription:
    rows = WebhookSubscription.objects.within(access_of(request)).filter(active=True, pk=number)
    row = rows.select_related("group").first()
    if row is None:
        raise Http404
    return row
