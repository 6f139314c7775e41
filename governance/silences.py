"""Snoozed and acknowledged: what a person need not be reminded of, by finding and not by text.

A silence is one person's own. It ends by itself at its time, when the finding is no longer as it was (another
due date, severity or target), and when the due date passes: to have taken something up is no reason not to
hear that it is late.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from audit import ledger
from audit.actions import Action
from audit.ledger import Record
from config.access import Access, Actor
from governance.models import Finding, Silence
from tenants.models import User

LATE = timedelta(days=3)  # how long what is late already may be put off
UNDATED = timedelta(days=90)  # the same for what has no due date


class SilenceRefused(ValueError):
    """A finding can't be snoozed as it was asked; the text says why and until when it can."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a silence is said of."""

    due_at: datetime | None
    severity: str
    target_id: int | None


def holds(*, said_of: Facts, said_at: datetime, until: datetime | None, now: Facts, at: datetime) -> bool:
    """Whether a silence keeps reminders quiet about the finding as it is now; pure."""
    if until is not None and until <= at:
        return False
    if said_of != now:
        return False
    return now.due_at is None or not said_at < now.due_at <= at


def latest(due_at: datetime | None, at: datetime) -> datetime:
    """Until when a finding may be snoozed at most; pure."""
    if due_at is None:
        return at + UNDATED
    return due_at if due_at > at else at + LATE


def with_silence(rows: QuerySet[Finding], access: Access, *, at: datetime) -> QuerySet[Finding]:
    """The findings with what the actor has said of each, where it still holds."""
    own = Silence.objects.within(access).holding(at).filter(finding=OuterRef("pk"))
    return rows.annotate(
        silenced=Subquery(own.values("kind")[:1]), silenced_until=Subquery(own.values("until")[:1])
    )


@transaction.atomic
def snooze(
    finding: Finding, *, user: User, until: datetime, reason: str, actor: Actor, at: datetime
) -> Silence:
    """Leave a finding out of the person's own reminders until a time. Raises SilenceRefused."""
    _check_open(finding)
    last = latest(finding.due_at, at)
    if until <= at:
        raise SilenceRefused("That time is over already.")
    if until > last:
        raise SilenceRefused(f"It can be put off until {last:%Y-%m-%d %H:%M} UTC at most.")
    return _say(finding, Silence.Kind.SNOOZED, user, until, reason, actor, at)


@transaction.atomic
def acknowledge(finding: Finding, *, user: User, reason: str, actor: Actor, at: datetime) -> Silence:
    """Leave a finding out of the person's own reminders while it stays as it is. Raises SilenceRefused."""
    _check_open(finding)
    return _say(finding, Silence.Kind.ACKNOWLEDGED, user, None, reason, actor, at)


@transaction.atomic
def end(silence: Silence, *, actor: Actor, at: datetime) -> None:
    """Let the person be reminded again."""
    ledger.hold(silence.group_id)
    finding = silence.finding
    if Silence.objects.filter(pk=silence.pk).delete()[0]:
        _record(Action.FINDING_UNSILENCED, finding, actor, at, {"kind": silence.kind})


def _check_open(finding: Finding) -> None:
    if finding.closed_at is not None:
        raise SilenceRefused("It is closed already: nobody is reminded of it.")
    if finding.status == Finding.Status.ACCEPTED:
        raise SilenceRefused("An exemption covers it: nobody is reminded of it.")
    if finding.status == Finding.Status.SET_ASIDE:
        raise SilenceRefused("A decision sets it aside: nobody is reminded of it.")


def _say(
    finding: Finding,
    kind: Silence.Kind,
    user: User,
    until: datetime | None,
    reason: str,
    actor: Actor,
    at: datetime,
) -> Silence:
    ledger.hold(finding.group_id)
    silence, _ = Silence.objects.update_or_create(
        finding=finding,
        user=user,
        defaults={
            "group_id": finding.group_id,
            "tenant_id": finding.tenant_id,
            "kind": kind,
            "until": until,
            "reason": reason.strip(),
            "said_at": at,
            "due_at": finding.due_at,
            "severity": finding.severity,
            "target_id": finding.target_id,
        },
    )
    snoozed = kind == Silence.Kind.SNOOZED
    action = Action.FINDING_SNOOZED if snoozed else Action.FINDING_ACKNOWLEDGED
    _record(action, finding, actor, at, {"until": until, "reason": silence.reason, "due_at": finding.due_at})
    return silence


def _record(action: Action, finding: Finding, actor: Actor, at: datetime, data: dict[str, object]) -> None:
    """One entry, named by the finding: that is what its page shows the history of."""
    entry = Record(action, "finding", str(finding.pk), str(finding)[:300], finding.tenant_id, data)
    ledger.record_many([entry], group_id=finding.group_id, actor=actor, at=at)
