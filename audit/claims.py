"""Which messages a courier takes next: one, or some of one destination that knows a repetition by its key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from threading import Lock
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from audit import leases
from audit.models import OutboxMessage

TOGETHER = 25  # messages that one courier takes at once


class Turns:
    """How many messages the couriers of a round may take."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._together = TOGETHER
        self._lock = Lock()

    def take(self) -> int:
        """As many as one courier may take at once, while there are any."""
        with self._lock:
            mine = min(self._left, self._together)
            self._left -= mine
            return mine

    def give_back(self, unused: int) -> None:
        """Leave to others what one didn't need."""
        with self._lock:
            self._left += unused

    def slow_down(self, unsent: int, *, sent: int) -> None:
        """Leave to others what one had no time for. From now on each takes only what there is time for."""
        with self._lock:
            self._left += unsent
            self._together = sent


@transaction.atomic
def claim(
    now: datetime,
    due_by: datetime,
    *,
    until: datetime,
    destinations: Collection[str],
    many: Collection[str],
    most: int,
) -> list[OutboxMessage]:
    """What has been due the longest, in the caller's hands `until` then; empty if nothing is.

    Several, at most so many, only where all are of one group and of one of the destinations that take many.
    What became due only during the round, after `due_by`, waits for the next.
    """
    due = OutboxMessage.objects.due(now).filter(
        destination__in=list(destinations), next_attempt_at__lte=due_by
    )
    due = due.select_for_update(skip_locked=True).order_by("next_attempt_at", "created_at")
    # Past those whose holder lives on, if only suspended: their leases are over, and all else can't wait.
    held: set[UUID] = set()
    while found := _first(due.exclude(pk__in=held), many, most):
        taken = leases.take_all([message.pk for message in found])
        if taken:
            return _mark([message for message in found if message.pk in taken], until)
        held.update(message.pk for message in found)
    return []


def let_go(messages: Sequence[OutboxMessage]) -> int:
    """Leave messages that weren't sent to whoever comes next, as if they had never been taken; how many."""
    for message in messages:
        message.attempts -= 1
        message.lease_until = None
    OutboxMessage.objects.bulk_update(messages, ["attempts", "lease_until", "last_error"])
    return len(messages)


def _first(due: QuerySet[OutboxMessage], many: Collection[str], most: int) -> list[OutboxMessage]:
    """What comes first. All that is looked at is locked, so more than one only where more may be taken."""
    found = list(due[:1])
    several = found and found[0].destination in many and most > 1
    return _alike(due[:most], many) if several else found


def _alike(due: Iterable[OutboxMessage], many: Collection[str]) -> list[OutboxMessage]:
    """The first, and those right behind it that go with it."""
    found: list[OutboxMessage] = []
    for message in due:
        first = found[0] if found else message
        if (message.destination, message.group_id) != (first.destination, first.group_id):
            break
        found.append(message)
        if message.destination not in many:
            break
    return found


def _mark(messages: list[OutboxMessage], until: datetime) -> list[OutboxMessage]:
    # The error before stays with who sends it now. In the row, none says that the last attempt was cut off.
    rows = OutboxMessage.objects.filter(pk__in=[message.pk for message in messages])
    rows.update(attempts=F("attempts") + 1, lease_until=until, last_error="")
    for message in messages:
        message.attempts += 1
        message.lease_until = until
    return messages
