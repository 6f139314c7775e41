"""Decisions: the conflicts that need one, and recording it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_filters import ChoiceFilter, FilterSet

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import Listing, listing
from config.rendering import redirect_to, render_page
from governance import choosing, conflicts, flags, ways_out
from governance.conflicts import DecisionRefused
from governance.forms.conflicts import DecideForm, ReopenForm, way_out
from governance.models import Conflict, ConflictTenant, Plugin, Policy

SHOWN_EXEMPTIONS = 25


class ConflictFilter(FilterSet):
    """How the list of conflicts may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=Conflict.Status.choices)

    class Meta:
        model = Conflict
        fields: tuple[str, ...] = ()


@require_GET
@requires(Permission.GROUP_VIEW)
def conflict_list(request: ConsoleRequest) -> HttpResponse:
    """The group's conflicts, those that need a decision first."""
    found = Conflict.objects.within(request.access).select_related("plugin", "run")
    rows = listing(
        request,
        found.annotate(tenant_count=Count("touched")),
        name="conflicts",
        noun=("conflict", "conflicts"),
        search=("plugin__name", "explanation__summary"),
        filterset_class=ConflictFilter,
        sorts={
            "plugin": ("plugin__name", "found_at"),
            "status": ("status", "found_at"),
            "tenants": ("tenant_count", "found_at"),
            "found": ("found_at",),
        },
        default="-status",
    )
    return render_page(
        request,
        "governance/conflicts/list.html",
        {"listing": rows},
        fragments={"conflicts": "governance/conflicts/_table.html"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.GROUP_VIEW)
def conflict_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One conflict: why, whom it touches, what could be done; and the form that records a decision."""
    found = Conflict.objects.within(request.access).select_related("plugin", "run")
    conflict = get_object_or_404(found, pk=pk)
    may_decide = request.access.allows(Permission.CONFLICT_DECIDE)
    begins = way_out(conflict, request.GET.get("way", ""))
    form = DecideForm(request.POST or None, conflict=conflict, initial=begins)
    if request.method == "POST" and not may_decide:
        raise Http404
    if request.method == "POST" and form.is_valid() and (answer := _decide(request, conflict, form)):
        return answer
    context = {
        "conflict": conflict,
        "form": form,
        "reopen_form": ReopenForm(),
        "listing": _touched(request, conflict),
        "may_decide": may_decide,
        **_told(request, conflict),
    }
    return render_page(
        request,
        "governance/conflicts/detail.html",
        context,
        fragments={"touched": "governance/conflicts/_touched.html"},
        status=422 if form.errors else 200,
    )


@require_POST
@requires(Permission.CONFLICT_DECIDE)
def conflict_reopen(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Take a decision back: the conflict waits for a person again."""
    conflict = get_object_or_404(Conflict.objects.within(request.access).select_related("group"), pk=pk)
    form = ReopenForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say why the decision is taken back.")
        return redirect_to(request, "conflict_detail", conflict.pk)
    try:
        conflicts.reopen(conflict, reason=form.cleaned_data["reason"], actor=request.actor, at=timezone.now())
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The decision is taken back; the conflict waits for a person again.")
    return redirect_to(request, "conflict_detail", conflict.pk)


def _touched(request: ConsoleRequest, conflict: Conflict) -> Listing:
    """The tenants that the conflict touches."""
    rows = ConflictTenant.objects.within(request.access).filter(conflict=conflict)
    return listing(
        request,
        rows.select_related("tenant"),
        name="touched",
        noun=("tenant", "tenants"),
        search=("tenant__key",),
        sorts={"tenant": ("tenant__key",)},
        default="tenant",
    )


def _told(request: ConsoleRequest, conflict: Conflict) -> dict[str, Any]:
    """Why the rules conflict, what could be done, and what was asked for or drafted to that end."""
    policies = Policy.objects.within(request.access)
    told = conflict.sets or [{"rules": conflict.explanation["rules"], "chain": []}]
    named = {rule["policy"] for one in told for rule in one["rules"]}
    links = dict(policies.filter(name__in=named).values_list("name", "pk"))
    plugins = Plugin.objects.within(request.access).filter(name__in=conflict.stuck)
    ids = dict(plugins.values_list("name", "pk"))
    found = ways_out.ways(conflict)
    asides = {str(aside): aside for way in found for aside in way.asides}
    set_aside = {(rule["policy"], rule["key"]) for rule in conflict.set_aside}
    asked = ways_out.asked_for(conflict, asides.values()).select_related("tenant", "policy", "plugin")
    return {
        "sets": [
            {**one, "rules": [{**rule, "pk": links.get(rule["policy"])} for rule in one["rules"]]}
            for one in told
        ],
        "given_up": not conflict.sets,
        "alone": [len(one["rules"]) for one in told] == [1],
        "stuck": [(name, ids.get(name)) for name in conflict.stuck],
        "decided": conflict.decision_in_words(earlier=conflict.decided_earlier),
        "ways": found,
        "chosen": next((way.number for way in found if set(way.set_aside) == set_aside), None),
        "choices": choosing.behind(conflict, at=timezone.now()) if conflict.closed_at is None else [],
        "asked": asked.order_by("tenant__key", "policy__name", "rule_key")[:SHOWN_EXEMPTIONS],
        "drafted": ways_out.drafted(conflict).order_by("name"),
    }


def _decide(request: ConsoleRequest, conflict: Conflict, form: DecideForm) -> HttpResponse | None:
    """Record the decision; None where the form says why it isn't one."""
    try:
        with transaction.atomic():
            conflicts.decide(
                conflict,
                set_aside=form.cleaned_data["set_aside"],
                reason=form.cleaned_data["reason"],
                actor=request.actor,
                at=timezone.now(),
            )
            # The run that stood at this conflict moves on.
            queue.enqueue("governance.jobs.follow_up", group_id=conflict.group_id)
    except DecisionRefused as refusal:
        form.add_error("set_aside", str(refusal))
        return None
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Decided. The decision holds until what it rests on changes.")
    return redirect_to(request, "conflict_detail", conflict.pk)
