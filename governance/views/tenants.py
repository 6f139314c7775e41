"""Tenants: all, and one with what it runs, what of it can't, its drift, tasks, manifests and history."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.access import ConsoleRequest, Permission, requires
from config.listing import Listing, listing
from config.rendering import render_page
from governance import consistency, history, tenants, waiting
from governance.forms.tenants import InstalledFilter, TenantDriftFilter, TenantFilter, TenantTaskFilter
from governance.models import Finding, Manifest, UpgradeTask
from tenants import directory
from tenants.models import Group, Tenant


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_list(request: ConsoleRequest) -> HttpResponse:
    """The tenants within reach."""
    rows = listing(
        request,
        tenants.with_figures(request.access, at=timezone.now()),
        name="tenants",
        noun=("tenant", "tenants"),
        search=("key", "name"),
        filterset_class=TenantFilter,
        sorts={
            "tenant": ("key",),
            "tier": ("tier", "key"),
            "host": ("host_rank", "key"),
            "drift": ("open_drift", "key"),
            "manifest": ("last_manifest_at", "key"),
        },
        default="tenant",
    )
    return render_page(
        request,
        "governance/tenants/list.html",
        {"listing": rows},
        fragments={"tenants": "governance/tenants/_table.html"},
    )


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """What the tenant runs now."""
    tenant = _reached(request, pk)
    rows = listing(
        request,
        tenants.installed_in(tenant),
        name="installed",
        noun=("plugin", "plugins"),
        search=("plugin__name", "plugin__title"),
        filterset_class=InstalledFilter,
        sorts={
            "plugin": ("plugin__name",),
            "released": ("release__released_at", "plugin__name"),
            "drift": ("drift", "plugin__name"),
            "since": ("since", "plugin__name"),
        },
        default="plugin",
        per_page=100,
    )
    return _tenant_page(request, tenant, "installed", rows)


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_drift(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Where the tenant is out of line, and was."""
    tenant = _reached(request, pk)
    findings = Finding.objects.within(request.access).of_tenant(tenant.pk)
    rows = listing(
        request,
        findings.select_related("tenant", "plugin", "policy", "release", "target", "exemption"),
        name="drift",
        noun=("finding", "findings"),
        search=("plugin__name", "policy__name"),
        filterset_class=TenantDriftFilter,
        sorts={
            "plugin": ("plugin__name",),
            "policy": ("policy__name", "plugin__name"),
            "due": ("due_at", "plugin__name"),
            "opened": ("opened_at", "plugin__name"),
        },
        default="-opened",
    )
    return _tenant_page(request, tenant, "drift", rows)


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_tasks(request: ConsoleRequest, pk: int) -> HttpResponse:
    """What is to be done in the tenant, and what was."""
    tenant = _reached(request, pk)
    rows = listing(
        request,
        UpgradeTask.objects.within(request.access).filter(tenant=tenant).select_related("tenant", "plan"),
        name="tasks",
        noun=("upgrade task", "upgrade tasks"),
        filterset_class=TenantTaskFilter,
        sorts={"created": ("created_at",), "due": ("due_at", "created_at"), "finished": ("finished_at",)},
        default="-created",
    )
    waiting.say(tenant.group, rows.rows, at=timezone.now())
    return _tenant_page(request, tenant, "tasks", rows)


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_manifests(request: ConsoleRequest, pk: int) -> HttpResponse:
    """What the tenant said it runs, and when."""
    tenant = _reached(request, pk)
    rows = listing(
        request,
        Manifest.objects.within(request.access).filter(tenant=tenant).select_related("inventory"),
        name="manifests",
        noun=("manifest", "manifests"),
        sorts={
            "observed": ("observed_at", "inventory_id"),
            "received": ("received_at",),
            "plugins": ("inventory__size", "observed_at"),
        },
        default="-observed",
    )
    return _tenant_page(request, tenant, "manifests", rows)


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_history(request: ConsoleRequest, pk: int) -> HttpResponse:
    """What each snapshot found changed in the tenant."""
    tenant = _reached(request, pk)
    rows = listing(
        request,
        history.snapshots_that_changed(tenant),
        name="history",
        noun=("snapshot with changes", "snapshots with changes"),
        sorts={"snapshot": ("number",)},
        default="-snapshot",
        per_page=25,
    )
    open_number = Group.objects.values_list("open_snapshot", flat=True).get(pk=tenant.group_id)
    changes = history.changes_of(tenant, [open_number, *(snapshot.number for snapshot in rows.rows)])
    unsealed = changes.pop(open_number)
    sealed = [(snapshot, changes[snapshot.number]) for snapshot in rows.rows]
    return _tenant_page(request, tenant, "history", rows, unsealed=unsealed, sealed=sealed)


@require_GET
@requires(Permission.TENANT_VIEW)
def tenant_consistency(request: ConsoleRequest, pk: int) -> HttpResponse:
    """What can't run in the tenant as it is now."""
    tenant = _reached(request, pk)
    return _tenant_page(request, tenant, "consistency", None, judgement=consistency.judge(tenant))


def _reached(request: ConsoleRequest, pk: int) -> Tenant:
    return get_object_or_404(tenants.with_figures(request.access, at=timezone.now()), pk=pk)


def _tenant_page(
    request: ConsoleRequest, tenant: Tenant, tab: str, rows: Listing | None, **more: Any
) -> HttpResponse:
    """One of the tenant's pages: its facts, and under them what the tab is about."""
    fragment = f"governance/tenants/_{tab}.html"
    context = {
        "tenant": tenant,
        "tab": tab,
        "fragment": fragment,
        "listing": rows,
        "admins": directory.admins_of([tenant.pk]).get(tenant.pk, []),
        **more,
    }
    return render_page(request, "governance/tenants/detail.html", context, fragments={tab: fragment})
