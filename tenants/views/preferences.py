"""How the person who asks wants to be told, and who stands in for them. Nobody else's is reached here."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from config import queue
from config.access import ConsoleRequest, Permission, requires
from config.rendering import redirect_to, render_page
from tenants import chats, deputies, people, preferences
from tenants.deputies import DeputyRefused
from tenants.forms.deputies import DeputyForm
from tenants.forms.preferences import PreferencesForm
from tenants.models import Deputy, Group, User


@require_http_methods(["GET", "POST"])
@requires(*Permission)
def my_preferences(request: ConsoleRequest) -> HttpResponse:
    """The person's own, to be read and changed."""
    form = PreferencesForm(request.POST or None, kept=preferences.of(_person(request)))
    if request.method == "POST" and form.is_valid():
        preferences.change(_person(request), form.wanted(), actor=request.actor, at=timezone.now())
        messages.success(request, "Kept. Messages follow it from now on.")
        return redirect_to(request, "my_preferences")
    return _page(request, form, DeputyForm(), failed=bool(form.errors))


@require_POST
@requires(*Permission)
def chat_test_own(request: ConsoleRequest) -> HttpResponse:
    """Send the person's own chat a message, to see whether it arrives."""
    person, at = _person(request), timezone.now()
    if preferences.of(person).chat:
        key = f"test-{person.pk}-{at.isoformat()}"
        language = preferences.of(person).language
        title = chats.TEST_TITLE[language].format(group="Plumbline")
        chats.post_to_person(
            person,
            group_id=request.access.group_id,
            title=title,
            text=chats.TEST[language],
            key=key,
            at=at,
        )
        messages.success(request, "A message is on its way. What came of it stands below in a minute.")
    else:
        messages.info(request, "No chat address is kept: enter one first.")
    return redirect_to(request, "my_preferences")


@require_POST
@requires(*Permission)
def deputy_appoint(request: ConsoleRequest) -> HttpResponse:
    """Let somebody stand in for the person."""
    form = DeputyForm(request.POST)
    if form.is_valid() and _appoint(request, form):
        messages.success(
            request, "Appointed. They hear of it, and of what you are told, as far as they reach it."
        )
        return redirect_to(request, "my_preferences")
    return _page(request, PreferencesForm(kept=preferences.of(_person(request))), form, failed=True)


@require_POST
@requires(*Permission)
def deputy_end(request: ConsoleRequest) -> HttpResponse:
    """Let somebody stand in for the person no more."""
    number = request.POST.get("deputy", "")
    mine = Deputy.objects.within(request.access).filter(person=_person(request))
    pk = int(number) if number.isascii() and number.isdigit() else 0
    row = get_object_or_404(mine.select_related("person", "deputy"), pk=pk)
    said = f"{row.deputy} no longer stands in for you."
    messages.success(request, f"{said} They are told." if _dismiss(request, row) else said)
    return redirect_to(request, "my_preferences")


def _appoint(request: ConsoleRequest, form: DeputyForm) -> bool:
    given = form.cleaned_data
    try:
        with transaction.atomic():
            row = deputies.appoint(
                Group.objects.get(pk=request.access.group_id),
                _person(request),
                given["deputy"],
                starts_on=given["starts_on"],
                ends_on=given["ends_on"],
                actor=request.actor,
                at=timezone.now(),
            )
            queue.enqueue("governance.jobs.tell_deputy", deputy_id=row.pk)
    except DeputyRefused as refusal:
        form.add_error(refusal.field, str(refusal))
        return False
    return True


@transaction.atomic
def _dismiss(request: ConsoleRequest, row: Deputy) -> bool:
    """End it, and have the deputy told of it; False where it was over anyway, and nobody is."""
    number, at = row.pk, timezone.now()
    over = deputies.is_over(row, at=at)
    if not deputies.end(row, actor=request.actor, at=at) or over:
        return False
    queue.enqueue(
        "governance.jobs.tell_dismissed_deputy",
        number=number,
        group_id=row.group_id,
        person_id=row.person_id,
        deputy_id=row.deputy_id,
        days=[str(row.starts_on), str(row.ends_on)],
    )
    return True


def _person(request: ConsoleRequest) -> User:
    assert isinstance(request.user, User)  # whoever has an access of a console address has signed in
    return request.user


def _page(
    request: ConsoleRequest, form: PreferencesForm, deputy: DeputyForm, *, failed: bool
) -> HttpResponse:
    rows = (
        Deputy.objects.within(request.access).select_related("person", "deputy").order_by("starts_on", "pk")
    )
    context: dict[str, Any] = {
        "form": form,
        "has_chat": bool(form.kept.chat),
        "last_chat": chats.last_to(_person(request), request.access.group_id) if form.kept.chat else None,
        "deputy_form": deputy,
        "offered": people.by_name(request.access, but=_person(request).pk),
        "deputies": rows.filter(person=_person(request)),
        "stands_in_for": rows.filter(deputy=_person(request)),
    }
    return render_page(request, "tenants/preferences/mine.html", context, status=422 if failed else 200)
