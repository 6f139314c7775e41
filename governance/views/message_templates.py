"""What the group's messages say, by kind and language."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST

from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from governance import message_templates, previews
from governance.forms.message_templates import TemplateForm
from governance.messages import texts
from governance.messages.kinds import Kind, placeholders
from governance.models import MessageTemplate
from governance.previews import NotShown, Preview
from tenants import preferences
from tenants.models import Group, Language, Preferences


@require_GET
@requires(Permission.GROUP_ADMINISTER)
def template_list(request: ConsoleRequest) -> HttpResponse:
    """All kinds of messages, each in every language, and who has changed which."""
    own = {(row.kind, row.language): row for row in MessageTemplate.objects.within(request.access)}
    kinds = [(kind, [(language, own.get((kind, language))) for language in Language]) for kind in Kind]
    return render_page(request, "governance/templates/list.html", {"kinds": kinds})


@require_GET
@requires(Permission.GROUP_ADMINISTER)
def template_edit(request: ConsoleRequest, kind: str, language: str) -> HttpResponse:
    """What a message is written from now, and what it says."""
    known, tongue = _known(kind, language)
    form = TemplateForm(
        known, initial=asdict(message_templates.current(request.access.group_id, known, tongue))
    )
    now = message_templates.current(request.access.group_id, known, tongue)
    return _page(request, known, tongue, form, _preview(request, known, tongue, now))


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def template_preview(request: ConsoleRequest, kind: str, language: str) -> HttpResponse:
    """What the message would say, with nothing kept."""
    known, tongue = _known(kind, language)
    form = TemplateForm(known, request.POST)
    if not form.is_valid():
        return _page(request, known, tongue, form, None, status=422)
    return _page(request, known, tongue, form, _preview(request, known, tongue, form.wanted))


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def template_change(request: ConsoleRequest, kind: str, language: str) -> HttpResponse:
    """Write messages of this kind so from now on."""
    known, tongue = _known(kind, language)
    form = TemplateForm(known, request.POST)
    if not form.is_valid():
        return _page(request, known, tongue, form, None, status=422)
    shown = _preview(request, known, tongue, form.wanted)
    if isinstance(shown, str):
        form.add_error("html", shown)
        return _page(request, known, tongue, form, None, status=422)
    group = Group.objects.get(pk=request.access.group_id)
    message_templates.change(group, known, tongue, form.wanted, actor=request.actor, at=timezone.now())
    messages.success(request, "Kept. Messages are written so from now on.")
    return redirect_to(request, "template_edit", known.value, tongue.value)


@require_POST
@requires(Permission.GROUP_ADMINISTER)
def template_restore(request: ConsoleRequest, kind: str, language: str) -> HttpResponse:
    """Go back to the texts that ship."""
    known, tongue = _known(kind, language)
    group = Group.objects.get(pk=request.access.group_id)
    message_templates.restore(group, known, tongue, actor=request.actor, at=timezone.now())
    messages.success(request, "Back to the texts that ship.")
    return redirect_to(request, "template_edit", known.value, tongue.value)


def _known(kind: str, language: str) -> tuple[Kind, Language]:
    if kind not in Kind.values or language not in Language.values:
        raise Http404
    return Kind(kind), Language(language)


def _preview(request: ConsoleRequest, kind: Kind, language: Language, wanted: texts.Texts) -> Preview | str:
    """The message, or why it can't be shown."""
    user: Any = request.user
    wishes = Preferences(language=language, time_zone=preferences.of(user).time_zone)
    group = Group.objects.get(pk=request.access.group_id)
    try:
        return previews.preview(kind, wanted, wishes, group, user, at=timezone.now())
    except NotShown as reason:
        return str(reason)


def _page(
    request: ConsoleRequest,
    kind: Kind,
    language: Language,
    form: TemplateForm,
    shown: Preview | str | None,
    status: int = 200,
) -> HttpResponse:
    own = MessageTemplate.objects.within(request.access).filter(kind=kind, language=language).first()
    context: dict[str, Any] = {
        "kind": kind,
        "language": language,
        "languages": Language,
        "form": form,
        "own": own,
        "preview": shown if isinstance(shown, Preview) else None,
        "not_shown": shown if isinstance(shown, str) else "",
        "placeholders": [
            (name, told if isinstance(told, str) else "", () if isinstance(told, str) else told.items())
            for name, told in placeholders(kind).items()
        ],
    }
    if isinstance(shown, Preview):
        # Checked by governance.messages.markup when the preview was made: no markup of any value is in it.
        context["html"] = mark_safe(shown.message.html)
    return render_page(request, "governance/templates/edit.html", context, status=status)
