"""Snapshots: all of them, one, a new one, and what differs between any two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.charts import Part, stack
from config.listing import listing
from config.rendering import redirect_to, render_page
from governance import compliance, flags, snapshots
from governance.forms.snapshots import ChangeFilter, CompareForm, SnapshotFilter
from governance.models import Snapshot
from governance.models.snapshot import Trigger
from governance.snapshots import ChangeKind
from tenants.models import Group

_TONES = {
    ChangeKind.ADDED: "blue",
    ChangeKind.REMOVED: "orange",
    ChangeKind.UPGRADED: "green",
    ChangeKind.DOWNGRADED: "red",
    ChangeKind.RESPELT: "secondary",
}


@require_GET
@requires(Permission.GROUP_VIEW)
def snapshot_list(request: ConsoleRequest) -> HttpResponse:
    """The group's snapshots, the newest first."""
    rows = listing(
        request,
        Snapshot.objects.within(request.access),
        name="snapshots",
        noun=("snapshot", "snapshots"),
        filterset_class=SnapshotFilter,
        sorts={
            "number": ("number",),
            "sealed": ("sealed_at", "number"),
            "installations": ("installations", "number"),
            "opened": ("opened", "number"),
            "closed": ("closed", "number"),
            "drifting": ("drifting", "number"),
        },
        default="-number",
    )
    newest = _newest(request)
    compare = CompareForm(initial=_two(newest), newest=newest) if newest > 1 else None
    context = {
        "listing": rows,
        "compare": compare,
        "may_seal": request.access.allows(Permission.SNAPSHOT_SEAL),
        "may_roll_back": request.access.allows(Permission.ROLLBACK_OPERATE),
    }
    return render_page(
        request,
        "governance/snapshots/list.html",
        context,
        fragments={"snapshots": "governance/snapshots/_table.html"},
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def snapshot_detail(request: ConsoleRequest, number: int) -> HttpResponse:
    """One snapshot: its figures, and how it differs from the one before."""
    snapshot = get_object_or_404(Snapshot.objects.within(request.access), number=number)
    before = Snapshot.objects.within(request.access).filter(number__lt=number).order_by("-number").first()
    after = Snapshot.objects.within(request.access).filter(number__gt=number).order_by("number").first()
    context = {
        "snapshot": snapshot,
        "before": before,
        "after": after,
        "newest": _newest(request),
        "share": compliance.share(snapshot.compliant_tenants, snapshot.tenants),
        "may_roll_back": request.access.allows(Permission.ROLLBACK_OPERATE),
    }
    # The first one is told apart from nothing: number 0 stands for the time before it.
    return _changes(
        request, "governance/snapshots/detail.html", before.number if before else 0, number, context
    )


@require_POST
@requires(Permission.SNAPSHOT_SEAL)
def snapshot_seal(request: ConsoleRequest) -> HttpResponse:
    """Seal the state of the group now."""
    group = Group.objects.get(pk=request.access.group_id)
    before = _newest(request)
    try:
        flags.require_governance(group)
        sealed = snapshots.seal(group, trigger=Trigger.HAND, actor=request.actor, at=timezone.now())
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
        return redirect_to(request, "snapshot_list")
    if sealed.number == before:
        messages.info(request, f"Nothing has changed since snapshot {sealed}, so there is no new one.")
    else:
        compliance.measure(group, [sealed])
        messages.success(request, f"Snapshot {sealed} is sealed.")
    return redirect_to(request, "snapshot_detail", sealed.number)


@require_GET
@requires(Permission.GROUP_VIEW)
def snapshot_compare(request: ConsoleRequest) -> HttpResponse:
    """What differs between two snapshots, per tenant and plugin."""
    newest = _newest(request)
    asked = "older" in request.GET or "newer" in request.GET
    form = CompareForm(request.GET if asked else _two(newest), newest=newest)
    if not form.is_valid():
        context = {"form": form, "listing": None}
        return render_page(
            request, "governance/snapshots/compare.html", context, status=422 if asked else 200
        )
    older, newer = form.cleaned_data["older"], form.cleaned_data["newer"]
    rows = Snapshot.objects.within(request.access).filter(number__in=[older, newer])
    ends = {row.number: row for row in rows}
    compared = {"form": form, "older": ends.get(older), "newer": ends.get(newer)}
    return _changes(request, "governance/snapshots/compare.html", older, newer, compared)


def _changes(
    request: ConsoleRequest, template: str, older: int, newer: int, context: Mapping[str, Any]
) -> HttpResponse:
    """A page with the differences between two snapshots, as a list and counted by kind."""
    differing = snapshots.compare(request.access.group_id, older, newer)
    rows = listing(
        request,
        differing,
        name="changes",
        noun=("change", "changes"),
        search=("tenant__key", "plugin__name"),
        filterset_class=ChangeFilter,
        sorts={
            "tenant": ("tenant__key", "plugin__name"),
            "plugin": ("plugin__name", "tenant__key"),
            "kind": ("kind", "tenant__key", "plugin__name"),
        },
        default="tenant",
    )
    parts = _parts(request, differing)
    more = {
        "listing": rows,
        "by_kind": stack(parts, title=f"Changes from snapshot {older} to {newer} by kind") if parts else None,
    }
    return render_page(
        request, template, {**context, **more}, fragments={"changes": "governance/snapshots/_changes.html"}
    )


def _parts(request: ConsoleRequest, differing: QuerySet[Any]) -> list[Part]:
    if request.htmx.target == "changes":
        return []  # the fragment doesn't show them
    rows = differing.order_by().values_list("kind").annotate(count=Count("pk"))
    counts: dict[str, int] = dict(rows)
    return [Part(kind.label, counts[kind], _TONES[kind]) for kind in ChangeKind if counts.get(kind)]


def _newest(request: ConsoleRequest) -> int:
    rows = Snapshot.objects.within(request.access).order_by("-number")
    return rows.values_list("number", flat=True).first() or 0


def _two(newest: int) -> dict[str, int]:
    """The last two snapshots."""
    return {"older": max(1, newest - 1), "newer": newest}
