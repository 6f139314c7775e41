"""Puts what the actor may reach on each request, before any view sees it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase

from tenants.models import User
from tenants.reach import access_of_person, actor_of


class AccessMiddleware:
    """Takes the group out of a console address and answers 404 to everyone who doesn't belong to it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand the request on; the work is done once the view is known."""
        return self.get_response(request)

    def process_view(
        self, request: Any, _view: Callable[..., Any], _args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Set request.access and request.actor for addresses with a group."""
        if isinstance(request.user, User):
            request.actor = actor_of(request.user)
        if "group" not in kwargs:
            return None
        slug = kwargs.pop("group")
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        access = access_of_person(request.user, slug)
        if access is None:
            raise Http404
        request.access = access
        return None
