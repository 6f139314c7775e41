"""Receivers that are left alone for a while: shown on the page of deliveries, and tried again from there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import circuits, ledger
from audit.actions import Action
from audit.models import Circuit
from audit.models.outbox import Destination
from config.access import Access, Actor
from governance.advising import MATTERS
from governance.models import WebhookSubscription
from tenants.models import TeamChat, User


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
    names = called(rows)
    return [
        Resting(row, names[row.pk], f"{MATTERS.get(row.cause, '')} {_TODO[row.destination]}".strip())
        for row in rows
    ]


def title(circuit: Circuit) -> str:
    """One of them in words, as the page has it."""
    return f"{circuit.get_destination_display()} {called([circuit])[circuit.pk]}".strip()


def called(rows: Iterable[Circuit]) -> dict[int, str]:
    """What people call the receivers, by circuit; the address of one that isn't there any more."""
    records = {row: circuits.record_of(row.destination, row.address) for row in rows}
    names: dict[tuple[str, int] | None, str] = {}
    for kind, (model, field) in _NAMED.items():
        numbers = [record[1] for record in records.values() if record and record[0] == kind]
        if numbers:
            known = model.objects.filter(pk__in=numbers).values_list("pk", field)
            names.update({(kind, pk): name for pk, name in known})
    return {row.pk: names.get(record, row.address) for row, record in records.items()}


_NAMED: Mapping[str, tuple[Any, str]] = {
    "webhook": (WebhookSubscription, "name"),
    "team": (TeamChat, "name"),
    "person": (User, "username"),
}


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
    label = title(circuit)
    record = ledger.Record(Action.DELIVERY_RETRIED, "circuit", str(circuit.pk), label, data=data)
    ledger.record_many([record], group_id=circuit.group_id, actor=actor, at=at)
    return released
