"""Simulations: all of them, and one with what would come of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Func, IntegerField, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_GET

from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import render_page
from governance import configuration, policies
from governance.models import Simulation, Snapshot


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
        sorts={
            "number": ("number",),
            "snapshot": ("snapshot_number", "number"),
            "opened": ("opened", "number"),
            "closed": ("closed", "number"),
            "conflicts": ("conflict_count", "number"),
        },
        default="-number",
    )
    return render_page(
        request,
        "governance/simulations/list.html",
        {"listing": rows, "may_edit": request.access.allows(Permission.POLICY_EDIT)},
        fragments={"simulations": "governance/simulations/_table.html"},
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def simulation_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """What was supposed, and what would come of it."""
    simulation = get_object_or_404(Simulation.objects.within(request.access), pk=pk)
    snapshots = Snapshot.objects.within(request.access).filter(number=simulation.snapshot_number)
    alike = Simulation.objects.within(request.access).filter(inputs_digest=simulation.inputs_digest)
    texts = _texts(simulation.inputs)
    context = {
        "simulation": simulation,
        "snapshot": snapshots.first(),
        "as_of": datetime.fromisoformat(simulation.inputs["at"]),
        "supposes": [name for name, _text in texts] + _gone(simulation.inputs),
        "texts": texts,
        "same": alike.exclude(pk=simulation.pk).order_by("-number")[:5],
    }
    return render_page(request, "governance/simulations/detail.html", context)


def _with_figures(request: ConsoleRequest) -> QuerySet[Simulation]:
    """The simulations, with what is listed of their outcomes and without all the rest of these."""
    rows = Simulation.objects.within(request.access)
    return rows.defer("outcome", "inputs").annotate(
        opened=Cast(KT("outcome__difference__opened"), IntegerField()),
        closed=Cast(KT("outcome__difference__closed"), IntegerField()),
        conflict_count=Func("outcome__conflicts", function="jsonb_array_length", output_field=IntegerField()),
    )


def _texts(inputs: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and text of each policy, profile and exemption that was supposed."""
    named = [
        *((f"policy {document['name']}", policies.as_written(document)) for document in inputs["policies"]),
        *((f"profile {document['name']}", document) for document in inputs["profiles"]),
        *((f"exemption {document['name']}", document) for document in inputs["exemptions"]),
    ]
    return [(name, configuration.dump(document)) for name, document in named]


def _gone(inputs: dict[str, Any]) -> list[str]:
    """What was supposed not to be there."""
    return [
        *(f"no policy {name}" for name in inputs["retired"]),
        *(f"no exemption {name}" for name in inputs["ended"]),
    ]
