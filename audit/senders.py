"""What carries messages to their receivers, one sender for each destination."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from audit.models.outbox import Cause, OutboxMessage

Answered = Sequence[tuple[OutboxMessage, dict[str, Any]]]


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


@runtime_checkable
class TakesMany(Sender, Protocol):
    """One of which a courier may take several messages at once: it knows a repetition by its key."""

    def calls(self, messages: Sequence[OutboxMessage]) -> Iterator[Callable[[], dict[str, Any]]]:
        """What sends each, in their order, with what is to be known of all of them looked up before."""

    def settle_all(self, answered: Answered, at: datetime) -> None:
        """Note the answers of one group's messages, in the transaction that marks them delivered."""
