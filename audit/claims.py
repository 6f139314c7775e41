"""Which messages a courier takes next: one, or some of one destination that knows a repetition by its key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from threading import Condition
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet

from audit import leases
from audit.models import OutboxMessage

TOGETHER = 25  # messages that one courier takes at once


class Turns:
    """How many messages the couriers of a round may take, and how many of each destination at once."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._choosing = 0  # turns of couriers that look for what to do with them
        self._together: dict[str, int] = {}
        self._changed = Condition()

    def take(self) -> int:
        """As many as one courier may take at once; none where all are spent. The courier settles them."""
        with self._changed:
            self._changed.wait_for(lambda: self._left or not self._choosing)  # some may be left over
            mine = min(self._left, TOGETHER)
            self._left -= mine
            self._choosing += mine
            return mine

    def settle(self, taken: int, *, used: int) -> None:
        """Leave to others what one didn't need."""
        with self._changed:
            self._left += taken - used
            self._choosing -= taken
            self._changed.notify_all()

    def together(self, destination: str) -> int:
        """How many of the destination one courier may take at once."""
        with self._changed:
            return self._together.get(destination, TOGETHER)

    def slow_down(self, destination: str, unsent: int, *, sent: int) -> None:
        """Leave to others what one had no time for. From now on each takes only what there is time for."""
        with self._changed:
            self._left += unsent
            self._together[destination] = sent
            self._changed.notify_all()


def choose(
    turns: Turns,
    mine: int,
    now: datetime,
    due_by: datetime,
    *,
    until: datetime,
    destinations: Collection[str],
    many: Collection[str],
) -> list[OutboxMessage]:
    """Claim with these turns, and settle them."""
    found: list[OutboxMessage] = []
    together = {destination: turns.together(destination) for destination in many}
    try:
        found = claim(now, due_by, until=until, destinations=destinations, many=together, most=mine)
    finally:
        turns.settle(mine, used=len(found))
    return found


@transaction.atomic
def claim(
    now: datetime,
    due_by: datetime,
    *,
    until: datetime,
    destinations: Collection[str],
    many: Mapping[str, int],
    most: int,
) -> list[OutboxMessage]:
    """What has been due the longest, in the caller's hands `until` then; empty if nothing is.

    Several, at most so many, only where all are of one group and of one of the destinations that take many,
    and no more than these take.
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


def _first(due: QuerySet[OutboxMessage], many: Mapping[str, int], most: int) -> list[OutboxMessage]:
    """What comes first. All that is looked at is locked, so more than one only where more may be taken."""
    found = list(due[:1])
    several = min(most, many.get(found[0].destination, 1)) if found else 1
    return _alike(due[:several], many) if several > 1 else found


def _alike(due: Iterable[OutboxMessage], many: Mapping[str, int]) -> list[OutboxMessage]:
    """The first, and those right behind it that go with it.

    Another one may be the first by now, of a destination that takes fewer.
    """
    found: list[OutboxMessage] = []
    for message in due:
        first = found[0] if found else message
        if (message.destination, message.group_id) != (first.destination, first.group_id):
            break
        found.append(message)
        if len(found) >= many.get(message.destination, 1):
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
