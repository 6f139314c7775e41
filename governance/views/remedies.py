"""Turning a way out of a conflict into exemptions, a hold's change or a policy's draft."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import remedies, ways_out
from governance.documents import ConfigurationError
from governance.exemptions import ExemptionRefused
from governance.forms.remedies import DraftForm, ExemptionsForm
from governance.models import Conflict, PolicyVersion
from governance.remedies import RemedyRefused
from governance.ways_out import Kind, Remedy, Way

_REFUSALS = (RemedyRefused, ExemptionRefused, ConfigurationError)


@require_http_methods(["GET", "POST"])
@requires(Permission.EXEMPTION_REQUEST)
def conflict_exemptions(request: ConsoleRequest, pk: UUID, number: int) -> HttpResponse:
    """Ask for the exemptions that a way out comes to."""
    conflict, way = _reached(request, pk, number)
    form = ExemptionsForm(request.POST or None, conflict=conflict, way=way, at=timezone.now())
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            asked = remedies.ask_for_exemptions(
                conflict,
                way,
                reason=given["reason"],
                expires_at=given["until"],
                actor=request.actor,
                at=form.at,
            )
        except _REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            count = f"{len(asked)} exemption{'' if len(asked) == 1 else 's'}"
            messages.success(request, f"Asked for {count}. Someone else decides about it now.")
            return redirect_to(request, "conflict_detail", conflict.pk)
    return _page(request, conflict, way, Kind.EXEMPTIONS, form)


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_EDIT)
def conflict_hold(request: ConsoleRequest, pk: UUID, number: int) -> HttpResponse:
    """Draft the holds of a way out without the tenants touched."""
    return _draft(request, pk, number, Kind.HOLD)


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_EDIT)
def conflict_draft(request: ConsoleRequest, pk: UUID, number: int) -> HttpResponse:
    """Draft the policies of a way out with a variant for the tenants touched."""
    return _draft(request, pk, number, Kind.DRAFT)


def _draft(request: ConsoleRequest, pk: UUID, number: int, kind: Kind) -> HttpResponse:
    conflict, way = _reached(request, pk, number)
    form = DraftForm(request.POST or None, conflict=conflict, way=way, at=timezone.now())
    if request.method == "POST" and form.is_valid():
        comment = form.cleaned_data["reason"]
        try:
            drafts = remedies.draft(conflict, way, kind, comment=comment, actor=request.actor, at=form.at)
        except _REFUSALS as refusal:
            form.add_error(None, str(refusal))
        else:
            return _lead_on(request, conflict, drafts)
    return _page(request, conflict, way, kind, form)


def _lead_on(request: ConsoleRequest, conflict: Conflict, drafts: Sequence[PolicyVersion]) -> HttpResponse:
    """To the editor, which begins with the draft; back to the conflict where there are several."""
    names = " and ".join(f"version {draft.number} of {draft.policy}" for draft in drafts)
    messages.success(request, f"Kept {names} as a draft. Look at its impact, and put it in force.")
    if len(drafts) == 1:
        return redirect_to(request, "policy_edit", drafts[0].policy_id)
    return redirect_to(request, "conflict_detail", conflict.pk)


def _reached(request: ConsoleRequest, pk: UUID, number: int) -> tuple[Conflict, Way]:
    rows = Conflict.objects.within(request.access).select_related("group", "plugin")
    conflict = get_object_or_404(rows, pk=pk)
    for way in ways_out.ways(conflict):
        if way.number == number:
            return conflict, way
    raise Http404


def _page(request: ConsoleRequest, conflict: Conflict, way: Way, kind: Kind, form: DraftForm) -> HttpResponse:
    remedy = way.remedies.get(kind)
    is_open = conflict.status == Conflict.Status.OPEN
    steps, refused = _steps(conflict, way, remedy, form) if remedy and is_open else ([], "")
    context: dict[str, Any] = {
        "conflict": conflict,
        "way": way,
        "kind": kind.value,
        "remedy": remedy,
        "steps": steps,
        "refused": refused,
        "form": form,
        "is_open": is_open,
    }
    status = 422 if form.errors else 200
    return render_page(request, "governance/conflicts/remedy.html", context, status=status)


def _steps(conflict: Conflict, way: Way, remedy: Remedy, form: DraftForm) -> tuple[list[str], str]:
    """What the change comes to, and why it can't be had."""
    try:
        return remedies.steps(conflict, way, remedy, at=form.at), ""
    except remedies.RemedyRefused as refusal:
        return [], str(refusal)
