"""delivery list, retry."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import typer
from django.db.models import QuerySet

from audit import machines
from audit.models import OutboxMessage
from config import queue
from config.access import Access, Permission
from governance import advising, delivery, resting
from governance.cli.output import Output, operator
from tenants.models import Group


def show(out: Output, group: Group, *, limit: int, at: datetime) -> None:
    """What waits or was given up, which receivers rest, and what is the matter with machines."""
    documents = [_document(row) for row in _undelivered(group).order_by("-created_at")[:limit]]
    left_alone = [_left_alone(one) for one in resting.of_group(_reach(group))]
    troubles = [{"says": one.title, "advice": one.advice} for one in machines.troubles(at=at)]

    def tell() -> None:
        listed = [
            [one["id"], one["destination"], one["about"], one["status"], one["cause"]] for one in documents
        ]
        out.table(f"Deliveries of {group}", ("message", "to", "about", "status", "cause"), listed)
        for one in left_alone:
            out.say(f"{one['to']} is left alone until {one['until']}. {one['advice']}", "yellow")
        for advice in sorted({str(one["advice"]) for one in documents if one["advice"]}):
            out.say(advice)
        for trouble in troubles:
            out.say(f"{trouble['says']} {trouble['advice']}", "yellow")

    out.answer({"deliveries": documents, "resting": left_alone, "machines": troubles}, tell)


def _document(row: OutboxMessage) -> dict[str, Any]:
    return {
        "id": str(row.pk),
        "destination": row.destination,
        "address": row.address,
        "about": delivery.about(row),
        "status": row.status,
        "cause": row.cause,
        "attempts": row.attempts,
        "error": row.last_error,
        "advice": advising.advice(row),
    }


def _left_alone(one: resting.Resting) -> dict[str, Any]:
    until = one.circuit.rests_until
    return {
        "to": resting.title(one.circuit),
        "until": until.isoformat(timespec="seconds") if until else None,
        "advice": one.advice,
    }


def retry(out: Output, group: Group, message: str, *, at: datetime) -> None:
    """Give one, or all that were given up, another round of attempts."""
    if message:
        delivery.retry(_named(group, message), actor=operator(), at=at)
        count = 1
    else:
        count = delivery.retry_all(_reach(group), actor=operator(), at=at)
    if count:
        queue.enqueue("governance.jobs.follow_up", group_id=group.pk)
    told = (
        f"{count:,} message{' is' if count == 1 else 's are'} tried again." if count else "Nothing to retry."
    )
    out.answer({"retried": count}, lambda: out.say(told))


def _undelivered(group: Group) -> QuerySet[OutboxMessage]:
    return OutboxMessage.objects.within(_reach(group)).undelivered()


def _named(group: Group, text: str) -> OutboxMessage:
    try:
        found = _undelivered(group).filter(pk=UUID(text)).first()
    except ValueError:
        found = None
    if found is None:
        raise typer.BadParameter(
            f"{group} has no message {text} that wasn’t delivered; `delivery list` shows them."
        )
    return found


def _reach(group: Group) -> Access:
    """Of whoever runs Plumbline: all of the group."""
    everything = frozenset(Permission)
    return Access(operator(), group.pk, group.slug, group.name, everything, tenant_ids=None)
