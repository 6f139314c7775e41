"""What a person sees when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from config.lifecycle import TransitionError


class TransitionErrorMiddleware:
    """Answers 409 when someone else was faster, so that no view has to catch it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on."""
        return self.get_response(request)

    def process_exception(self, request: Any, exception: Exception) -> HttpResponse | None:
        """The page for it, or a toast where HTMX would swap the answer into a page."""
        if not isinstance(exception, TransitionError):
            return None
        told = {"reason": exception, "typed": request.POST.get("reason", "")}
        if not request.htmx:
            return render(request, "409.html", {**told, "back": _came_from(request)}, status=409)
        toast = render(request, "includes/_conflict.html", told, status=409)
        toast["HX-Retarget"] = "#toasts"
        toast["HX-Reswap"] = "beforeend"
        return toast


def _came_from(request: HttpRequest) -> str:
    """The page of ours on which the form was, empty where that isn't known."""
    page = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        page, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return page if is_ours else ""
