"""Where a person lands after signing in."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_GET

from config.access import ConsoleRequest, Permission, public, requires, signed_in
from config.rendering import render_page
from tenants.context import groups_of

login: Any = public("the door itself")(LoginView.as_view(redirect_authenticated_user=True))
logout: Any = public("leaving is always allowed")(LogoutView.as_view())


def locked_out(request: HttpRequest, _answer: HttpResponse, _credentials: Any) -> HttpResponse:
    """The door, shut for a while: axes calls this instead of answering after too many wrong passwords."""
    context = {
        "form": AuthenticationForm(request),
        "next": request.POST.get("next", ""),
        "shut": {
            "attempts": settings.AXES_FAILURE_LIMIT,
            "minutes": settings.AXES_COOLOFF_TIME.total_seconds() / 60,
        },
    }
    return render_page(request, "registration/login.html", context, status=429)


@signed_in
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The person's only group, or the choice between several."""
    groups = groups_of(request.user)  # type: ignore[arg-type]  # signed_in admits nobody else
    if len(groups) == 1:
        return redirect(groups[0].url)
    return render_page(request, "tenants/home.html")


@require_GET
@requires(*Permission)
def group_home(request: ConsoleRequest) -> HttpResponse:
    """Where the person's work in this group begins."""
    return redirect(request.access.link(request.access.home))
