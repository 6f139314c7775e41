"""Writing policies: a new one or a new text, with what it would do shown before it does it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from config.access import Access, ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import configuration, flags, policies, simulation
from governance.documents import ConfigurationError
from governance.forms.policies import PolicyForm
from governance.models import Installation, Policy, PolicyVersion, Profile, Simulation
from governance.policy_documents import Document
from governance.simulation import Supposition
from governance.views import simulations
from tenants.models import Group


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_EDIT)
def policy_create(request: ConsoleRequest) -> HttpResponse:
    """Write a new policy."""
    texts = {kind: configuration.dump(text) for kind, text in _examples(request.access).items()}
    return _write(request, None, {"text": texts[Policy.Kind.POLICY]}, examples=texts)


def _examples(access: Access) -> dict[str, Document]:
    """A text of each kind to begin with, about something that is installed, so that it can be tried."""
    profile = str(Profile.objects.within(access).order_by("name").first() or "name-of-a-profile")
    installed = Installation.objects.within(access).current().filter(release__catalogued=True)
    one = installed.select_related("plugin", "release").order_by("pk").first()
    plugin, version = (one.plugin.name, one.release.version) if one else ("crm", "2.4.0")
    about = {
        "name": "still-maintained",
        "title": f"Everyone on a {plugin} that is still maintained",
        "profile": profile,
        "tenants": "*",
    }
    floor = {"name": "floor", "plugins": [plugin], "at_least": version}
    hold = {
        "name": "as-it-is",
        "title": f"{plugin} stays as it is for now",
        "tenants": "*",
        "plugins": [plugin],
        "until": "in 30 days",
        "reason": "Why nothing may change until then.",
    }
    return {
        Policy.Kind.BASELINE: {**about, "versions": {plugin: {"at_least": version}}},
        Policy.Kind.POLICY: {**about, "rules": [floor]},
        Policy.Kind.HOLD: hold,
    }


@require_http_methods(["GET", "POST"])
@requires(Permission.POLICY_EDIT)
def policy_edit(request: ConsoleRequest, pk: int) -> HttpResponse:
    """Write a new text of a policy, beginning with its newest one."""
    policy = get_object_or_404(Policy.objects.within(request.access).select_related("current"), pk=pk)
    newest = policy.versions.order_by("-number").first()
    text = configuration.dump(policies.as_written(newest.document)) if newest else ""
    draft = newest if newest and newest.pk != policy.current_id else None
    begins = {
        "text": text,
        "comment": draft.comment if draft else "",
        "after": newest.number if newest else 0,
    }
    return _write(request, policy, begins, draft)


def _write(
    request: ConsoleRequest,
    policy: Policy | None,
    begins: dict[str, Any],
    draft: PolicyVersion | None = None,
    examples: Mapping[str, str] | None = None,
) -> HttpResponse:
    """The form, and what its buttons ask for: a preview, a draft, or what was previewed put in force."""
    group = Group.objects.get(pk=request.access.group_id)
    form = PolicyForm(request.POST or None, group=group, at=timezone.now(), policy=policy, initial=begins)
    shown: dict[str, Any] = {"form": form, "policy": policy, "draft": draft, "examples": examples}
    if request.method == "POST" and form.is_valid():
        done = _carried_out(request, form)
        if isinstance(done, HttpResponse):
            return done
        shown |= done
    status = 409 if "overtaken" in shown else 422 if form.errors else 200
    return render_page(request, "governance/policies/edit.html", shown, status=status)


def _carried_out(request: ConsoleRequest, form: PolicyForm) -> HttpResponse | dict[str, Any]:
    """What the button leads to: another page, or what this one shows beside the text."""
    intent = request.POST.get("intent", "preview")
    seen = _previewed(request, form)
    try:
        if intent == "draft":
            return _draft(request, form)
        if intent == "apply" and (applied := _put_in_force(request, form, seen)):
            return applied
        preview = seen if intent == "look" and seen is not None else _preview(request, form)
    except policies.Overtaken as refusal:
        form.overtaken(refusal.newest)
        return {"overtaken": refusal, **(simulations.progress(seen) if seen else {})}
    except ConfigurationError as error:
        form.refuse(error.problems)
        return {}
    except flags.FlagOff as refusal:
        messages.error(request, str(refusal))
        return {}
    return simulations.progress(preview)


def _preview(request: ConsoleRequest, form: PolicyForm) -> Simulation:
    """Have a worker work out what the text would do; the page follows it."""
    what = Supposition(policies=[form.document])
    why = form.cleaned_data["comment"]
    title = f"Preview of {form.document['name']}{': ' if why else ''}{why}"
    return simulations.ask(request, form.group, what, title=title)


def _previewed(request: ConsoleRequest, form: PolicyForm) -> Simulation | None:
    """The preview that the person has seen, if it is one of this very text."""
    try:
        seen = UUID(request.POST.get("previewed", ""))
    except ValueError:
        return None
    rows = Simulation.objects.within(request.access).select_related("group").defer("findings")
    known = rows.filter(pk=seen).first()
    same = known is not None and known.supposed.get("policies") == [form.document]
    return known if same else None


def _draft(request: ConsoleRequest, form: PolicyForm) -> HttpResponse:
    said = {"comment": form.cleaned_data["comment"], "after": form.cleaned_data["after"]}
    version = policies.save_draft(form.group, form.document, actor=request.actor, at=form.at, **said)
    messages.success(request, f"Kept as version {version.number}. It isn’t in force.")
    return redirect_to(request, "policy_versions", version.policy_id)


def _put_in_force(request: ConsoleRequest, form: PolicyForm, seen: Simulation | None) -> HttpResponse | None:
    """None, and a message why, where what the text does has to be looked at first."""
    told = "The text isn’t the one that was previewed: look at its impact first."
    if seen is not None and seen.is_answered:
        try:
            return _apply(request, form, seen)
        except simulation.Outdated as refusal:
            told = f"{refusal.told} Look at its impact as it is now."
    messages.warning(request, told)
    return None


@transaction.atomic
def _apply(request: ConsoleRequest, form: PolicyForm, seen: Simulation) -> HttpResponse:
    """Put the text in force if it would still do what was seen. Raises Outdated."""
    simulation.require_current(seen, at=form.at)
    said = {"comment": form.cleaned_data["comment"], "after": form.cleaned_data["after"]}
    version = policies.apply(form.group, form.document, actor=request.actor, at=form.at, **said)
    messages.success(request, f"Version {version.number} of {version.policy} is in force.")
    return redirect_to(request, "policy_detail", version.policy_id)
