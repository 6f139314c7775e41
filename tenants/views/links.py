"""Links from messages into the console."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from config.access import signed_in
from config.rendering import render_page
from tenants import links
from tenants.links import LinkExpired, LinkUnknown
from tenants.reach import access_of_person


@signed_in
@require_GET
def follow(request: HttpRequest, token: str) -> HttpResponse:
    """On to the page that the link names, whose own rules answer; an expired link leads to the inbox."""
    user: Any = request.user  # signed_in admits nobody else
    try:
        page = links.opened(token, user=user)
    except LinkUnknown as error:
        raise Http404 from error
    except LinkExpired as expired:
        member = access_of_person(user, expired.group) is not None
        inbox = reverse("notification_list", args=[expired.group]) if member else reverse("home")
        return render_page(request, "tenants/expired.html", {"inbox": inbox, "member": member}, status=410)
    return redirect(page.path)
