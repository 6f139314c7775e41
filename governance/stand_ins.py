"""Deputies that an owner names for somebody who is away, or dismisses: both are told."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from config.access import Actor
from governance import announcements
from tenants import deputies
from tenants.models import Deputy, Group, User


@transaction.atomic
def appoint(
    group: Group,
    person: User,
    username: str,
    *,
    starts_on: date,
    ends_on: date,
    actor: Actor,
    at: datetime,
) -> Deputy:
    """Let somebody stand in for a person, and tell both of them. Raises DeputyRefused."""
    row = deputies.appoint(group, person, username, starts_on=starts_on, ends_on=ends_on, actor=actor, at=at)
    announcements.deputy_appointed(row, (row.person, row.deputy), at=at)
    return row


@transaction.atomic
def end(row: Deputy, *, actor: Actor, at: datetime) -> bool:
    """Let somebody stand in no more, and tell both of them once; False if it was over, and nobody is told."""
    over = deputies.is_over(row, at=at)
    if not deputies.end(row, actor=actor, at=at) or over:
        return False
    announcements.deputy_ended(row, (row.person, row.deputy), by=actor.name, at=at)
    return True
