"""Who is reminded of a finding when; pure.

The tenant's admins come first, whoever answers for the policy near the due date, the group's owners after it.

A step is reached at its moment and stays reached. Each tells once for a finding and its due date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from config import durations
from governance import moments


class Audience(StrEnum):
    """Whom a step tells."""

    TENANT_ADMINS = "tenant_admins"
    POLICY_OWNERS = "policy_owners"
    OWNERS = "owners"


@dataclass(frozen=True, slots=True)
class Step:
    """One audience, told when the finding is found, or so long from its due date (before it: negative)."""

    tell: Audience
    offset: timedelta | None = None

    @property
    def key(self) -> str:
        """Its identity, which stays when steps are added around it."""
        if self.offset is None:
            return f"{self.tell}:found"
        return f"{self.tell}:{int(self.offset.total_seconds()):+d}"

    @property
    def words(self) -> str:
        """For people."""
        who = self.tell.value.replace("_", " ")
        if self.offset is None:
            return f"{who} at once"
        if not self.offset:
            return f"{who} at the due date"
        return (
            f"{who} {durations.length(self.offset)} {'before' if self.offset < timedelta() else 'after'} it"
        )

    def moment(self, *, opened_at: datetime, due_at: datetime | None) -> datetime | None:
        """When it is reached; None as long as there is no due date to count from."""
        if self.offset is None:
            return opened_at
        return None if due_at is None else due_at + self.offset


DEFAULT = (
    Step(Audience.TENANT_ADMINS),
    Step(Audience.TENANT_ADMINS, timedelta(days=-2)),
    Step(Audience.POLICY_OWNERS, timedelta(days=-1)),
    Step(Audience.TENANT_ADMINS, timedelta()),
    Step(Audience.OWNERS, timedelta()),
)


def steps(documents: Sequence[Mapping[str, Any]]) -> tuple[Step, ...]:
    """From their texts in a profile."""
    return tuple(Step(Audience(document["tell"]), _offset(document)) for document in documents)


def reached(
    steps: Sequence[Step], *, opened_at: datetime, due_at: datetime | None, at: datetime
) -> tuple[Step, ...]:
    """The steps whose moment has come, in the order in which they came."""
    moments = [(step.moment(opened_at=opened_at, due_at=due_at), step) for step in steps]
    come = [(moment, step) for moment, step in moments if moment is not None and moment <= at]
    return tuple(step for _, step in sorted(come, key=lambda one: one[0]))


def news(
    steps: Sequence[Step],
    *,
    opened_at: datetime,
    due_at: datetime | None,
    told: frozenset[str],
    told_due_at: datetime | None,
    at: datetime,
) -> tuple[Step, ...]:
    """The steps that have been reached and not told yet: all of them again under another due date."""
    known = told if told_due_at == due_at else frozenset()
    found = reached(steps, opened_at=opened_at, due_at=due_at, at=at)
    return tuple(step for step in found if step.key not in known)


def _offset(document: Mapping[str, Any]) -> timedelta | None:
    if "before" in document:
        return -moments.span(document["before"])
    return moments.span(document["after"]) if "after" in document else None
