"""The only way out: messages stored with the decision, delivered later, more than once if need be."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any, Protocol
from uuid import UUID

import structlog
from django.conf import settings
from django.db import connection, connections, transaction
from httpx import HTTPStatusError

from audit import causes, circuits, leases
from audit.models.outbox import Cause, Destination, OutboxMessage, OutboxStatus
from config.lifecycle import advance

log = structlog.get_logger("plumbline.outbox")

LEASE = timedelta(seconds=60)  # longer than any sender's time-out, so that nobody sends beside us
MAX_ATTEMPTS = 12
FIRST_WAIT = timedelta(seconds=2)
LONGEST_WAIT = timedelta(minutes=15)
HELPERS = 7  # that carry messages beside the first
HELP_AFTER = 0.3  # seconds; making their connections takes longer than most rounds


class Undeliverable(Exception):
    """The receiver refuses the message for good: sending it again would change nothing."""

    def __init__(self, reason: str, *, cause: Cause = Cause.REFUSED) -> None:
        super().__init__(reason)
        self.cause = cause


class Sender(Protocol):
    """Carries the messages of one destination."""

    def send(self, message: OutboxMessage) -> dict[str, Any]:
        """Hand the message over and return the receiver's answer. Undeliverable ends it; else retried."""

    def settle(self, message: OutboxMessage, answer: dict[str, Any], at: datetime) -> None:
        """Note the answer, in the transaction that marks the message delivered."""

    def give_up(self, message: OutboxMessage, reason: str, at: datetime) -> None:
        """Note that it was given up, in the transaction that marks the message so."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one round delivered."""

    delivered: int = 0
    postponed: int = 0
    given_up: int = 0

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
    turns = iter(range(limit))
    if connection.in_atomic_block:  # what it holds, nobody else sees
        return _carry(senders, turns, at)
    over = Event()
    with ThreadPoolExecutor(HELPERS) as pool:
        helpers = [pool.submit(_help, senders, turns, at, over) for _ in range(HELPERS)]
        try:
            done = _carry(senders, turns, at)
        finally:
            over.set()
    return sum((helper.result() for helper in helpers), start=done)


def _help(senders: Mapping[str, Sender], turns: Iterator[int], at: datetime, over: Event) -> Delivery:
    """Carry messages as well, on a connection of one's own, if it isn't over soon."""
    if over.wait(HELP_AFTER):
        return Delivery()
    try:
        return _carry(senders, turns, at + timedelta(seconds=HELP_AFTER))
    finally:
        connections.close_all()


def _carry(senders: Mapping[str, Sender], turns: Iterator[int], at: datetime) -> Delivery:
    """Send one after the other for as long as there are turns left."""
    done, begun = Delivery(), time.monotonic()
    for _ in turns:
        # One at a time, and from now on: the lease of a whole batch would be over before its last is sent.
        now = at + timedelta(seconds=time.monotonic() - begun)
        message = _claim(now, at, list(senders))
        if message is None:
            break
        try:
            done += _deliver(message, senders[message.destination], at)
        finally:
            leases.give_back(message.pk)
    return done


def retry(message: OutboxMessage, *, at: datetime) -> None:
    """Give a message that was given up another round of attempts. Raises TransitionError for any other."""
    advance(message, to=OutboxStatus.PENDING, attempts=0, next_attempt_at=at, lease_until=None)


@dataclass(frozen=True, slots=True)
class Retried:
    """A message with another round of attempts before it; `about` is what its payload is named by."""

    id: UUID
    destination: str
    idempotency_key: str
    last_error: str
    about: str | None


def retry_all(group_id: int, *, named: Mapping[str, str], at: datetime) -> list[Retried]:
    """Give all of a group's messages that were given up another round, and say which, the oldest first.

    `named` are the destinations meant, each with the entry of its payloads that names what one is about.
    What somebody else retries at the same time is theirs.
    """
    parameters: dict[str, Any] = {"group": group_id, "named": json.dumps(dict(named)), "at": at}
    with connection.cursor() as cursor:
        cursor.execute(_RETRY_ALL, parameters)
        return [Retried(*row) for row in cursor.fetchall()]


_RETRY_ALL = """
WITH retried AS (
    UPDATE audit_outboxmessage m
    SET status = 'pending', attempts = 0, next_attempt_at = %(at)s, lease_until = NULL
    FROM jsonb_each_text(%(named)s) AS named (destination, entry)
    WHERE m.group_id = %(group)s AND m.status = 'dead' AND m.destination = named.destination
    RETURNING m.id, m.destination, m.idempotency_key, m.last_error, m.created_at,
        m.payload ->> named.entry AS about
)
SELECT id, destination, idempotency_key, last_error, about FROM retried ORDER BY created_at, id
"""


@transaction.atomic
def _claim(now: datetime, due_by: datetime, destinations: list[str]) -> OutboxMessage | None:
    """The message that has been due the longest; what became due only during the round waits for the next."""
    due = OutboxMessage.objects.due(now).filter(destination__in=destinations, next_attempt_at__lte=due_by)
    due = due.select_for_update(skip_locked=True).order_by("next_attempt_at", "created_at")
    # Past those whose holder lives on, if only suspended: their leases are over, and all else can't wait.
    held: list[UUID] = []
    while (message := due.exclude(pk__in=held).first()) is not None and not leases.take(message.pk):
        held.append(message.pk)
    if message is None:
        return None
    message.attempts += 1
    message.lease_until = now + LEASE
    # The error before stays with who sends it now. In the row, none says that the last attempt was cut off.
    OutboxMessage.objects.filter(pk=message.pk).update(
        attempts=message.attempts, lease_until=message.lease_until, last_error=""
    )
    return message


def _deliver(message: OutboxMessage, sender: Sender, at: datetime) -> Delivery:
    if circuits.holds(message, at=at):
        return Delivery(postponed=1)
    try:
        answer = sender.send(message)
    except Undeliverable as refusal:
        return _give_up(message, sender, str(refusal), refusal.cause, at)
    except Exception as failure:  # whatever went wrong out there, the message stays and is tried again
        now = datetime.now(UTC)  # the receiver's clock is compared with the moment of its answer
        cause, reason = causes.of_failure(failure, now=now), _reason(failure, now)
        return _failed(message, sender, reason, cause, at)
    try:
        _settle(message, sender, answer, at)
    except Exception as failure:  # else nobody got past it; it left, which who sends it next is to know
        return _failed(message, sender, _reason(failure, at), Cause.FAULT, at, left=True)
    return Delivery(delivered=1)


def _failed(
    message: OutboxMessage, sender: Sender, reason: str, cause: Cause, at: datetime, *, left: bool = False
) -> Delivery:
    circuits.note_failure(message, reason, cause, at=at)
    if message.attempts >= MAX_ATTEMPTS:
        return _give_up(message, sender, reason, cause, at)
    return _postpone(message, reason, cause, at, left=left)


@transaction.atomic
def _settle(message: OutboxMessage, sender: Sender, answer: dict[str, Any], at: datetime) -> None:
    """Note the answer and what it leads to."""
    _finish(message, OutboxStatus.DELIVERED, delivered_at=at, response=answer, last_error="", cause="")
    sender.settle(message, answer, at)
    circuits.note_success(message, at=at)


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
    with transaction.atomic():
        _finish(message, OutboxStatus.DEAD, last_error=reason, cause=cause)
        sender.give_up(message, reason, at)
    log.error("outbox.given_up", destination=message.destination, message=str(message.pk), error=reason)
    return Delivery(given_up=1)


def _finish(message: OutboxMessage, status: OutboxStatus, **fields: Any) -> None:
    OutboxMessage.objects.filter(pk=message.pk, status=OutboxStatus.PENDING).update(
        status=status, lease_until=None, **fields
    )
