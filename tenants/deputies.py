"""Who stands in for whom, and who therefore hears of what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q

from audit import ledger
from audit.actions import Action
from config.access import Actor
from tenants.models import Deputy, Group, Membership, Preferences, Role, User


class DeputyRefused(Exception):
    """Someone who can't stand in; `field` is what to change, the message says why."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__(reason)


def stand_ins(person: int, deputies: Mapping[int, Sequence[int]]) -> list[int]:
    """Everybody who stands in for the person, the nearest first: a deputy who is away has one too.

    Nobody is named twice, and never the person, even where the deputies run in a circle.
    """
    found: list[int] = []
    waiting = [person]
    while waiting:
        for deputy in deputies.get(waiting.pop(0), ()):
            if deputy != person and deputy not in found:
                found.append(deputy)
                waiting.append(deputy)
    return found


def standing(group_id: int, *, at: datetime) -> dict[int, list[int]]:
    """Who stands in now, by the id of who is away; the day is that of the clock where that person lives."""
    rows = Deputy.objects.filter(group_id=group_id, person__is_active=True, deputy__is_active=True)
    zones = dict(Preferences.objects.filter(user__in=rows.values("person")).values_list("user", "time_zone"))
    found: dict[int, list[int]] = {}
    for row in rows.order_by("starts_on", "pk"):
        today = at.astimezone(ZoneInfo(zones.get(row.person_id, "UTC"))).date()
        if row.starts_on <= today <= row.ends_on:
            found.setdefault(row.person_id, []).append(row.deputy_id)
    return found


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
    """Let somebody stand in for a person, the last day included. Raises DeputyRefused."""
    ledger.hold(group.pk)  # two who appoint each other at the same time would make a circle
    if username == person.username:
        raise DeputyRefused("deputy", "Nobody stands in for themselves: choose somebody else.")
    if ends_on < starts_on:
        raise DeputyRefused("ends_on", "The last day lies before the first.")
    deputy = _able(group, person, username)
    _refuse_circle(group, person, deputy, starts_on, ends_on)
    row = Deputy.objects.create(
        group=group,
        person=person,
        deputy=deputy,
        starts_on=starts_on,
        ends_on=ends_on,
        appointed_by_name=actor.name,
        appointed_at=at,
    )
    ledger.record(Action.DEPUTY_APPOINTED, subject=row, actor=actor, at=at, data=_said(row))
    return row


@transaction.atomic
def end(row: Deputy, *, actor: Actor, at: datetime) -> bool:
    """Let nobody stand in by this any more; False if it was ended before. The ledger keeps that it was."""
    said, subject_id = _said(row), str(row.pk)
    gone, _ = Deputy.objects.filter(pk=row.pk).delete()
    if gone:
        record = ledger.Record(Action.DEPUTY_ENDED, "deputy", subject_id, str(row), data=said)
        ledger.record_many([record], group_id=row.group_id, actor=actor, at=at)
    return bool(gone)


def is_over(row: Deputy, *, at: datetime) -> bool:
    """Whether the last day has passed, by the clock of who was away."""
    zone = Preferences.objects.filter(user=row.person_id).values_list("time_zone", flat=True).first()
    return row.ends_on < at.astimezone(ZoneInfo(zone or "UTC")).date()


def _able(group: Group, person: User, username: str) -> User:
    """The active member of that name who reaches something that the person reaches.

    A tenant admin learns nothing about anybody else: who isn't there is refused in the same words.
    """
    memberships = Membership.objects.valid().filter(group=group)
    own = memberships.filter(user=person)
    if not own.exclude(role=Role.TENANT_ADMIN).exists():
        same = Q(tenant__in=own.values("tenant"))
        memberships = memberships.filter(~Q(role=Role.TENANT_ADMIN) | same)
    deputy = User.objects.filter(memberships__in=memberships, username=username).first()
    if deputy is None:
        raise DeputyRefused(
            "deputy",
            f"Nobody called “{username}” reaches in {group} what {person} reaches, so nothing could be told "
            "to them. It is the name that they sign in with.",
        )
    return deputy


def _refuse_circle(group: Group, person: User, deputy: User, starts_on: date, ends_on: date) -> None:
    """Say so where the deputy is, in that time, stood in for by the person, be it through others."""
    meanwhile: dict[int, list[int]] = {}
    rows = Deputy.objects.filter(group=group).overlapping(starts_on, ends_on)
    for away, stands_in in rows.values_list("person_id", "deputy_id"):
        meanwhile.setdefault(away, []).append(stands_in)
    if deputy.pk in meanwhile.get(person.pk, []):
        raise DeputyRefused("deputy", f"{deputy} stands in for {person} in that time already.")
    if person.pk in stand_ins(deputy.pk, meanwhile):
        raise DeputyRefused(
            "deputy",
            f"{person} stands in for {deputy} in that time, at least through others: nobody would be there. "
            "Choose somebody else, or another time.",
        )


def _said(row: Deputy) -> dict[str, str]:
    return {
        "person": row.person.username,
        "deputy": row.deputy.username,
        "from": str(row.starts_on),
        "until": str(row.ends_on),
    }
