"""Receivers that fail again and again are left alone for a while, longer each time, and then tried anew.

What waits for one loses none of its attempts meanwhile. The orchestrator, and the services that Plumbline
itself stands in for, aren't among them: upgrades have their own order, and each waits for its own turn.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from audit.models.circuit import Circuit, CircuitQuerySet
from audit.models.outbox import Cause, Destination, OutboxMessage, OutboxStatus

SOON = timedelta(seconds=20)  # once a receiver that was away is back
AFTER = 5  # failures in a row
FIRST_REST = timedelta(minutes=1)
LONGEST_REST = timedelta(minutes=30)
_ALL = frozenset({Cause.AWAY, Cause.FULL, Cause.FAULT})
# What is the receiver's fault rather than the message's. A full mailbox is a person's, not the mail server's.
_COUNTED = {Destination.EMAIL: frozenset({Cause.AWAY}), Destination.WEBHOOK: _ALL, Destination.CHAT: _ALL}
_CHATS = ("team", "person")  # as messages name them; a person may be called as a chat is


def rest(breaks: int) -> timedelta:
    """How long a receiver is left alone the first time, the second, and so on; pure."""
    return min(FIRST_REST * (1 << min(breaks - 1, 10)), LONGEST_REST)


def holds(message: OutboxMessage, *, at: datetime) -> bool:
    """Whether the message's receiver is left alone; then it waits, and the attempt wasn't one."""
    if message.destination not in _COUNTED:
        return False
    circuit = of(message).holding(at).first()
    if circuit is None:
        return False
    OutboxMessage.objects.filter(pk=message.pk, status=OutboxStatus.PENDING).update(
        attempts=message.attempts - 1,
        next_attempt_at=circuit.rests_until,
        lease_until=None,
        last_error=message.last_error,
        cause=Cause.HELD,
    )
    return True


@transaction.atomic
def note_failure(message: OutboxMessage, reason: str, cause: Cause, *, at: datetime) -> None:
    """Count it, and leave the receiver alone where it has failed too often; those under way count once."""
    if cause not in _COUNTED.get(Destination(message.destination), ()):
        return
    key = {"group_id": message.group_id, "destination": message.destination, "address": _address(message)}
    circuit, _ = Circuit.objects.select_for_update().get_or_create(**key, defaults={"since": at})
    circuit.failures += 1
    circuit.last_error, circuit.cause = reason, cause
    if circuit.failures >= AFTER and (circuit.rests_until is None or circuit.rests_until <= at):
        circuit.breaks += 1
        circuit.rests_until = at + rest(circuit.breaks)
    circuit.save()


def note_success(message: OutboxMessage, *, at: datetime) -> None:
    """Something got through: count nothing any more, and let what waits long for the receiver go soon."""
    if message.destination == Destination.EMAIL:  # one server takes all groups' mail
        Circuit.objects.filter(destination=Destination.EMAIL).delete()
    elif message.destination in _COUNTED:
        of(message).delete()
    waiting = _pending(None, message.destination, _address(message)).filter(next_attempt_at__gt=at + SOON)
    waiting.filter(cause__in=[Cause.AWAY, Cause.HELD]).update(
        next_attempt_at=at + SOON * random.uniform(0.5, 1.0)
    )


@transaction.atomic
def release(circuits: CircuitQuerySet, *, at: datetime) -> int:
    """Try these receivers again now, since a person says so; how many messages go there."""
    released, receivers = 0, list(circuits)
    # Before the messages that wait, as a success does.
    circuits.filter(rests_until__gt=at).update(rests_until=at)
    for circuit in receivers:
        waiting = _pending(circuit.group_id, circuit.destination, circuit.address)
        held = waiting.filter(cause=Cause.HELD, next_attempt_at__gt=at)
        released += held.update(next_attempt_at=at)
    return released


def forget(group_id: int, destination: Destination, record: tuple[str, int]) -> None:
    """Count nothing any more of a webhook or chat that has ended: what is still to go there is given up."""
    kind, number = record
    address = f"{kind}-{number}" if destination == Destination.CHAT else str(number)
    Circuit.objects.of(group_id, destination, address).delete()


def forget_idle(*, at: datetime) -> int:
    """The same of those that aren't left alone any more and that nothing is to go to; how many."""
    over = Circuit.objects.filter(Q(rests_until=None) | Q(rests_until__lte=at))
    idle = [one.pk for one in over if not _pending(one.group_id, one.destination, one.address).exists()]
    return Circuit.objects.filter(pk__in=idle).delete()[0]


def of(message: OutboxMessage) -> CircuitQuerySet:
    """The circuit of a message's receiver, if that has failed."""
    return Circuit.objects.of(message.group_id, message.destination, _address(message))


def record_of(destination: str, address: str) -> tuple[str, int] | None:
    """Which record a circuit's address stands for, as `("team", 7)`; None where it stands for none."""
    kind, _, number = address.rpartition("-")
    known = number.isdecimal() and kind in (_CHATS if destination == Destination.CHAT else ("",))
    return (kind or destination, int(number)) if known else None


def _address(message: OutboxMessage) -> str:
    if message.destination == Destination.EMAIL:
        return ""
    if message.destination == Destination.CHAT:
        return next((f"{kind}-{message.payload[kind]}" for kind in _CHATS if kind in message.payload), "")
    return message.address


def _pending(group_id: int | None, destination: str, address: str) -> QuerySet[OutboxMessage]:
    """What is to go to a receiver, of one group or of all."""
    rows = OutboxMessage.objects.filter(status=OutboxStatus.PENDING, destination=destination)
    if group_id is not None:
        rows = rows.filter(group_id=group_id)
    if destination == Destination.EMAIL:
        return rows
    record = record_of(destination, address)
    if destination == Destination.CHAT and record is not None:
        return rows.filter(**{f"payload__{record[0]}": record[1]})
    return rows.filter(address=address)
