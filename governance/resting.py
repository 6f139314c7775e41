"""Receivers that are left alone for a while: shown on the page of deliveries, and tried again from there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit import circuits, ledger
from audit.actions import Action
from audit.models import Circuit
from audit.models.outbox import Destination
from config.access import Access, Actor
from governance.advising import MATTERS
from governance.models import WebhookSubscription


@dataclass(frozen=True, slots=True)
class Resting:
    """One of them, with its name for people and what to do."""

    circuit: Circuit
    name: str
    advice: str


def of_group(access: Access) -> list[Resting]:
    """The receivers within reach that have been left alone and that nothing has got through to since."""
    rows = list(Circuit.objects.within(access).broken().order_by("destination", "address"))
    if not rows:
        return []
    names = {
        str(pk): name for pk, name in WebhookSubscription.objects.within(access).values_list("pk", "name")
    }
    return [
        Resting(
            row,
            names.get(row.address, row.address) if row.destination == Destination.WEBHOOK else row.address,
            f"{MATTERS.get(row.cause, '')} {_TODO[row.destination]}".strip(),
        )
        for row in rows
    ]


_TODO: dict[str, str] = {
    Destination.EMAIL: "See to the mail server, then try again.",
    Destination.CHAT: "See to the chat service, or have the address entered anew, then try again.",
    Destination.WEBHOOK: "See to the receiver, or add the webhook again if it has ended; then try again.",
}


@transaction.atomic
def try_again(circuit: Circuit, *, actor: Actor, at: datetime) -> int:
    """Try a receiver again now; how many messages that waited for it go there."""
    ledger.hold(circuit.group_id)
    released = circuits.release(Circuit.objects.filter(pk=circuit.pk), at=at)
    data = {"destination": circuit.destination, "failures": circuit.failures, "released": released}
    record = ledger.Record(Action.DELIVERY_RETRIED, "circuit", str(circuit.pk), str(circuit), data=data)
    ledger.record_many([record], group_id=circuit.group_id, actor=actor, at=at)
    return released
