"""Receivers out there that fail again and again."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.db import models

from audit.models.outbox import Cause, Destination
from config.access import Access


class CircuitQuerySet(models.QuerySet["Circuit"]):
    """Reads of circuits."""

    def within(self, access: Access) -> Self:
        """The group's; only for those who reach all of it."""
        return self.filter(group_id=access.group_id) if access.whole_group else self.none()

    def of(self, group_id: int, destination: str, address: str) -> Self:
        """The one of a receiver, if it has failed."""
        return self.filter(group_id=group_id, destination=destination, address=address)

    def broken(self) -> Self:
        """Those that have been left alone, and that nothing has got through to since."""
        return self.filter(breaks__gt=0)

    def holding(self, at: datetime) -> Self:
        """Those that are left alone now."""
        return self.filter(rests_until__gt=at)


class Circuit(models.Model):
    """How often in a row a receiver failed, and until when it is left alone; a success deletes it.

    `address` is the messages', for a chat `team-` or `person-` and whose it is; it is empty for the mail
    server, through which all mail goes.
    """

    group_id = models.BigIntegerField()
    destination = models.CharField(max_length=16, choices=Destination)
    address = models.CharField(max_length=500, blank=True)
    failures = models.PositiveIntegerField(default=0)
    breaks = models.PositiveIntegerField(default=0)  # how often it has been left alone
    since = models.DateTimeField()
    rests_until = models.DateTimeField(null=True)
    last_error = models.TextField(blank=True)
    cause = models.CharField(max_length=8, choices=Cause, blank=True)

    objects = CircuitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group_id", "destination", "address"], name="circuit_once")
        ]

    def __str__(self) -> str:
        return f"{self.get_destination_display()} {self.address}".strip()
