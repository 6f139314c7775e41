"""The only way out: messages stored with the decision, delivered later, more than once if need be."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Event
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, connections, transaction
from httpx import HTTPStatusError

from audit import causes, circuits, claims, leases
from audit.models.outbox import Cause, Destination, OutboxMessage, OutboxStatus
from audit.senders import Answered, Sender, TakesMany, Undeliverable
from config.lifecycle import advance

log = structlog.get_logger("plumbline.outbox")

LEASE = timedelta(seconds=60)  # longer than any sender's time-out, so that nobody sends beside us
MAX_ATTEMPTS = 12
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
HELPERS = 7  # that carry messages beside the first
HELP_AFTER = 0.3  # seconds for each; making their connections takes longer than most rounds
AT_A_STRETCH = 1.0  # seconds for what was taken together; the rest is left to others


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one round delivered."""

    delivered: int = 0
    postponed: int = 0
    given_up: int = 0

    @property
    def settled(self) -> int:
        """How many messages were taken up."""
        return self.delivered + self.postponed + self.given_up

    def __add__(self, other: Delivery) -> Delivery:
        return Delivery(
            self.delivered + other.delivered,
            self.postponed + other.postponed,
            self.given_up + other.given_up,
        )


def post(
    destination: Destination,
    payload: Mapping[str, Any],
    *,
    group_id: int,
    idempotency_key: str,
    at: datetime,
    address: str = "",
) -> None:
    """Store a message in the caller's transaction. The same key again changes nothing."""
    post_many(destination, [(idempotency_key, payload)], group_id=group_id, at=at, address=address)


def post_many(
    destination: Destination,
    messages: Iterable[tuple[str, Mapping[str, Any]]],
    *,
    group_id: int,
    at: datetime,
    address: str = "",
) -> None:
    """The same for many, each with its key."""
    rows = [
        OutboxMessage(
            group_id=group_id,
            destination=destination,
            address=address,
            payload=dict(payload),
            idempotency_key=key,
            created_at=at,
            next_attempt_at=at,
        )
        for key, payload in messages
    ]
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True)


def post_audit(document: Mapping[str, Any], *, group_id: int, at: datetime) -> None:
    """Store the outbound audit record of one ledger entry; its hash is its key.

    While no other audit service is named, the contract's receiver is this very ledger, which has the entry.
    """
    if not settings.AUDIT_URL:
        return
    post(Destination.AUDIT, document, group_id=group_id, idempotency_key=f"audit-{document['hash']}", at=at)


def deliver_due(senders: Mapping[str, Sender], *, at: datetime, limit: int = 100) -> Delivery:
    """Send what is due, oldest first, up to `limit` messages. Any number of workers may do so at once.

    Receivers that are slow to answer hold up one courier each; where it takes long, others help.
    """
    leases.end_abandoned(at=at)
    turns = claims.Turns(limit)
    if connection.in_atomic_block:  # what it holds, nobody else sees
        return _carry(senders, turns, at)
    over = Event()
    with ThreadPoolExecutor(HELPERS) as pool:
        waits = [HELP_AFTER * (number + 1) for number in range(HELPERS)]
        helpers = [pool.submit(_help, senders, turns, at, wait, over) for wait in waits]
        try:
            done = _carry(senders, turns, at)
        finally:
            over.set()
    return sum((helper.result() for helper in helpers), start=done)


def _help(
    senders: Mapping[str, Sender], turns: claims.Turns, at: datetime, wait: float, over: Event
) -> Delivery:
    """Carry messages as well, on a connection of one's own, if it isn't over soon."""
    if over.wait(wait):
        return Delivery()
    try:
        return _carry(senders, turns, at + timedelta(seconds=wait))
    finally:
        connections.close_all()


def _carry(senders: Mapping[str, Sender], turns: claims.Turns, at: datetime) -> Delivery:
    """Send one after the other, or a few together, for as long as there are turns left."""
    done, begun = Delivery(), time.monotonic()
    many = {destination for destination, sender in senders.items() if isinstance(sender, TakesMany)}
    while mine := turns.take():
        # From now on: the lease of a whole round would be over before its last is sent.
        now = at + timedelta(seconds=time.monotonic() - begun)
        messages = claims.choose(turns, mine, now, at, until=now + LEASE, destinations=senders, many=many)
        if not messages:
            break
        try:
            went, unsent = _deliver(messages, senders[messages[0].destination], at)
        finally:
            leases.give_back_all(message.pk for message in messages)
        done += went
        if unsent:
            turns.slow_down(messages[0].destination, unsent, sent=len(messages) - unsent)
    return done


def retry(message: OutboxMessage, *, at: datetime) -> None:
    """Give a message that was given up another round of attempts. Raises TransitionError for any other."""
    advance(message, to=OutboxStatus.PENDING, attempts=0, next_attempt_at=at, lease_until=None)


def _deliver(messages: Sequence[OutboxMessage], sender: Sender, at: datetime) -> tuple[Delivery, int]:
    """Send what was taken together, and note all answers together; also how many there was no time for."""
    done, answered, begun = Delivery(), list[tuple[OutboxMessage, dict[str, Any]]](), time.monotonic()
    calls, unsent = _calls(sender, messages), 0
    for number, (message, call) in enumerate(zip(messages, calls, strict=True)):
        if number and time.monotonic() > begun + AT_A_STRETCH:  # the first always goes: else none ever would
            unsent = claims.let_go(messages[number:])
            break
        if circuits.holds(message, at=at):
            done += Delivery(postponed=1)
            continue
        try:
            answered.append((message, call()))
        except Undeliverable as refusal:
            done += _give_up(message, sender, str(refusal), refusal.cause, at)
        except Exception as failure:  # whatever went wrong out there, the message stays and is tried again
            now = datetime.now(UTC)  # the receiver's clock is compared with the moment of its answer
            cause, reason = causes.of_failure(failure, now=now), _reason(failure, now)
            done += _failed(message, sender, reason, cause, at)
    return done + _note(answered, sender, at), unsent


def _calls(sender: Sender, messages: Sequence[OutboxMessage]) -> Iterator[Callable[[], dict[str, Any]]]:
    if isinstance(sender, TakesMany):
        return sender.calls(messages)
    return (partial(sender.send, message) for message in messages)


def _note(answered: Answered, sender: Sender, at: datetime) -> Delivery:
    """Note answers, all at once where the sender can; one by one where one of them is in the way."""
    if not answered:
        return Delivery()
    try:
        _settle(answered, sender, at)
    except Exception as failure:  # else nobody got past it; it left, which who sends it next is to know
        if len(answered) > 1:
            return sum((_note([one], sender, at) for one in answered), start=Delivery())
        return _failed(answered[0][0], sender, _reason(failure, at), Cause.FAULT, at, left=True)
    return Delivery(delivered=len(answered))


def _failed(
    message: OutboxMessage, sender: Sender, reason: str, cause: Cause, at: datetime, *, left: bool = False
) -> Delivery:
    if message.attempts >= MAX_ATTEMPTS:
        done = _give_up(message, sender, reason, cause, at)
    else:
        done = _postpone(message, reason, cause, at, left=left)
    if not left:  # else it was taken, and what went wrong is ours
        circuits.note_failure(message, reason, cause, at=at)
    return done


@transaction.atomic
def _settle(answered: Answered, sender: Sender, at: datetime) -> None:
    """Note the answers and what they lead to."""
    if isinstance(sender, TakesMany):
        sender.settle_all(answered, at)
    else:
        for message, answer in answered:
            sender.settle(message, answer, at)
    rows = [{"id": str(message.pk), "response": answer} for message, answer in answered]
    with connection.cursor() as cursor:
        cursor.execute(_DELIVERED, {"rows": json.dumps(rows), "at": at})
    for message in {message.address: message for message, _ in answered}.values():
        circuits.note_success(message, at=at)


_DELIVERED = """
UPDATE audit_outboxmessage m
SET status = 'delivered', lease_until = NULL, delivered_at = %(at)s, response = answered.response,
    last_error = '', cause = ''
FROM jsonb_to_recordset(%(rows)s) AS answered (id uuid, response jsonb)
WHERE m.id = answered.id AND m.status = 'pending'
"""


def _reason(failure: Exception, now: datetime) -> str:
    told = f"{type(failure).__name__}: {failure}"[:2000]
    return told + causes.note(failure.response, now=now) if isinstance(failure, HTTPStatusError) else told


def _postpone(message: OutboxMessage, reason: str, cause: Cause, at: datetime, *, left: bool) -> Delivery:
    wait = min(FIRST_WAIT * 2 ** (message.attempts - 1), LONGEST_WAIT)
    due = at + wait * random.uniform(0.5, 1.0)  # so that what failed together doesn't come back together
    error = "" if left else reason
    _finish(message, OutboxStatus.PENDING, next_attempt_at=due, last_error=error, cause=cause)
    log.warning("outbox.postponed", destination=message.destination, message=str(message.pk), error=reason)
    return Delivery(postponed=1)


def _give_up(message: OutboxMessage, sender: Sender, reason: str, cause: Cause, at: datetime) -> Delivery:
    try:
        with transaction.atomic():
            _finish(message, OutboxStatus.DEAD, last_error=reason, cause=cause)
            sender.give_up(message, reason, at)
    except Exception:  # else it would be tried for ever, and nobody got past it
        log.exception("outbox.not_noted", destination=message.destination, message=str(message.pk))
        _finish(message, OutboxStatus.DEAD, last_error=reason, cause=cause)
    log.error("outbox.given_up", destination=message.destination, message=str(message.pk), error=reason)
    return Delivery(given_up=1)


def _finish(message: OutboxMessage, status: OutboxStatus, **fields: Any) -> None:
    OutboxMessage.objects.filter(pk=message.pk, status=OutboxStatus.PENDING).update(
        status=status, lease_until=None, **fields
    )
