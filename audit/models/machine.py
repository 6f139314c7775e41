"""The machines that workers run on."""

from __future__ import annotations

from django.db import models


class Machine(models.Model):
    """What a worker saw of its own machine, and of the database from there, the last time that it looked."""

    name = models.CharField(max_length=255, unique=True)
    clock_ahead = models.DurationField()  # of the database's clock
    commit_time = models.DurationField()  # how long the database takes to make a small change last
    seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
