"""Asking a worker to follow a group up: once, however many have a reason to at the same time.

Each costs something however little there is to do, so one rests after the one before as long as that worked:
what comes up meanwhile is left to it. Where much is under way that is most of what a worker does.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from config import queue
from tenants.models import Group

APART = timedelta(seconds=0.4)  # two follow-ups of a group, however fast its reasons come
LONGEST_REST = timedelta(seconds=1)  # after one that took long
LOST_AFTER = timedelta(seconds=60)  # what was asked for so long ago, and hasn't begun, got lost


def follow_up(group_id: int, *, at: datetime) -> bool:
    """Ask for the group's follow-up, unless one is asked for that hasn't begun; whether it was asked for."""
    nobody_asked = Q(follow_up_asked_at=None) | Q(follow_up_asked_at__lt=at - LOST_AFTER)
    unasked = Group.objects.filter(nobody_asked, pk=group_id)
    return unasked.exists() and _ask(unasked, group_id, at)  # mostly somebody has: then nothing is written


@transaction.atomic
def _ask(unasked: QuerySet[Group], group_id: int, at: datetime) -> bool:
    asked = unasked.update(follow_up_asked_at=at)
    if asked:
        queue.enqueue("governance.jobs.follow_up", group_id=group_id)
    return bool(asked)


def pause(group_id: int, *, at: datetime) -> timedelta:
    """How long a follow-up still waits after the one before: what comes up meanwhile is one round's work."""
    rows = Group.objects.values_list("follow_up_begun_at", "follow_up_rests_until")
    begun_at, rests_until = rows.get(pk=group_id)
    apart = min(begun_at + APART - at, APART) if begun_at else timedelta()
    rest = min(rests_until - at, LONGEST_REST) if rests_until else timedelta()
    return max(apart, rest, timedelta())


def begun(group_id: int, *, at: datetime) -> None:
    """What happens from now on is a reason to ask again."""
    Group.objects.filter(pk=group_id).update(follow_up_asked_at=None, follow_up_begun_at=at)


def done(group_id: int, *, at: datetime, took: timedelta) -> None:
    """Let the next one rest as long as this one worked."""
    Group.objects.filter(pk=group_id).update(follow_up_rests_until=at + min(took, LONGEST_REST))
