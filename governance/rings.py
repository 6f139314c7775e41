"""Rings of a plan: the next one begins once those before have succeeded for long enough.

A ring has succeeded when each of its tasks came to an end; how many of these may be failures is the failure
budget's matter, which pauses the plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F, Max, Min

from audit import ledger
from audit.actions import Action
from config.access import SYSTEM
from governance.models import Plan
from governance.models.plan import WAITING
from tenants.models import Group

_LATER = "Its ring follows later."


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a ring waits for: so many tasks of the rings before it, and then until `opens_at`."""

    ring: int
    unfinished: int
    opens_at: datetime | None


def in_words(ring: int, name: str | None) -> str:
    """Its number as people count, and what the profile calls it."""
    return f"{ring + 1} ({name})" if name else str(ring + 1)


def names(plan: Plan) -> list[str]:
    """What the profiles call the plan's rings, the first first; its number for one without a name."""
    found: dict[int, list[str]] = {}
    for ring, name in plan.tasks.order_by("ring", "ring_name").values_list("ring", "ring_name").distinct():
        found.setdefault(ring, []).append(name or str(ring + 1))
    return [" and ".join(those) for those in found.values()]


def outlook(plan: Plan, ring: int) -> Outlook:
    """When the ring begins, as far as it can be told now."""
    unfinished = plan.tasks.filter(ring__lt=ring).unfinished().count()
    return Outlook(ring, unfinished, None if unfinished else _opens_at(plan, ring))


def open_due(group: Group, *, at: datetime) -> int:
    """Let the next ring of each running plan begin that has waited for long enough; how many did.

    The caller holds the ledger's lock.
    """
    opened = 0
    for plan in Plan.objects.filter(group=group, status=Plan.Status.RUNNING):
        closed = plan.tasks.filter(ring__gt=plan.open_ring, status__in=WAITING).order_by("ring")
        ring = closed.values_list("ring", flat=True).first()
        if ring is None or plan.tasks.filter(ring__lt=ring).unfinished().exists():
            continue
        opens_at = _opens_at(plan, ring)
        if opens_at is not None and opens_at <= at:
            _open(plan, ring, at)
            opened += 1
    return opened


def _opens_at(plan: Plan, ring: int) -> datetime | None:
    """So long after the last task of the rings before as the ring waits; for the first, after the start."""
    before = plan.tasks.filter(ring__lt=ring)
    since = before.aggregate(last=Max("finished_at"))["last"] or plan.started_at
    wait = plan.tasks.filter(ring=ring).aggregate(longest=Max("ring_wait"))["longest"] or timedelta()
    return since + wait if since else None


def close(plan: Plan) -> None:
    """Keep all rings closed that have to wait for another one, or for a while; said when the plan starts."""
    first = plan.tasks.aggregate(first=Min("ring"))["first"] or 0
    waits = plan.tasks.filter(ring=first, ring_wait__gt=timedelta()).exists()
    Plan.objects.filter(pk=plan.pk).update(open_ring=first - 1 if waits else first)
    plan.refresh_from_db(fields=["open_ring"])
    say_closed(plan)


def say_closed(plan: Plan) -> None:
    """Let the tasks of the rings that haven't begun say so."""
    closed = plan.tasks.filter(status__in=WAITING, ring__gt=F("plan__open_ring"))
    closed.update(wait_reason=_LATER)


def reachable(plan: Plan) -> int:
    """The last ring that begins without a wait once the ones before have succeeded."""
    rings = plan.tasks.filter(ring__gt=plan.open_ring).order_by("ring").values_list("ring")
    last = plan.open_ring
    for ring, wait in rings.annotate(longest=Max("ring_wait")).values_list("ring", "longest"):
        if wait > timedelta():
            break
        last = ring
    return last


def _open(plan: Plan, ring: int, at: datetime) -> None:
    Plan.objects.filter(pk=plan.pk).update(open_ring=ring)
    plan.tasks.filter(ring=ring, wait_reason=_LATER).update(wait_reason="")
    data = {"ring": ring + 1, "tasks": plan.tasks.filter(ring=ring).count()}
    ledger.record(Action.PLAN_RING_OPENED, subject=plan, actor=SYSTEM, at=at, data=data)
