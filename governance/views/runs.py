"""Runs of the loop: all of them, one with its stages, and a new one."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django_filters import ChoiceFilter, FilterSet

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import flags, outlook, pipeline, run_wording
from governance.models import Conflict, ManifestSource, Run
from governance.models.snapshot import Trigger
from tenants.models import Group


class RunFilter(FilterSet):
    """How the list of runs may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=Run.Status.choices)

    class Meta:
        model = Run
        fields: tuple[str, ...] = ()


@require_GET
@requires(Permission.GROUP_VIEW)
def run_list(request: ConsoleRequest) -> HttpResponse:
    """The group's runs."""
    rows = listing(
        request,
        Run.objects.within(request.access).select_related("plan"),
        name="runs",
        noun=("run", "runs"),
        search=("started_by_name",),
        filterset_class=RunFilter,
        sorts={"number": ("number",), "status": ("status", "number")},
        default="-number",
    )
    return render_page(
        request,
        "governance/runs/list.html",
        {"listing": rows, "may_run": request.access.allows(Permission.POLICY_ENFORCE)},
        fragments={"runs": "governance/runs/_table.html"},
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def run_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One run: what each stage did, which renews itself while it is under way."""
    run = get_object_or_404(Run.objects.within(request.access).select_related("plan"), pk=pk)
    stages = [(stage, run.figures.get(stage.value)) for stage in Run.Stage if stage != Run.Stage.DONE]
    conflicts = Conflict.objects.within(request.access).filter(run=run).order_by("-found_at", "pk")
    under_way = run.status in {Run.Status.RUNNING, Run.Status.ACTING}
    context = {
        "run": run,
        "stages": [
            (stage, figures, (figures or {}).get("seconds"), run_wording.told(stage, figures or {}))
            for stage, figures in stages
        ],
        "under_way": under_way,
        # Once the last conflict is decided, a worker is about to carry the run on.
        "moves": under_way or (run.status == Run.Status.NEEDS_DECISION and not conflicts.waiting().exists()),
        "conflicts": conflicts[:50],
        "left": run_wording.left(run),
        "failing_sources": ManifestSource.objects.within(request.access).exclude(last_error=""),
        "may_run": request.access.allows(Permission.POLICY_ENFORCE),
    }
    return render_page(
        request,
        "governance/runs/detail.html",
        context,
        fragments={"run": "governance/runs/_run.html"},
    )


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_ENFORCE)
def run_start(request: ConsoleRequest) -> HttpResponse:
    """What a run would set going, to be read first; asked for, it begins, and the worker carries it on."""
    group = Group.objects.get(pk=request.access.group_id)
    if request.method == "GET":
        context = {"outlook": outlook.of_group(group, at=timezone.now()), "group": group}
        return render_page(request, "governance/runs/start.html", context)
    try:
        with transaction.atomic():
            run = pipeline.start_run(
                group,
                trigger=Trigger.HAND,
                actor=request.actor,
                at=timezone.now(),
                dry_run="dry_run" in request.POST,
            )
            queue.enqueue("governance.jobs.advance_run", run_id=str(run.pk))
    except pipeline.RunUnderWay as refusal:
        messages.warning(request, str(refusal))
        return redirect_to(request, "run_detail", refusal.run.pk)
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
        return redirect_to(request, "run_list")
    messages.success(request, f"{run} has started.")
    return redirect_to(request, "run_detail", run.pk)


@require_POST
@requires(Permission.POLICY_ENFORCE)
def run_cancel(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Give a run up."""
    run = get_object_or_404(Run.objects.within(request.access), pk=pk)
    pipeline.cancel_run(run, actor=request.actor, at=timezone.now())
    messages.success(request, f"{run} is cancelled. What its plan handed over goes on.")
    return redirect_to(request, "run_detail", run.pk)
