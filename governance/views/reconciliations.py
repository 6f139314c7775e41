"""Reconciliation: what the last one found, a new one, and the repair of what has one right answer."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import reconciliation

_SHOWN = 200
_ASKED = "reconciliation_asked"  # when this person last asked for one, to wait for it


@require_GET
@requires(Permission.RECONCILE, Permission.LEDGER_VIEW)
def reconciliation_detail(request: ConsoleRequest) -> HttpResponse:
    """The last result, with each disagreement, what both sides say, and what is done about it."""
    row = reconciliation.last(request.access)
    found = row.disagreements if row else []
    asked = request.session.get(_ASKED, "")
    context = {
        "reconciliation": row,
        "disagreements": found[:_SHOWN],
        "more": len(found) - _SHOWN,
        "mendable": sum(one["mends"] and not one["repaired"] for one in found),
        "kinds": reconciliation.KINDS,
        "may_reconcile": request.access.allows(Permission.RECONCILE),
        "waiting": asked and (row is None or row.at.isoformat() < asked),
    }
    return render_page(
        request,
        "governance/reconciliations/detail.html",
        context,
        fragments={"reconciliation": "governance/reconciliations/_result.html"},
    )


@require_POST
@requires(Permission.RECONCILE)
def reconciliation_run(request: ConsoleRequest) -> HttpResponse:
    """Have a worker compare all that should agree, with `all` ever since, and with `apply` repair it."""
    apply, whole = request.POST.get("apply") == "yes", request.POST.get("all") == "yes"
    actor, asked_at = request.actor, timezone.now().isoformat()
    request.session[_ASKED] = asked_at
    queue.enqueue(
        "governance.jobs.reconcile",
        group_id=request.access.group_id,
        apply=apply,
        whole=whole,
        person_id=actor.id,
        person=actor.name,
        asked_at=asked_at,
    )
    told = "A worker compares all that should agree" + (", and repairs it" if apply else "")
    messages.success(request, f"{told}. Its result shows up here.")
    return redirect_to(request, "reconciliation_detail")
