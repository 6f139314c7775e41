"""Policies: all of them, and one with its rules, the tenants that it selects, and its versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.charts import Part, stack
from config.listing import Listing, listing
from config.rendering import redirect_to, render_page
from config.tones import tone
from governance import (
    configuration,
    flags,
    policies,
    policy_documents,
    policy_figures,
    policy_wording,
    profiles,
)
from governance.forms.policies import CompareForm, PolicyFilter, PolicyTenantFilter, ReasonForm
from governance.models import Finding, Policy, PolicyVersion, Profile
from governance.rules import RuleError


@require_GET
@requires(Permission.GROUP_VIEW)
def policy_list(request: ConsoleRequest) -> HttpResponse:
    """The group's policies."""
    rows = listing(
        request,
        policy_figures.with_figures(request.access),
        name="policies",
        noun=("policy", "policies"),
        search=("name", "title"),
        filterset_class=PolicyFilter,
        sorts={
            "policy": ("name",),
            "kind": ("kind", "name"),
            "status": ("status", "name"),
            "profile": ("current__profile_name", "name"),
            "tenants": ("tenant_count", "name"),
            "drift": ("open_drift", "name"),
        },
        default="policy",
    )
    return render_page(
        request,
        "governance/policies/list.html",
        {"listing": rows, "may_edit": request.access.allows(Permission.POLICY_EDIT)},
        fragments={"policies": "governance/policies/_table.html"},
    )


@require_GET
@requires(Permission.GROUP_VIEW)
def policy_detail(request: ConsoleRequest, pk: int) -> HttpResponse:
    """What the policy wants, and how far it is kept."""
    policy = _reached(request, pk)
    version = policy.current or policy.versions.order_by("-number").first()
    counts = policy_figures.drift_by_status(policy, request.access)
    parts = [Part(Finding.Status(status).label, count, tone(status)) for status, count in counts.items()]
    context: dict[str, Any] = {
        "by_status": stack(parts, title=f"Open findings of {policy} by status") if parts else None,
        "rules": _rules(request, policy, version),
        "text": configuration.dump(policies.as_written(version.document)) if version else "",
        "form": ReasonForm(),
    }
    return _policy_page(request, policy, "rules", **context)


@require_GET
@requires(Permission.GROUP_VIEW)
def policy_tenants(request: ConsoleRequest, pk: int) -> HttpResponse:
    """The tenants that the policy selects."""
    policy = _reached(request, pk)
    rows = listing(
        request,
        policy_figures.tenants_of(policy, request.access),
        name="tenants",
        noun=("tenant", "tenants"),
        search=("key", "name"),
        filterset_class=PolicyTenantFilter,
        sorts={"tenant": ("key",), "tier": ("tier", "key"), "drift": ("open_drift", "key")},
        default="-drift",
    )
    return _policy_page(request, policy, "tenants", rows)


@require_GET
@requires(Permission.GROUP_VIEW)
def policy_versions(request: ConsoleRequest, pk: int) -> HttpResponse:
    """The policy's texts, and where two of them differ."""
    policy = _reached(request, pk)
    versions = list(policy.versions.order_by("-number"))
    form = CompareForm(_compared(request, policy, versions), versions=versions)
    rows = listing(
        request,
        PolicyVersion.objects.filter(policy=policy),
        name="versions",
        noun=("version", "versions"),
        search=("author_name", "comment"),
        sorts={"version": ("number",), "created": ("created_at",)},
        default="-version",
    )
    return _policy_page(request, policy, "versions", rows, form=form, **_differences(form, versions))


@require_POST
@requires(Permission.POLICY_EDIT)
def policy_pause(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let the policy act on nothing."""
    return _move(request, pk, policies.pause, "is paused: it finds drift, and acts on nothing")


@require_POST
@requires(Permission.POLICY_EDIT)
def policy_resume(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let a paused policy act again."""
    return _move(request, pk, policies.resume, "acts again")


@require_POST
@requires(Permission.POLICY_EDIT)
def policy_retire(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Let the policy bind no longer."""
    return _move(request, pk, policies.retire, "is retired: it binds nobody any longer")


@require_POST
@requires(Permission.POLICY_EDIT)
def policy_apply(request: ConsoleRequest, pk: int, number: int) -> HttpResponse:
    """Put one of the policy's versions in force."""
    policy = get_object_or_404(Policy.objects.within(request.access), pk=pk)
    version = get_object_or_404(
        policy.versions.select_related("policy__group", "policy__current"), number=number
    )
    try:
        policies.apply_version(version, actor=request.actor, at=timezone.now())
    except (flags.FlagOff, RuleError) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Version {number} of {policy} is in force.")
    return redirect_to(request, "policy_detail", policy.pk)


@require_GET
@requires(Permission.GROUP_VIEW)
def profile_list(request: ConsoleRequest) -> HttpResponse:
    """The templates that policies are made from, as the configuration has them."""
    rows = Profile.objects.within(request.access).order_by("name")
    told = [
        (profile, profiles.settings(profile.document), configuration.dump(profile.document))
        for profile in rows
    ]
    return render_page(request, "governance/policies/profiles.html", {"profiles": told})


def _reached(request: ConsoleRequest, pk: int) -> Policy:
    return get_object_or_404(policy_figures.with_figures(request.access), pk=pk)


def _policy_page(
    request: ConsoleRequest, policy: Policy, tab: str, rows: Listing | None = None, **more: Any
) -> HttpResponse:
    """One of the policy's pages: its facts, and under them what the tab is about."""
    version = policy.current
    expanded = (
        policy_documents.expand(version.document, version.profile, at=version.created_at) if version else None
    )
    at, until = timezone.now(), expanded.effective_until if expanded else None
    later = policy.versions.filter(number__gt=version.number) if version else policy.versions.none()
    context = {
        "policy": policy,
        "version": version,
        "expanded": expanded,
        "selects": policy_wording.tenants_in_words(expanded.tenants) if expanded else "",
        "mode": expanded.mode_at(at) if expanded else "",
        "is_over": until is not None and until <= at,
        "drafted": later.order_by("-number").first(),
        "tab": tab,
        "listing": rows,
        "fragment": f"governance/policies/_{tab}.html",
        "may_edit": request.access.allows(Permission.POLICY_EDIT),
        **more,
    }
    fragments = {rows.id: f"governance/policies/_{tab}_table.html"} if rows else {}
    return render_page(request, "governance/policies/detail.html", context, fragments=fragments)


def _rules(request: ConsoleRequest, policy: Policy, version: PolicyVersion | None) -> list[dict[str, Any]]:
    """The version's rules in words, each with what it has chosen and how much drift it finds."""
    if version is None:
        return []
    drift = policy_figures.drift_by_rule(policy, request.access)
    compiled = policy_figures.compiled_rules(policy)
    told = policy_wording.rules_in_words(version.document, version.profile, at=version.created_at)
    return [
        {"rule": rule, "drift": drift.get(rule.key, 0), "compiled": compiled.get(rule.key)} for rule in told
    ]


def _compared(request: ConsoleRequest, policy: Policy, versions: list[PolicyVersion]) -> dict[str, Any]:
    """The two versions that the address asks for, else the one in force and the one before or after it."""
    if "older" in request.GET and "newer" in request.GET:
        return request.GET.dict()
    numbers = sorted(version.number for version in versions)
    newer = policy.current.number if policy.current else (numbers[-1] if numbers else 0)
    if numbers and newer != numbers[-1]:
        return {"older": newer, "newer": numbers[-1]}
    return {"older": max((number for number in numbers if number < newer), default=newer), "newer": newer}


def _differences(form: CompareForm, versions: list[PolicyVersion]) -> dict[str, Any]:
    if len(versions) < 2 or not form.is_valid():
        return {"changes": None}
    by_number = {version.number: version for version in versions}
    older, newer = by_number[form.cleaned_data["older"]], by_number[form.cleaned_data["newer"]]
    changes = [
        {
            "place": change.place,
            "kind": change.kind,
            "before": _shown(change.before),
            "after": _shown(change.after),
        }
        for change in policies.diff(older, newer)
    ]
    return {"changes": changes, "older": older, "newer": newer}


def _shown(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _move(request: ConsoleRequest, pk: int, move: Callable[..., None], told: str) -> HttpResponse:
    policy = get_object_or_404(Policy.objects.within(request.access).select_related("group"), pk=pk)
    form = ReasonForm(request.POST)
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    try:
        move(policy, actor=request.actor, at=timezone.now(), reason=reason)
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{policy} {told}.")
    return redirect_to(request, "policy_detail", policy.pk)
