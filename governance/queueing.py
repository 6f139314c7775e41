"""The queue of upgrade tasks in the hands of people: raised, lowered, sent to the front, with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.db.models import F, Min, Value

from audit import ledger
from audit.actions import Action
from config.access import Actor
from config.lifecycle import TransitionError
from governance import urgency
from governance.models import UpgradeTask
from governance.models.plan import WAITING


class Move(models.TextChoices):
    """Where a person sends a task."""

    RAISE = "raise", "Raise"
    LOWER = "lower", "Lower"
    FRONT = "front", "Send to the front"


@transaction.atomic
def prioritise(task: UpgradeTask, move: Move, *, reason: str, actor: Actor, at: datetime) -> None:
    """Move a waiting task within the queue. Raises TransitionError for one that doesn't wait any more."""
    ledger.hold(task.group_id)
    before = task.priority
    if not UpgradeTask.objects.filter(pk=task.pk, status__in=WAITING).update(**_changes(task, move)):
        raise TransitionError(task, "moved within the queue")
    task.refresh_from_db()
    data = {"move": move.value, "reason": reason, "before": before, "priority": task.priority}
    ledger.record(Action.TASK_PRIORITISED, subject=task, actor=actor, at=at, data=data)


def _changes(task: UpgradeTask, move: Move) -> dict[str, Any]:
    if move == Move.FRONT:
        queue = UpgradeTask.objects.filter(group_id=task.group_id, status__in=WAITING)
        first = queue.aggregate(first=Min("queue_at"))["first"]
        return {"queue_at": (first or task.queue_at) - urgency.POINT}  # there is none once nothing waits
    points = urgency.RAISE if move == Move.RAISE else -urgency.RAISE
    earlier = Value(points * urgency.POINT, output_field=models.DurationField())
    return {"priority": F("priority") + points, "queue_at": F("queue_at") - earlier}
