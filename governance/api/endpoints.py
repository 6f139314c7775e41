"""What all endpoints share: the method, the token's scope, and how they answer."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import api_view, authentication_classes, permission_classes
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.access import Access, Permission
from governance.api import problems
from governance.api.authentication import TokenAuthentication, access_of
from governance.api.idempotency import HEADER, Answer
from tenants.models import Group

View = Callable[..., HttpResponse]

_KEY = OpenApiParameter(
    HEADER,
    str,
    OpenApiParameter.HEADER,
    description="The same key with the same body gets the first answer again and does nothing.",
)


def endpoint(
    method: str,
    permission: Permission,
    *,
    body: Any = None,
    answers: Any,
    summary: str,
    tag: str,
    required_key: bool = False,
) -> Callable[[View], Any]:
    """A view of one method that needs a token with the scope `permission`."""

    class HoldsScope(BasePermission):
        message = f"The token lacks the scope {permission}."

        def has_permission(self, request: Request, _view: APIView) -> bool:
            return isinstance(request.auth, Access) and request.auth.allows(permission)

    def decorate(view: View) -> Any:
        keyed = [] if method == "GET" else [_KEY if not required_key else _required(_KEY)]
        described = extend_schema(
            operation_id=view.__name__,
            request=body,
            responses=answers,
            summary=summary,
            description=f"{view.__doc__}\n\nScope: `{permission}`.",
            tags=[tag],
            parameters=keyed,
        )
        guarded: Any = api_view([method])(
            permission_classes([HoldsScope])(authentication_classes([TokenAuthentication])(_buffered(view)))
        )
        guarded = described(guarded)
        guarded.access_rule = (permission,)
        return guarded

    return decorate


def group_of(request: Request) -> Group:
    """The group that the token acts on."""
    return Group.objects.get(pk=access_of(request).group_id)


def respond(answer: Answer) -> Response:
    """The answer as JSON, marked if it was given before."""
    kind = problems.CONTENT_TYPE if answer.status >= HTTPStatus.BAD_REQUEST else None
    response = Response(answer.body, status=answer.status, content_type=kind)
    if answer.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def _buffered(view: View) -> View:
    """Read the body before a parser does: what a parser has read from the wire can't be read again."""

    @functools.wraps(view)
    def read(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        _ = request.body
        return view(request, *args, **kwargs)

    return read


def _required(parameter: OpenApiParameter) -> OpenApiParameter:
    return OpenApiParameter(
        parameter.name,
        str,
        OpenApiParameter.HEADER,
        description=parameter.description or "",
        required=True,
    )
