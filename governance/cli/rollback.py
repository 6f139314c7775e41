"""policy rollback."""

from __future__ import annotations

from datetime import datetime

import typer

from governance import configuration, moments, policies, presenters, restoring, rollbacks, simulation
from governance.cli import runs, simulations
from governance.cli.output import Exit, Output, end, operator
from governance.models import Plan, Rollback
from governance.rollbacks import Asked
from tenants.models import Group

Way = Rollback.Way


def rollback(out: Output, group: Group, asked: Asked, *, apply: bool, timeout: float, at: datetime) -> None:
    """Show what would bring the tenants back, and with `apply` do it.

    Ends with DIFFERENT if only shown, with DECISION where a person has to approve the plan.
    """
    try:
        row = rollbacks.prepare(group, asked, actor=operator(), at=at)
    except restoring.NothingToRestore as nothing:
        told = str(nothing)
        document = {"snapshot": asked.snapshot, "tenants": [], "left_out": nothing.left_out, "says": told}
        out.answer(document, lambda: out.say(told))
        return
    except rollbacks.RollbackRefused as refusal:
        out.stop(Exit.USAGE, refusal.reason)
    row.simulation = simulation.run(row.simulation_id, at=at)
    if row.simulation.error:
        out.stop(Exit.FAILED, row.simulation.error)
    if not apply:
        out.answer(presenters.rollback(row), lambda: _show(out, row))
        end(Exit.DIFFERENT)
    _carry_out(out, row, rollbacks.apply(row, actor=operator(), at=at), timeout=timeout, at=at)


def ending(text: str, *, at: datetime) -> datetime:
    """A time ahead as people write it."""
    try:
        return moments.ending(text, at=at)
    except moments.MomentError as error:
        raise typer.BadParameter(str(error)) from error


def _carry_out(out: Output, row: Rollback, plan: Plan | None, *, timeout: float, at: datetime) -> None:
    out.say(f"{row.name} binds {len(row.tenants)} tenants. {_given_way(row)}")
    _say_under_way(out, row)
    if plan is None:
        told = "No tenant is free to be changed now; a later run plans them."
        out.answer(presenters.rollback(row), lambda: out.say(told))
        return
    if plan.needs_approval:
        out.answer(presenters.rollback(row), lambda: out.say(f"{plan} waits for approval."))
        end(Exit.DECISION)
    runs.enforce(out, row.group, [row.name], dry_run=False, timeout=timeout, at=at)


def _show(out: Output, row: Rollback) -> None:
    (baseline,) = row.simulation.supposed["policies"]
    out.console.print(configuration.dump(policies.as_written(baseline)), markup=False)
    simulations.show(out, row.simulation)
    against = [
        [one["policy"], one["rule"], one["says"], len(one["tenants"]), one["way"]] for one in row.policies
    ]
    headings = ("policy", "rule", "wants", "tenants", "gives way")
    out.table("Policies that would undo it", headings, against)
    for place, kind in enumerate(row.simulation.outcome["order"], start=1):
        rows = [[step["plugin"], step["from"] or "–", step["to"] or "–"] for step in kind["steps"]]
        out.table(f"In this order, {place}: {', '.join(kind['tenants'][:5])}", ("plugin", "from", "to"), rows)
    for one in row.left_out:
        out.say(f"Not brought back: {one['plugin']} in {one['tenant']}, since {one['reason']}", "yellow")
    _say_under_way(out, row)
    out.say(f"{_given_way(row)} Nothing is done yet. --yes does it.")


def _say_under_way(out: Output, row: Rollback) -> None:
    if told := restoring.under_way_in_words(row.left_out):
        out.say(told, "yellow")


def _given_way(row: Rollback) -> str:
    paused, exempt = (", ".join(rollbacks.given_way(row, way)) for way in (Way.PAUSE, Way.EXEMPT))
    told = [f"Paused for it: {paused}."] if paused else []
    told += [f"Exempt until {row.until:%Y-%m-%d} from {exempt}."] if exempt else []
    return " ".join(told) or "No policy has to give way."
