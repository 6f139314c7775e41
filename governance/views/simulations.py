"""Simulations: all of them, a new one, and one with what would come of it, its files and its application."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import IntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import configuration, flags, simulation
from governance.documents import ConfigurationError
from governance.forms.simulations import ApplyForm, SimulationFilter, SupposeForm, begins
from governance.models import Simulation, Snapshot
from governance.simulation import Supposition
from tenants.models import Group

Status = Simulation.Status


@require_GET
@requires(Permission.GROUP_VIEW)
def simulation_list(request: ConsoleRequest) -> HttpResponse:
    """The group's simulations."""
    rows = listing(
        request,
        _with_figures(request),
        name="simulations",
        noun=("simulation", "simulations"),
        search=("title", "created_by_name"),
        filterset_class=SimulationFilter,
        sorts={
            "number": ("number",),
            "status": ("status", "number"),
            "snapshot": ("snapshot_number", "number"),
            "opened": ("opened", "number"),
            "closed": ("closed", "number"),
            "conflicts": ("new_conflicts", "number"),
        },
        default="-number",
    )
    return render_page(
        request,
        "governance/simulations/list.html",
        {"listing": rows, "may_simulate": request.access.allows(Permission.POLICY_SIMULATE)},
        fragments={"simulations": "governance/simulations/_table.html"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_SIMULATE)
def simulation_create(request: ConsoleRequest) -> HttpResponse:
    """Ask what would happen; a worker works it out."""
    group = Group.objects.get(pk=request.access.group_id)
    given = {"initial": begins(request.GET)} if request.method == "GET" else {"data": request.POST}
    form = SupposeForm(group=group, at=timezone.now(), **given)
    if request.method == "POST" and form.is_valid():
        try:
            asked = ask(request, group, form.what, title=form.cleaned_data["title"])
        except flags.FlagOff as refusal:
            messages.error(request, str(refusal))
        else:
            return redirect_to(request, "simulation_detail", asked.pk)
    context = {"form": form}
    status = 422 if form.errors else 200
    return render_page(request, "governance/simulations/create.html", context, status=status)


@require_GET
@requires(Permission.GROUP_VIEW)
def simulation_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """What was supposed, and what would come of it; while it is worked out, how far it is."""
    row = _reached(request, pk)
    may = {"may_simulate": request.access.allows(Permission.POLICY_SIMULATE)}
    texts = [(name, configuration.dump(document)) for name, document in simulation.texts(row.supposed)]
    supposed = {
        "texts": texts,
        "edits": simulation.edits(row),
        "gone": simulation.gone(row.group, row.supposed),
    }
    context = {**progress(row), **may, **supposed}
    if row.is_answered:
        context |= _answered(request, row)
    return render_page(
        request,
        "governance/simulations/detail.html",
        context,
        fragments={
            "simulation": "governance/simulations/_simulation.html",
            "preview": "governance/policies/_preview.html",
        },
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def simulation_download(request: ConsoleRequest, pk: UUID, kind: str) -> HttpResponse:
    """One of the simulation's files."""
    row = get_object_or_404(Simulation.objects.within(request.access), pk=pk)
    if kind not in simulation.KINDS or not row.is_answered:
        raise Http404
    file = simulation.export(row, kind)
    disposition = f'attachment; filename="{file.name}"'
    return HttpResponse(
        file.content, content_type=file.content_type, headers={"Content-Disposition": disposition}
    )


@require_POST
@requires(Permission.POLICY_SIMULATE)
def simulation_repeat(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Ask the same again, of the world as it is by now."""
    row = _reached(request, pk)
    try:
        asked = ask(request, row.group, simulation.of_document(row.supposed), title=row.title)
    except (flags.FlagOff, ConfigurationError) as refusal:
        messages.error(request, f"It can’t be asked again as it is: {refusal}")
        return redirect_to(request, "simulation_detail", row.pk)
    return redirect_to(request, "simulation_detail", asked.pk)


@require_POST
@requires(Permission.POLICY_EDIT)
def simulation_apply(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Put in force what was supposed, and draft the plan of it."""
    row = _reached(request, pk)
    form = ApplyForm(request.POST)
    comment = form.cleaned_data["comment"] if form.is_valid() else ""
    if refusal := _refusal(request, row):
        messages.error(request, refusal)
        return redirect_to(request, "simulation_detail", row.pk)
    try:
        plan = simulation.apply(row, actor=request.actor, at=timezone.now(), comment=comment)
    except (
        simulation.Outdated,
        simulation.NotApplicable,
        simulation.NeedsAnother,
        flags.FlagOff,
        ConfigurationError,
    ) as hindered:
        messages.error(request, str(hindered))
        return redirect_to(request, "simulation_detail", row.pk)
    if plan is None:
        messages.success(request, "It is in force. No policy has to act, so there is no plan.")
        return redirect_to(request, "simulation_detail", row.pk)
    messages.success(request, f"It is in force, and {plan} is drafted.")
    return redirect_to(request, "plan_detail", plan.pk)


@transaction.atomic
def ask(request: ConsoleRequest, group: Group, what: Supposition, *, title: str) -> Simulation:
    """Ask for a simulation and have a worker answer it. Raises ConfigurationError and FlagOff."""
    asked = simulation.request(group, what, at=timezone.now(), actor=request.actor, title=title)
    queue.enqueue("governance.jobs.run_simulation", simulation_id=str(asked.pk))
    return asked


def progress(row: Simulation) -> dict[str, Any]:
    """The simulation, and how far it probably is while it is worked out."""
    told: dict[str, Any] = {"simulation": row, "outcome": row.outcome}
    if row.is_answered:
        told["before_column"], told["after_column"] = simulation.columns(row)
        told["later"] = simulation.in_later_plans(row)
        told["decisions"] = simulation.decisions(row)
    if row.is_under_way:
        since = row.started_at or row.created_at
        told["seconds"] = max(0, int((timezone.now() - since).total_seconds()))
        told["usual"] = simulation.usual_seconds(row.group)
    return told


def _answered(request: ConsoleRequest, row: Simulation) -> dict[str, Any]:
    snapshots = Snapshot.objects.within(request.access).filter(number=row.snapshot_number)
    alike = Simulation.objects.within(request.access).filter(inputs_digest=row.inputs_digest)
    return {
        "snapshot": snapshots.first(),
        "as_of": datetime.fromisoformat(row.inputs["at"]),
        "verdict": simulation.verdict(row),
        "warnings": simulation.warnings(row),
        "same": alike.exclude(pk=row.pk).order_by("-number")[:5],
        "form": ApplyForm(),
        "hindrance": simulation.hindrance(row),
        "refusal": _refusal(request, row),
        "outdated": simulation.outdated(row, at=timezone.now()) if row.status == Status.READY else None,
    }


def _refusal(request: ConsoleRequest, row: Simulation) -> str:
    """Why this person can't apply it, in words; empty if they can."""
    needed, may = [Permission.POLICY_EDIT], "edit policies"
    if simulation.grants(row):
        needed, may = [*needed, Permission.EXEMPTION_DECIDE], "edit policies and decide about exemptions"
    if not all(map(request.access.allows, needed)):
        return f"Those who may {may} can put in force what was supposed."
    return str(simulation.NeedsAnother()) if simulation.needs_another(row, request.actor) else ""


def _reached(request: ConsoleRequest, pk: UUID) -> Simulation:
    rows = Simulation.objects.within(request.access).select_related("group", "plan").defer("findings")
    return get_object_or_404(rows, pk=pk)


def _with_figures(request: ConsoleRequest) -> QuerySet[Simulation]:
    """The simulations, with what is listed of their outcomes and without all the rest of these."""
    rows = Simulation.objects.within(request.access)
    return rows.defer("outcome", "inputs", "supposed", "findings").annotate(
        opened=Cast(KT("outcome__difference__opened"), IntegerField()),
        closed=Cast(KT("outcome__difference__closed"), IntegerField()),
        new_conflicts=Cast(KT("outcome__difference__conflicts_new"), IntegerField()),
    )
