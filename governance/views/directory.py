"""The directory: who is responsible for which tenant and policy, from where that is known, and by hand."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.listing import Listing, listing
from config.rendering import redirect_to, render_page
from governance import responsible, unreached
from governance.forms.directory import NameForm, ResponsibleFilter
from governance.models import Policy
from governance.responsible import Answering
from tenants import groups, policy_owners
from tenants.models import DirectorySync, Group, Membership, Origin, PolicyOwner, Role, Tenant
from tenants.policy_owners import NotInReach


@require_GET
@requires(Permission.TENANT_VIEW)
def directory_list(request: ConsoleRequest) -> HttpResponse:
    """The tenants within reach, each with who answers for it."""
    rows = listing(
        request,
        Tenant.objects.within(request.access).active(),
        name="tenants",
        noun=("tenant", "tenants"),
        search=("key", "name"),
        filterset_class=ResponsibleFilter,
        sorts={"tenant": ("key",), "tier": ("tier", "key")},
        default="tenant",
    )
    found = responsible.of_tenants(request.access, [tenant.pk for tenant in rows.rows], at=timezone.now())
    people = [(tenant, found.get(tenant.pk, [])) for tenant in rows.rows]
    return _list_page(request, "tenants", rows, people)


@require_GET
@requires(Permission.GROUP_VIEW)
def directory_policies(request: ConsoleRequest) -> HttpResponse:
    """The policies in force, each with who answers for it."""
    rows = listing(
        request,
        Policy.objects.within(request.access).in_force(),
        name="policies",
        noun=("policy", "policies"),
        search=("name",),
        sorts={"policy": ("name",)},
        default="policy",
    )
    found = responsible.of_policies(request.access, [policy.name for policy in rows.rows], at=timezone.now())
    people = [(policy, found.get(policy.name, [])) for policy in rows.rows]
    return _list_page(request, "policies", rows, people)


@require_GET
@requires(Permission.GROUP_VIEW)
def directory_problems(request: ConsoleRequest) -> HttpResponse:
    """Who can't be told, and what to do about it."""
    found = unreached.found(request.access, at=timezone.now())
    return render_page(request, "governance/directory/problems.html", {"problems": found})


@require_GET
@requires(Permission.TENANT_VIEW)
def directory_tenant(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Who answers for one tenant."""
    return _tenant_page(request, _tenant(request, pk), NameForm())


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def directory_tenant_name(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody answer for the tenant: they become its tenant admin."""
    tenant, form = _tenant(request, pk), NameForm(request.POST)
    if not form.is_valid():
        return _tenant_page(request, tenant, form, status=422)
    person, at = form.cleaned_data["person"], timezone.now()
    groups.add_member(tenant.group, person, Role.TENANT_ADMIN, tenant=tenant, actor=request.actor, at=at)
    messages.success(request, f"{person} is responsible for {tenant} and reaches it from now on.")
    return redirect_to(request, "directory_tenant", tenant.pk)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def directory_tenant_end(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody answer for the tenant no more, if that was said by hand."""
    tenant = _tenant(request, pk)
    rows = Membership.objects.within(request.access).filter(tenant=tenant, origin=Origin.HAND)
    row = get_object_or_404(rows.select_related("user", "group", "tenant"), pk=_number(request))
    groups.remove_member(row, actor=request.actor, at=timezone.now())
    messages.success(request, f"{row.user} is no longer responsible for {tenant} by hand.")
    return redirect_to(request, "directory_tenant", tenant.pk)


@require_GET
@requires(Permission.GROUP_VIEW)
def directory_policy(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Who answers for one policy."""
    return _policy_page(request, _policy(request, pk), NameForm())


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def directory_policy_name(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody answer for the policy."""
    policy, form = _policy(request, pk), NameForm(request.POST)
    if form.is_valid() and _name(request, policy, form):
        messages.success(request, f"{form.cleaned_data['person']} is responsible for {policy.name}.")
        return redirect_to(request, "directory_policy", policy.pk)
    return _policy_page(request, policy, form, status=422)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def directory_policy_end(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let somebody answer for the policy no more, if that was said by hand."""
    policy = _policy(request, pk)
    rows = PolicyOwner.objects.within(request.access).filter(policy=policy.name, origin=Origin.HAND)
    row = get_object_or_404(rows.select_related("user"), pk=_number(request))
    policy_owners.end(row, actor=request.actor, at=timezone.now())
    messages.success(request, f"{row.user} is no longer responsible for {policy.name} by hand.")
    return redirect_to(request, "directory_policy", policy.pk)


def _name(request: ConsoleRequest, policy: Policy, form: NameForm) -> bool:
    group = Group.objects.get(pk=request.access.group_id)
    person, at = form.cleaned_data["person"], timezone.now()
    try:
        policy_owners.name(group, person, policy.name, actor=request.actor, at=at)
    except NotInReach as refusal:
        form.add_error("person", str(refusal))
        return False
    return True


def _list_page(
    request: ConsoleRequest, tab: str, rows: Listing, people: list[tuple[Any, list[Answering]]]
) -> HttpResponse:
    group_view = request.access.allows(Permission.GROUP_VIEW)
    fragment = f"governance/directory/_{tab}.html"
    context = {
        "listing": rows,
        "people_of": people,
        "tab": tab,
        "fragment": fragment,
        "group_view": group_view,
        "sync": DirectorySync.objects.filter(group_id=request.access.group_id).first(),
        "problems": len(unreached.found(request.access, at=timezone.now())) if group_view else 0,
    }
    return render_page(request, "governance/directory/list.html", context, fragments={tab: fragment})


def _tenant(request: ConsoleRequest, pk: int) -> Tenant:
    return get_object_or_404(Tenant.objects.within(request.access).select_related("group"), pk=pk)


def _policy(request: ConsoleRequest, pk: int) -> Policy:
    return get_object_or_404(Policy.objects.within(request.access).in_force(), pk=pk)


def _number(request: ConsoleRequest) -> int:
    text = request.POST.get("row", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _tenant_page(request: ConsoleRequest, tenant: Tenant, form: NameForm, status: int = 200) -> HttpResponse:
    people = responsible.of_tenants(request.access, [tenant.pk], at=timezone.now()).get(tenant.pk, [])
    about = {"noun": "tenant", "name": tenant.key, "subject": tenant, "named": "tenant_detail"}
    return _page(request, about, people, form, status)


def _policy_page(request: ConsoleRequest, policy: Policy, form: NameForm, status: int = 200) -> HttpResponse:
    people = responsible.of_policies(request.access, [policy.name], at=timezone.now()).get(policy.name, [])
    about = {"noun": "policy", "name": policy.name, "subject": policy, "named": "policy_detail"}
    return _page(request, about, people, form, status)


def _page(
    request: ConsoleRequest, about: dict[str, Any], people: list[Answering], form: NameForm, status: int
) -> HttpResponse:
    noun, pk = about["noun"], about["subject"].pk
    context = {
        **about,
        "people": people,
        "form": form,
        "naming": request.access.link(f"directory_{noun}_name", pk),
        "ending": request.access.link(f"directory_{noun}_end", pk),
        "may_name": request.access.allows(Permission.GROUP_ADMINISTER),
    }
    return render_page(request, "governance/directory/detail.html", context, status=status)
