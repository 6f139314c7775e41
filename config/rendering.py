"""A page or only a part of it: the one place that knows how HTMX asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.messages import get_messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django_htmx.http import HttpResponseClientRedirect

from config.access import Access, ConsoleRequest
from config.navigation import navigation

# What the choice between page and part depends on, so that no cache gives one for the other.
VARY = ("HX-Request", "HX-Target", "HX-Boosted", "HX-History-Restore-Request")


def page_context(request: HttpRequest) -> dict[str, Any]:
    """What every template may rely on: the reach of the request, the navigation and one time for the page."""
    access: Access | None = getattr(request, "access", None)
    return {
        "access": access,
        "actor": getattr(request, "actor", None),
        # A callable, so that fragments, which show no navigation, don't build it.
        "nav": lambda: navigation(access, request.path) if access else [],
        "at": timezone.now(),
    }


def wants_fragment(request: Any) -> bool:
    """Whether HTMX will swap the answer into a page that is there already."""
    htmx = request.htmx
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def render_page(
    request: Any,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    fragments: Mapping[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the page, or the fragment whose element HTMX asks to swap.

    `fragments` names the underscore template for each element id that may be asked for alone.
    """
    target = request.htmx.target if wants_fragment(request) else None
    fragment = (fragments or {}).get(target or "")
    if fragment is not None:
        return render_fragment(request, fragment, context, status=status)
    return _varying(render_to_string(template, dict(context or {}), request), status)


def render_fragment(
    request: Any, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render one fragment, with the messages that are waiting as toasts beside it."""
    html = render_to_string(template, dict(context or {}), request)
    if wants_fragment(request) and len(get_messages(request)):
        html += render_to_string("includes/_toasts.html", {"out_of_band": True}, request)
    return _varying(html, status)


def redirect_to(request: ConsoleRequest, name: str, *args: Any, query: str = "") -> HttpResponse:
    """Send the person to another page of the group after a change."""
    address = request.access.link(name, *args) + (f"?{query}" if query else "")
    if request.htmx:
        return HttpResponseClientRedirect(address)
    response: HttpResponse = redirect(address)
    response.status_code = 303  # the next request is a GET, whatever this one was
    return response


def _varying(html: str, status: int) -> HttpResponse:
    response = HttpResponse(html, status=status)
    patch_vary_headers(response, VARY)
    return response
