"""task list, show, correct."""

from __future__ import annotations

from datetime import datetime

import typer

from governance import corrections, presenters
from governance.cli.output import Output, operator
from governance.models import UpgradeTask
from tenants.models import Group


def list_unfinished(out: Output, group: Group) -> None:
    """The tasks that aren't finished, those that go first at the top."""
    rows = UpgradeTask.objects.filter(group=group).unfinished().select_related("tenant", "plan")
    tasks = list(rows.order_by("-priority", "created_at", "pk"))
    shown = [
        [str(task.pk)[:8], task.tenant.key, str(task.plan), task.get_status_display(), task.wait_reason]
        for task in tasks
    ]
    headings = ("task", "tenant", "plan", "status", "why it waits")
    document = {"tasks": [presenters.task(task) for task in tasks]}
    out.answer(document, lambda: out.table(f"Unfinished tasks of {group}", headings, shown))


def show(out: Output, task: UpgradeTask) -> None:
    """One task as it stands."""
    document = presenters.task(task)
    told = [(name.replace("_", " "), value) for name, value in document.items() if value not in (None, "")]
    out.answer(document, lambda: out.table(str(task), ("what", "is"), [[n, str(v)] for n, v in told]))


def correct(out: Output, task: UpgradeTask, *, done: str, at: datetime) -> None:
    """Say what was done by hand; the next manifest checks it."""
    if not done.strip():
        raise typer.BadParameter("Say with --done what was done.")
    corrections.correct(task, done=done, actor=operator(), at=at)
    told = f"{task}: {task.get_status_display()}."
    out.answer(presenters.task(task), lambda: out.say(told))


def named(group: Group, task_id: str) -> UpgradeTask:
    """By its id, or by the beginning of it that is no other's."""
    rows = UpgradeTask.objects.filter(group=group).select_related("group", "tenant", "plan")
    found = list(rows.filter(pk__startswith=task_id.lower())[:2])
    if len(found) != 1:
        raise typer.BadParameter(f"{'No' if not found else 'More than one'} task is {task_id}.")
    return found[0]
