"""The ledger: who decided what and why, and whether its chain holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST
from django_filters import CharFilter, ChoiceFilter, FilterSet

from audit import ledger
from audit.actions import Action
from audit.models import Entry
from config.access import ActorKind, ConsoleRequest, Permission, requires
from config.filters import DayFilter
from config.listing import listing
from config.rendering import redirect_to, render_fragment, render_page, wants_fragment
from tenants.models import Tenant

SHOWN_FAULTS = 50


class LedgerFilter(FilterSet):
    """How the ledger may be narrowed."""

    action = ChoiceFilter(label="Action", empty_label="Any", choices=Action.choices)
    actor_kind = ChoiceFilter(
        label="By",
        empty_label="Anyone",
        choices=[
            (ActorKind.PERSON.value, "A person"),
            (ActorKind.SERVICE.value, "A service"),
            (ActorKind.SYSTEM.value, "Plumbline itself"),
        ],
    )
    actor_name = CharFilter(label="Name", lookup_expr="icontains")
    tenant = CharFilter(label="Tenant", method="by_tenant")
    since = DayFilter("at", label="From")
    until = DayFilter("at", label="To", end=True)

    class Meta:
        model = Entry
        fields: tuple[str, ...] = ()

    def by_tenant(self, rows: QuerySet[Any], _name: str, value: str) -> QuerySet[Any]:
        """Entries about the tenants whose key has this in it."""
        request: Any = self.request
        tenants = Tenant.objects.within(request.access).filter(key__icontains=value)
        return rows.filter(tenant_id__in=tenants.values("pk"))


@require_GET
@requires(Permission.LEDGER_VIEW)
def ledger_list(request: ConsoleRequest) -> HttpResponse:
    """The entries within reach, the newest first."""
    rows = listing(
        request,
        _entries(request),
        name="ledger",
        noun=("entry", "entries"),
        search=("subject_label", "actor_name", "action"),
        filterset_class=LedgerFilter,
        sorts={
            "sequence": ("sequence",),
            "action": ("action", "sequence"),
            "actor": ("actor_name", "sequence"),
            "subject": ("subject_label", "sequence"),
            "tenant": ("tenant_key", "sequence"),
        },
        default="-sequence",
    )
    return render_page(
        request,
        "governance/ledger/list.html",
        {"listing": rows},
        fragments={"ledger": "governance/ledger/_table.html"},
    )


@require_GET
@requires(Permission.LEDGER_VIEW)
def ledger_detail(request: ConsoleRequest, sequence: int) -> HttpResponse:
    """One entry with all that it says, and its place in the chain."""
    entry = get_object_or_404(_entries(request), sequence=sequence)
    context = {
        "entry": entry,
        "said": json.dumps(_said(request, entry), indent=2, ensure_ascii=False, sort_keys=True),
        "intact": ledger.hash_of(entry) == entry.hash,
        "about": _entries(request)
        .about(entry.subject_kind, entry.subject_id)
        .exclude(sequence=sequence)
        .order_by("-sequence")[:20],
    }
    return render_page(request, "governance/ledger/detail.html", context)


@require_POST
@requires(Permission.LEDGER_VIEW)
def ledger_verify(request: ConsoleRequest) -> HttpResponse:
    """Compute the whole chain anew. It only reads, but costs too much for a link that may be prefetched."""
    faults = ledger.verify(request.access.group_id)
    count = Entry.objects.filter(group_id=request.access.group_id).count()
    if wants_fragment(request):
        context = {
            "count": count,
            "faults": faults[:SHOWN_FAULTS],
            "fault_count": len(faults),
            "verified_at": timezone.now(),
        }
        return render_fragment(request, "governance/ledger/_verification.html", context)
    if faults:
        messages.error(
            request, f"The chain is broken in {len(faults)} places, first at {faults[0].sequence}."
        )
    else:
        messages.success(request, f"The chain of {count:,} entries holds.")
    return redirect_to(request, "ledger_list")


def _said(request: ConsoleRequest, entry: Entry) -> dict[str, Any]:
    """What the entry says; to who only reads, without what People and Deliveries keep from them too."""
    kept_back = () if request.access.allows(Permission.PLAN_OPERATE) else _KEPT_BACK.get(entry.action, ())
    return {key: "…" if key in kept_back and value else value for key, value in entry.data.items()}


# Addresses, and what receivers answered, which may name them.
_KEPT_BACK: Mapping[str, tuple[str, ...]] = {
    Action.PERSON_CHANGED: ("address",),
    Action.DELIVERY_RETRIED: ("error",),
}


def _entries(request: ConsoleRequest) -> Any:
    """The entries within reach, each with its tenant's key while there is such a tenant."""
    tenant = Tenant.objects.filter(pk=OuterRef("tenant_id"), group_id=OuterRef("group_id"))
    return Entry.objects.within(request.access).annotate(tenant_key=Subquery(tenant.values("key")[:1]))
