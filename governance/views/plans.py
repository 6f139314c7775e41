"""Plans: all of them, one with its tasks as they go, and what a person may do with it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_filters import ChoiceFilter, FilterSet

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.charts import Part, stack
from config.listing import listing
from config.rendering import redirect_to, render_page
from config.tones import tone
from governance import flags, maintenance, plans, rings, waiting
from governance.documents import ConfigurationError
from governance.models import Plan, UpgradeTask
from governance.models.plan import NOT_STARTED, UNAPPROVED, UNFINISHED, PlanQuerySet
from governance.simulation import Supposition
from governance.views.simulations import ask
from tenants.models import Group

_SHOWN_CONFLICTS = 5


class PlanFilter(FilterSet):
    """How the list of plans may be narrowed."""

    status = ChoiceFilter(
        label="Status",
        empty_label="Any",
        choices=[*Plan.Status.choices, *Plan.Standing.choices],
        method="narrow",
    )

    def narrow(self, rows: PlanQuerySet[Plan], _name: str, value: str) -> PlanQuerySet[Plan]:
        """Those in a state, or those that wait for the same."""
        return rows.that_stand(value) if value in Plan.Standing else rows.filter(status=value)

    class Meta:
        model = Plan
        fields: tuple[str, ...] = ()


class TaskFilter(FilterSet):
    """How a plan's tasks may be narrowed."""

    status = ChoiceFilter(label="Status", empty_label="Any", choices=UpgradeTask.Status.choices)

    class Meta:
        model = UpgradeTask
        fields: tuple[str, ...] = ()


@require_GET
@requires(Permission.GROUP_VIEW)
def plan_list(request: ConsoleRequest) -> HttpResponse:
    """The group's plans with how far each has got."""
    rows = listing(
        request,
        Plan.objects.within(request.access)
        .with_standing()
        .annotate(
            task_count=Count("tasks"),
            finished=Count("tasks", filter=~Q(tasks__status__in=UNFINISHED)),
            failed=Count("tasks", filter=Q(tasks__status__in=["given_up", "verify_failed"])),
        ),
        name="plans",
        noun=("plan", "plans"),
        search=("title", "created_by_name"),
        filterset_class=PlanFilter,
        sorts={"number": ("number",), "tasks": ("task_count", "number"), "status": ("status", "number")},
        default="-number",
    )
    return render_page(
        request,
        "governance/plans/list.html",
        {
            "listing": rows,
            "group": (group := Group.objects.get(pk=request.access.group_id)),
            "freeze": maintenance.freeze_at(group, timezone.now()),
            "may_operate": request.access.allows(Permission.PLAN_OPERATE),
        },
        fragments={"plans": "governance/plans/_table.html"},
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def plan_detail(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """One plan: its progress, which renews itself while tasks are under way, and its tasks."""
    related = Plan.objects.within(request.access).select_related("simulation", "rolls_back")
    unread = ("outcome", "findings", "inputs", "supposed")
    plan = get_object_or_404(related.defer(*(f"simulation__{name}" for name in unread)), pk=pk)
    rows = listing(
        request,
        UpgradeTask.objects.within(request.access).filter(plan=plan).select_related("tenant", "plan"),
        name="tasks",
        noun=("upgrade task", "upgrade tasks"),
        search=("tenant__key", "detail"),
        filterset_class=TaskFilter,
        sorts={
            "tenant": ("tenant__key",),
            "status": ("status", "tenant__key"),
            "queue": ("ring", "queue_at"),
            "due": ("due_at", "tenant__key"),
        },
        default="queue",
    )
    waiting.say(plan.group, rows.rows, at=timezone.now())
    context = {"plan": plan, "listing": rows, "made_in": plan.runs.order_by("number").first()}
    context |= {**_standing(plan), **_progress(plan), **_allowed(request, plan)}
    return render_page(
        request,
        "governance/plans/detail.html",
        context,
        fragments={"tasks": "governance/plans/_tasks.html", "progress": "governance/plans/_progress.html"},
    )


def _standing(plan: Plan) -> dict[str, Any]:
    """What it waits for: a few of the conflicts, and how many more there are."""
    if plan.status not in UNAPPROVED:
        return {"waits_for": []}
    found = plan.waits_for().order_by("found_at", "pk")
    shown = list(found[:_SHOWN_CONFLICTS])
    plan.undecided = bool(shown)
    return {"waits_for": shown, "waits_for_more": found.count() - len(shown) if shown else 0}


def _progress(plan: Plan) -> dict[str, Any]:
    """How far the plan's tasks are."""
    counts = dict(plan.tasks.order_by().values_list("status").annotate(count=Count("pk")))
    known = [status for status in UpgradeTask.Status if counts.get(status)]
    unfinished = sum(counts.get(status, 0) for status in UNFINISHED)
    return {
        "unfinished": unfinished,
        "freeze": maintenance.freeze_at(plan.group, timezone.now()) if unfinished else None,
        "total": sum(counts.values()),
        "progress": stack(
            [Part(status.label, counts[status], tone(status)) for status in known],
            title=f"Upgrade tasks of {plan}",
        ),
        "taken_back_by": plan.taken_back_by.order_by("number"),
        "rings": rings.names(plan),
    }


def _allowed(request: ConsoleRequest, plan: Plan) -> dict[str, bool]:
    """What the person may do with the plan."""
    approves = request.access.allows(Permission.PLAN_APPROVE) and plan.author_id != request.actor.id
    return {
        "not_started": plan.status in NOT_STARTED,
        "unapproved": plan.status in UNAPPROVED,
        "may_start": not plan.needs_approval or plan.status == Plan.Status.APPROVED,
        "may_approve": approves and plan.needs_approval,
        "may_operate": request.access.allows(Permission.PLAN_OPERATE),
        "may_simulate": request.access.allows(Permission.POLICY_SIMULATE),
        "may_roll_back": request.access.allows(Permission.ROLLBACK_OPERATE) and plan.started_at is not None,
    }


@require_POST
@requires(Permission.PLAN_OPERATE)
def plan_start(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Begin to hand the plan's tasks over."""
    plan = get_object_or_404(Plan.objects.within(request.access), pk=pk)
    try:
        plans.start(plan, actor=request.actor, at=timezone.now())
    except (flags.FlagOff, plans.WorldMoved, plans.NeedsApproval) as refusal:
        messages.error(request, str(refusal))
    else:
        queue.enqueue("governance.jobs.follow_up", group_id=plan.group_id)
        messages.success(request, f"{plan} has started.")
    return redirect_to(request, "plan_detail", plan.pk)


@require_POST
@requires(Permission.POLICY_SIMULATE)
def plan_simulate(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Have a worker work out what the plan would do; it stays with the plan."""
    plan = get_object_or_404(Plan.objects.within(request.access).select_related("group"), pk=pk)
    try:
        asked = ask(request, plan.group, Supposition(plan=plan.number), title=f"{plan} carried out")
    except (flags.FlagOff, ConfigurationError) as refusal:
        messages.error(request, str(refusal))
        return redirect_to(request, "plan_detail", plan.pk)
    return redirect_to(request, "simulation_detail", asked.pk)


@require_POST
@requires(Permission.PLAN_APPROVE)
def plan_approve(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Let a plan that someone else made be started."""
    plan = get_object_or_404(Plan.objects.within(request.access), pk=pk)
    reason = request.POST.get("reason", "").strip()[:1000]
    try:
        plans.approve(plan, actor=request.actor, at=timezone.now(), reason=reason)
    except plans.FourEyes as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{plan} is approved.")
    return redirect_to(request, "plan_detail", plan.pk)


@require_POST
@requires(Permission.PLAN_OPERATE)
def plan_pause(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Hand nothing more over until the plan is resumed."""
    plan = get_object_or_404(Plan.objects.within(request.access), pk=pk)
    reason = request.POST.get("reason", "").strip()[:1000]
    if reason:
        plans.pause(plan, actor=request.actor, at=timezone.now(), reason=reason)
        messages.success(request, f"{plan} is paused. What was handed over goes on.")
    else:
        messages.error(request, f"Say why it is to pause: whoever waits for it reads that. {plan} goes on.")
    return redirect_to(request, "plan_detail", plan.pk)


@require_POST
@requires(Permission.PLAN_OPERATE)
def plan_resume(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Go on with a paused plan."""
    plan = get_object_or_404(Plan.objects.within(request.access), pk=pk)
    try:
        plans.resume(plan, actor=request.actor, at=timezone.now())
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
    else:
        queue.enqueue("governance.jobs.follow_up", group_id=plan.group_id)
        messages.success(request, f"{plan} goes on.")
    return redirect_to(request, "plan_detail", plan.pk)


@require_POST
@requires(Permission.PLAN_OPERATE)
def plan_cancel(request: ConsoleRequest, pk: UUID) -> HttpResponse:
    """Drop what wasn't handed over yet, and ask the orchestrator to drop the rest."""
    plan = get_object_or_404(Plan.objects.within(request.access), pk=pk)
    plans.cancel(plan, actor=request.actor, at=timezone.now())
    queue.enqueue("governance.jobs.follow_up", group_id=plan.group_id)
    messages.success(
        request,
        f"{plan} is cancelled. The orchestrator is asked to drop what it has; what it can’t stop goes on.",
    )
    return redirect_to(request, "plan_detail", plan.pk)
