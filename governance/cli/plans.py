"""plan list, show, simulate, approve, start, pause, resume."""

from __future__ import annotations

from datetime import datetime

import typer
from django.db.models import Count, Q

from config.access import Actor, Permission
from governance import plans, presenters, rings, simulation
from governance.cli import simulations
from governance.cli.output import Output, operator
from governance.models import Plan
from governance.models.plan import UNFINISHED
from tenants.models import Group, User
from tenants.reach import access_of_person


def list_plans(out: Output, group: Group, *, limit: int) -> None:
    """The newest plans, with how far each has got."""
    left = Count("tasks", filter=Q(tasks__status__in=UNFINISHED))
    found = Plan.objects.filter(group=group).with_standing().annotate(total=Count("tasks"), left=left)
    rows = list(found.order_by("-number")[:limit])
    shown = [[row.number, _stands(row), row.total, row.left, row.pause_reason] for row in rows]
    documents = [
        {
            "number": row.number,
            "status": row.status,
            "standing": row.standing,
            "tasks": row.total,
            "unfinished": row.left,
        }
        for row in rows
    ]
    headings = ("plan", "status", "tasks", "left", "why it is paused")
    out.answer({"plans": documents}, lambda: out.table(f"Plans of {group}", headings, shown))


def show(out: Output, plan: Plan) -> None:
    """One plan with its tasks."""
    document = presenters.plan(plan)
    rows = [
        [
            task["tenant"],
            rings.in_words(task["ring"] - 1, task["ring_name"]),
            task["status"],
            task["waiting_because"],
        ]
        for task in document["tasks"]
    ]
    title = f"{plan}: {_stands(plan)}"

    def tell() -> None:
        out.table(title, ("tenant", "ring", "status", "why it waits"), rows)
        for found in document["waits_for"]:
            out.say(f"Needs a decision: {found['summary']}", "yellow")

    out.answer(document, tell)


def simulate(out: Output, plan: Plan, *, at: datetime) -> None:
    """Work out what it would do, and keep that with it."""
    what = simulation.Supposition(plan=plan.number)
    kept = simulation.simulate_what(plan.group, what, at=at, actor=operator(), title=f"{plan} carried out")
    out.answer(simulation.as_document(kept), lambda: simulations.show(out, kept))


def approve(out: Output, plan: Plan, *, person: str, reason: str, at: datetime) -> None:
    """Let it be started, in the name of a person who isn't its author."""
    if not person:
        raise typer.BadParameter("Say with --as who approves it.")
    plans.approve(plan, actor=_approver(plan.group, person), at=at, reason=reason)
    _tell(out, plan)


def start(out: Output, plan: Plan, *, at: datetime) -> None:
    """Let its tasks be handed over."""
    plans.start(plan, actor=operator(), at=at)
    _tell(out, plan)


def pause(out: Output, plan: Plan, *, reason: str, at: datetime) -> None:
    """Hand nothing more of it over."""
    plans.pause(plan, actor=operator(), at=at, reason=reason)
    _tell(out, plan)


def resume(out: Output, plan: Plan, *, at: datetime) -> None:
    """Go on handing over."""
    plans.resume(plan, actor=operator(), at=at)
    _tell(out, plan)


def numbered(group: Group, number: int) -> Plan:
    """The group's plan of that number."""
    plan = Plan.objects.filter(group=group, number=number).select_related("group").first()
    if plan is None:
        raise typer.BadParameter(f"{group} has no plan {number}.")
    return plan


def _approver(group: Group, username: str) -> Actor:
    person = User.objects.filter(username=username).first()
    access = access_of_person(person, group.slug) if person else None
    if access is None or not access.allows(Permission.PLAN_APPROVE):
        raise typer.BadParameter(f"{username} may not approve plans of {group}.")
    return access.actor


def _stands(plan: Plan) -> str:
    """Its state, and what it waits for as long as nobody has approved or started it."""
    label = plan.get_status_display()
    return f"{label}, {plan.standing.label.lower()}" if plan.standing else label


def _tell(out: Output, plan: Plan) -> None:
    document = {"plan": plan.number, "status": plan.status}
    out.answer(document, lambda: out.say(f"{plan}: {plan.get_status_display()}."))
