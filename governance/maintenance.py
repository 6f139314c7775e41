"""Maintenance windows and freezes: agreed, ended, and kept to when upgrade tasks are handed over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Min, Q

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import calendars
from governance.calendars import Freeze, Window
from governance.models import Configuration, MaintenanceWindow, UpgradeTask
from governance.models.plan import UpgradeTaskQuerySet
from tenants.models import Group, Tenant

_CHUNK = 500
_NEVER = timedelta(days=1)  # a window that never opens is looked at again after so long
NEVER_OPENS = "Its tenant’s maintenance windows never open: agree one that is long enough."


@dataclass(frozen=True, slots=True)
class Awaited:
    """How many tasks wait for windows, and when the first of these opens; None if none ever does."""

    tasks: int
    opens_at: datetime | None

    @property
    def opens(self) -> str:
        """The same in words; empty if none ever does."""
        return _clock(self.opens_at)

    def __str__(self) -> str:
        wait = f"{self.tasks:,} task{' waits' if self.tasks == 1 else 's wait'} for maintenance windows"
        if not self.opens:
            return f"{wait}, which never open."
        return f"{wait}; the next opens at {self.opens}, and what waits for it goes on by itself then."

    def as_json(self) -> dict[str, Any]:
        """For reports and figures."""
        opens_at = self.opens_at.isoformat() if self.opens_at else None
        return {"tasks": self.tasks, "next_opens_at": opens_at, "says": str(self)}


class EndedAlready(Exception):
    """Someone else was faster to end the window."""

    def __init__(self, row: MaintenanceWindow) -> None:
        super().__init__(f"The window {row} of {row.tenant} has ended already.")


@transaction.atomic
def agree(
    tenant: Tenant,
    *,
    days: Collection[int],
    starts: time,
    ends: time,
    zone: str,
    actor: Actor,
    at: datetime,
) -> MaintenanceWindow:
    """Add a window to those in which the tenant may be changed."""
    ledger.hold(tenant.group_id)
    row = MaintenanceWindow.objects.create(
        group_id=tenant.group_id,
        tenant=tenant,
        days=sorted(days),
        starts=starts,
        ends=ends,
        zone=zone,
        agreed_by_name=actor.name,
        agreed_at=at,
    )
    _look_again(tenant)
    ledger.record(Action.WINDOW_AGREED, subject=row, actor=actor, at=at, data={"window": str(row)})
    return row


@transaction.atomic
def end(row: MaintenanceWindow, *, actor: Actor, at: datetime) -> None:
    """Take a window away. Without any left, the tenant may be changed at any time. Raises EndedAlready."""
    ledger.hold(row.group_id)
    ended, _ = MaintenanceWindow.objects.filter(pk=row.pk).delete()
    if not ended:
        raise EndedAlready(row)
    _look_again(row.tenant)
    ledger.record(Action.WINDOW_ENDED, subject=row, actor=actor, at=at, data={"window": str(row)})


def windows_of(tenant_ids: Iterable[int]) -> dict[int, list[Window]]:
    """The windows by tenant; a tenant without any is missing."""
    found: dict[int, list[Window]] = defaultdict(list)
    for row in MaintenanceWindow.objects.filter(tenant__in=list(tenant_ids)):
        found[row.tenant_id].append(row.window)
    return dict(found)


def postpone_closed(group: Group, queue: Any, *, at: datetime) -> None:
    """Put off the tasks at the head of the queue whose tenants' windows are closed, until these open.

    The caller holds the ledger's lock, and has what it chooses from further behind looked at by `put_off`.
    """
    if not MaintenanceWindow.objects.filter(group=group).exists():
        return
    while put_off(dict(queue.values_list("pk", "tenant_id")[:_CHUNK]), at=at):
        pass


def put_off(tenants: Mapping[UUID, int], *, at: datetime) -> int:
    """Put off those of these tasks, each with its tenant, whose windows are closed; how many."""
    closed = _closed(tenants, at)
    for opens_at, ids in closed.items():
        told = f"Outside its maintenance window, which opens at {_clock(opens_at)}."
        UpgradeTask.objects.filter(pk__in=ids).update(
            not_before=opens_at or at + _NEVER, wait_reason=told if opens_at else NEVER_OPENS
        )
    return sum(map(len, closed.values()))


def awaited(tasks: UpgradeTaskQuerySet, at: datetime) -> Awaited | None:
    """What of these tasks waits for windows; None if nothing does."""
    opens = ~Q(wait_reason=NEVER_OPENS)
    found = tasks.awaiting_window(at).aggregate(tasks=Count("pk"), opens_at=Min("not_before", filter=opens))
    return Awaited(**found) if found["tasks"] else None


def freezes_of(group_id: int) -> list[Freeze]:
    """The group's freezes, as its configuration has them."""
    configured = Configuration.objects.filter(group=group_id).values_list("freezes", flat=True).first()
    return calendars.freezes(configured or [])


def freeze_at(group: Group, at: datetime) -> Freeze | None:
    """The freeze that keeps the group from being changed now."""
    return calendars.frozen_by(freezes_of(group.pk), at)


def in_words(freeze: Freeze) -> str:
    """Why nothing is handed over."""
    told = f"Frozen until {freeze.ends_at:%Y-%m-%d %H:%M} UTC ({freeze.name}): {freeze.reason.rstrip()}"
    return (told if told.endswith((".", "!", "?", "。")) else f"{told}.")[:300]


def _closed(tenants: Mapping[UUID, int], at: datetime) -> dict[datetime | None, list[UUID]]:
    """The tasks whose tenants' windows are closed, by when they open; None where they never do."""
    windows = windows_of(tenants.values())
    found: dict[datetime | None, list[UUID]] = defaultdict(list)
    for task_id, tenant_id in tenants.items():
        opens_at = calendars.next_opening(windows.get(tenant_id, ()), at)
        if opens_at is None or opens_at > at:
            found[opens_at].append(task_id)
    return found


def _clock(when: datetime | None) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC" if when else ""


def _look_again(tenant: Tenant) -> None:
    """Judge what waits for a window anew."""
    waiting = UpgradeTask.objects.filter(tenant=tenant, status=UpgradeTask.Status.QUEUED)
    waiting.filter(not_before__isnull=False).update(not_before=None, wait_reason="")
