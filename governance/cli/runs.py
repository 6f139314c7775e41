"""policy enforce, watch, halt, release, cancel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import typer
from django.utils import timezone
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from config import borrowed
from governance import halting, pipeline, plans, presenters
from governance.cli.output import Exit, Output, end, operator
from governance.models import Conflict, Plan, Run, UpgradeTask
from governance.models.plan import NOT_STARTED, UNFINISHED
from governance.models.snapshot import Trigger
from tenants.models import Group


def enforce(
    out: Output, group: Group, names: Sequence[str], *, dry_run: bool, timeout: float, at: datetime
) -> None:
    """Run the loop and stay with it. Ends with DECISION where it stands at a conflict."""
    run = pipeline.start_run(
        group, trigger=Trigger.COMMAND, actor=operator(), at=at, dry_run=dry_run, policy_names=names
    )
    with borrowed.sandbox():
        _end(out, _follow(out, run, timeout))


def watch(out: Output, group: Group, number: int | None, *, timeout: float) -> None:
    """Stay with a run: the one under way, else the newest."""
    runs = Run.objects.filter(group=group).order_by("-number")
    if number is not None:
        run = runs.filter(number=number).first()
    else:
        run = runs.filter(status__in=[Run.Status.RUNNING, Run.Status.ACTING]).first() or runs.first()
    if run is None:
        raise typer.BadParameter(f"{group} has no run{f' {number}' if number else ' yet'}.")
    with borrowed.sandbox():
        _end(out, _follow(out, run, timeout))


def cancel(out: Output, group: Group, number: int | None, *, at: datetime) -> None:
    """Cancel a plan's waiting tasks, and the run that waits for them."""
    rows = Plan.objects.filter(group=group).order_by("-number")
    open_ones = [*NOT_STARTED, Plan.Status.RUNNING, Plan.Status.PAUSED]
    plan = rows.filter(number=number).first() if number else rows.filter(status__in=open_ones).first()
    if plan is None and number:
        raise typer.BadParameter(f"{group} has no plan {number}.")
    if plan is None:
        out.answer({"plan": None}, lambda: out.say("No plan is drafted or under way."))
        return
    waiting = plan.tasks.filter(status=UpgradeTask.Status.QUEUED).count()
    plans.cancel(plan, actor=operator(), at=at)
    for run in plan.runs.filter(status__in=[Run.Status.RUNNING, Run.Status.ACTING]):
        pipeline.cancel_run(run, actor=operator(), at=at)
    under_way = plan.tasks.filter(status__in=UNFINISHED).count()
    document = {"plan": plan.number, "status": plan.status, "cancelled": waiting, "under_way": under_way}
    told = (
        f"{plan} is cancelled with {waiting} waiting tasks; {under_way} are under way: the orchestrator is "
        "asked to drop them."
    )
    out.answer(document, lambda: out.say(told))


def halt(out: Output, group: Group, *, reason: str, at: datetime) -> None:
    """Press the big red button."""
    if not reason.strip():
        raise typer.BadParameter("Say with --reason why.")
    halting.halt(group, reason=reason, actor=operator(), at=at)
    told = f"{group}: nothing more is handed over. What was handed over goes on."
    out.answer({"group": group.slug, "halted": True, "reason": reason}, lambda: out.say(told))


def release(out: Output, group: Group, *, reason: str, at: datetime) -> None:
    """Let it go."""
    halting.release(group, reason=reason, actor=operator(), at=at)
    told = f"{group}: hand-overs go on."
    out.answer({"group": group.slug, "halted": False, "reason": reason}, lambda: out.say(told))


def _follow(out: Output, run: Run, timeout: float) -> Run:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=out.console, transient=True) as progress:
        bar = progress.add_task(str(run), total=None)

        def tell(current: Run) -> None:
            total, done = _tasks(current)
            stage = current.get_stage_display()
            progress.update(
                bar, description=f"{current}: {stage}", total=total or None, completed=done if total else 0
            )

        return pipeline.drive(run.pk, timeout=timeout, progress=tell, clock=timezone.now)


def _tasks(run: Run) -> tuple[int, int]:
    if run.plan_id is None:
        return 0, 0
    tasks = UpgradeTask.objects.filter(plan_id=run.plan_id)
    total = tasks.count()
    return total, total - tasks.filter(status__in=UNFINISHED).count()


def _end(out: Output, run: Run) -> None:
    document = presenters.run(run)
    out.answer(document, lambda: _show(out, run, document))
    if run.status in {Run.Status.FAILED, Run.Status.CANCELLED}:
        end(Exit.FAILED)
    if run.status == Run.Status.NEEDS_DECISION:
        end(Exit.DECISION)
    if run.status in {Run.Status.RUNNING, Run.Status.ACTING}:
        end(Exit.DIFFERENT)


def _show(out: Output, run: Run, document: dict[str, Any]) -> None:
    done = [(stage.value, run.figures[stage]) for stage in Run.Stage if stage in run.figures]
    rows = [[name, f"{figures.get('seconds', 0):.2f}", _told(figures)] for name, figures in done]
    out.table(f"{run}: {document['says']}", ("stage", "seconds", "figures"), rows)
    if run.dry_run and document["plan"]:
        tasks = document["plan"]["tasks"]
        out.table("Would be done", ("tenant", "steps"), [[task["tenant"], _steps(task)] for task in tasks])
    for conflict in document["conflicts"]:
        if conflict["status"] == Conflict.Status.OPEN:
            out.say(f"Needs a decision: {conflict['explanation'].get('summary', conflict['id'])}", "yellow")
    if run.error:
        out.say(run.error, "red")


def _told(figures: dict[str, Any]) -> str:
    shown = {name: value for name, value in figures.items() if name != "seconds" and value not in (None, 0)}
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in shown.items()) or "nothing to do"


def _steps(task: dict[str, Any]) -> str:
    return ", ".join(f"{s['plugin']} {s['from'] or '–'} → {s['to'] or '–'}" for s in task["steps"])
