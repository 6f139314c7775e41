"""What a person sees when something goes wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

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
        if not request.htmx:
            return render(request, "409.html", {"reason": exception}, status=409)
        toast = render(request, "includes/_conflict.html", {"reason": exception}, status=409)
        toast["HX-Retarget"] = "#toasts"
        toast["HX-Reswap"] = "beforeend"
        return toast
