"""Rollbacks: all of them, a new one, and one with what would come of it and what gives way to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import flags, restoring, rollbacks, simulation
from governance.documents import ConfigurationError
from governance.forms.rollbacks import WAY_OF, RollbackForm, chosen
from governance.models import Rollback
from governance.restoring import Scope
from governance.rollbacks import Asked
from governance.views.simulations import progress
from tenants.models import Group

_REFUSALS = (
    restoring.NothingToRestore,
    rollbacks.RollbackRefused,
    flags.FlagOff,
    ConfigurationError,
    ObjectDoesNotExist,
)
_NUMBERS = ("snapshot", "plan", "again")


@require_GET
@requires(Permission.GROUP_VIEW)
def rollback_list(request: ConsoleRequest) -> HttpResponse:
    """The group's rollbacks."""
    rows = listing(
        request,
        Rollback.objects.within(request.access)
        .select_related("simulation", "of_plan")
        .defer("policies", "left_out", "simulation__outcome", "simulation__findings", "simulation__inputs"),
        name="rollbacks",
        noun=("rollback", "rollbacks"),
        search=("reason", "created_by_name"),
        sorts={
            "number": ("number",),
            "snapshot": ("snapshot_number", "number"),
            "until": ("until", "number"),
        },
        default="-number",
    )
    return render_page(
        request,
        "governance/rollbacks/list.html",
        {"listing": rows, "may_roll_back": request.access.allows(Permission.ROLLBACK_OPERATE)},
        fragments={"rollbacks": "governance/rollbacks/_table.html"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.ROLLBACK_OPERATE)
def rollback_create(request: ConsoleRequest) -> HttpResponse:
    """What would go back and what stands against it; asked for, a worker works out what would come of it."""
    group, at = Group.objects.get(pk=request.access.group_id), timezone.now()
    given = {"data": request.POST} if request.method == "POST" else {"initial": _begins(request, at)}
    form = RollbackForm(group=group, at=at, **given)
    if request.method == "POST" and form.is_valid():
        try:
            row = _prepare(request, group, form.asked)
        except rollbacks.RollbackRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, refusal.reason)
        except _REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect_to(request, "rollback_detail", row.number)
    context = {"form": form, **_foreseen(group, form)}
    return render_page(
        request, "governance/rollbacks/create.html", context, status=422 if form.errors else 200
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def rollback_detail(request: ConsoleRequest, number: int) -> HttpResponse:
    """What goes back, what gives way, what would come of it, and in which order it is done."""
    row = _reached(request, number)
    context: dict[str, Any] = {
        "rollback": row,
        "before_words": rollbacks.title(row),
        "may_roll_back": request.access.allows(Permission.ROLLBACK_OPERATE),
        **progress(row.simulation),
    }
    context["given_way"] = rollbacks.given_way(row)
    context["paused"] = rollbacks.given_way(row, Rollback.Way.PAUSE)
    context["exempt"] = rollbacks.given_way(row, Rollback.Way.EXEMPT)
    if row.simulation.applied_at is None:  # afterwards it is told among what was not brought back
        context["under_way"] = restoring.under_way_in_words(row.left_out)
    if row.simulation.is_answered:
        context["verdict"] = simulation.verdict(row.simulation)
        context["order"] = row.simulation.outcome.get("order", [])
    return render_page(
        request,
        "governance/rollbacks/detail.html",
        context,
        fragments={"rollback": "governance/rollbacks/_rollback.html"},
    )


@require_POST
@requires(Permission.ROLLBACK_OPERATE)
def rollback_apply(request: ConsoleRequest, number: int) -> HttpResponse:
    """Let the policies give way, and draft the plan that takes the tenants back."""
    row = _reached(request, number)
    try:
        plan = rollbacks.apply(row, actor=request.actor, at=timezone.now())
    except simulation.Outdated as outdated:
        messages.error(request, str(outdated))
        return redirect_to(request, "rollback_create", query=f"again={row.number}")
    except (flags.FlagOff, ConfigurationError) as refusal:
        messages.error(request, str(refusal))
        return redirect_to(request, "rollback_detail", row.number)
    if under_way := restoring.under_way_in_words(row.left_out):
        messages.warning(request, under_way)
    if plan is None:
        messages.success(request, "It is wanted back. No tenant is free to be changed now; a run plans them.")
        return redirect_to(request, "rollback_detail", row.number)
    messages.success(request, f"It is wanted back, and {plan} is drafted.")
    return redirect_to(request, "plan_detail", plan.pk)


@transaction.atomic
def _prepare(request: ConsoleRequest, group: Group, asked: Asked) -> Rollback:
    row = rollbacks.prepare(group, asked, actor=request.actor, at=timezone.now())
    queue.enqueue("governance.jobs.run_simulation", simulation_id=str(row.simulation_id))
    return row


def _reached(request: ConsoleRequest, number: int) -> Rollback:
    rows = Rollback.objects.within(request.access).select_related(
        "group", "of_plan", "simulation__group", "simulation__plan", "baseline"
    )
    return get_object_or_404(rows.defer("simulation__findings"), number=number)


def _begins(request: ConsoleRequest, at: datetime) -> dict[str, Any]:
    """What the page that leads here asks for: a state, or what another rollback asked for, once again."""
    given = {name: int(request.GET[name]) for name in _NUMBERS if request.GET.get(name, "").isdecimal()}
    again = given.pop("again", None)
    return given if again is None else chosen(_reached(request, again), at=at)


def _foreseen(group: Group, form: RollbackForm) -> dict[str, Any]:
    """What would go back, as far as the form says what is wanted; else why it can't be told."""
    asked = _asked(form)
    if asked is None:
        return {}
    try:
        restoration = rollbacks.foresee(group, asked, at=form.at)
    except restoring.NothingToRestore as nothing:
        told = restoring.under_way_in_words(nothing.left_out)
        return {"nothing": str(nothing), "left_out": nothing.left_out, "under_way": told}
    except (rollbacks.RollbackRefused, ObjectDoesNotExist):
        return {}
    return {
        "tenants": restoration.tenants,
        "changes": len(restoration.wanted),
        "opposing": [one.as_json() for one in restoration.opposing],
        "ways": {one.rule.policy: form.ways.get(one.rule.policy, "") for one in restoration.opposing},
        "way_of": WAY_OF,
        "left_out": restoration.left_out,
        "under_way": restoring.under_way_in_words(restoration.left_out),
    }


def _asked(form: RollbackForm) -> Asked | None:
    if form.is_bound:
        return form.asked if form.is_valid() else None
    first = RollbackForm(
        {**form.initial, "way": Rollback.Way.EXEMPT, "reason": "-"}, group=form.group, at=form.at
    )
    if not first.is_valid():
        return None
    asked = first.asked
    return Asked(
        snapshot=asked.snapshot, scope=Scope(tenant_keys=asked.scope.tenant_keys, plan=asked.scope.plan)
    )
