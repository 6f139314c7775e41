"""task list, show, prioritise, correct."""

from __future__ import annotations

from datetime import datetime

import typer

from config import durations
from governance import corrections, presenters, queueing, waiting
from governance.cli.output import Output, operator
from governance.models import UpgradeTask
from governance.queueing import Move
from governance.waiting import Explanation
from tenants.models import Group


def list_unfinished(out: Output, group: Group, *, limit: int, at: datetime) -> None:
    """The tasks that aren't finished, those that go first at the top."""
    rows = UpgradeTask.objects.filter(group=group).unfinished().select_related("tenant", "plan")
    tasks = list(rows.order_by("queue_at", "pk")[:limit])
    explained = waiting.explain(group, tasks, at=at)
    shown, documents = [], []
    for task in tasks:
        why = explained.get(task.pk)
        documents.append({**presenters.task(task), "waiting": why.as_json() if why else None})
        words = _in_words(task, why, at) if why else ""
        shown.append([str(task.pk)[:8], task.tenant.key, str(task.plan), task.get_status_display(), words])
    headings = ("task", "tenant", "plan", "status", "what it waits for")
    out.answer({"tasks": documents}, lambda: out.table(f"Unfinished tasks of {group}", headings, shown))


def show(out: Output, task: UpgradeTask, *, at: datetime) -> None:
    """One task as it stands, and why it isn't running or what follows."""
    document = presenters.explained_task(task, at=at)
    told = [(name.replace("_", " "), value) for name, value in document.items() if value not in (None, "")]
    out.answer(document, lambda: out.table(str(task), ("what", "is"), [[n, str(v)] for n, v in told]))


def prioritise(out: Output, task: UpgradeTask, move: Move, *, reason: str, at: datetime) -> None:
    """Move a waiting task within the queue."""
    if not reason.strip():
        raise typer.BadParameter("Say with --reason why.")
    queueing.prioritise(task, move, reason=reason, actor=operator(), at=at)
    explanation = waiting.explain_one(task, at=at)
    told = f"{task}: {_in_words(task, explanation, at) if explanation else task.get_status_display()}"
    out.answer(presenters.explained_task(task, at=at), lambda: out.say(told))


def correct(out: Output, task: UpgradeTask, *, done: str, at: datetime) -> None:
    """Say what was done by hand; the next manifest checks it."""
    if not done.strip():
        raise typer.BadParameter("Say with --done what was done.")
    corrections.correct(task, done=done, actor=operator(), at=at)
    told = f"{task}: {task.get_status_display()}."
    out.answer(presenters.task(task), lambda: out.say(told))


def _in_words(task: UpgradeTask, explanation: Explanation, at: datetime) -> str:
    told = explanation.reason
    if explanation.position is not None:
        told += f" Number {explanation.position:,} in the queue."
    if explanation.expected_at is not None:
        told += f" Expected {durations.ahead(explanation.expected_at, at)}."
    if not explanation.in_queue:
        return told
    return f"{told} Queued {durations.relative(task.created_at, at)}."


def named(group: Group, task_id: str) -> UpgradeTask:
    """By its id, or by the beginning of it that is no other's."""
    rows = UpgradeTask.objects.filter(group=group).select_related("group", "tenant", "plan")
    found = list(rows.filter(pk__startswith=task_id.lower())[:2])
    if len(found) != 1:
        raise typer.BadParameter(f"{'No' if not found else 'More than one'} task is {task_id}.")
    return found[0]
