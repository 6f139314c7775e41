"""The catalogue over REST."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import pipeline
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once


@endpoint(
    "POST",
    Permission.CATALOGUE_EDIT,
    body=OpenApiTypes.OBJECT,
    answers=bodies.Document,
    summary="Load plugins and releases",
    tag="governance",
)
def load_catalogue(request: Request) -> Response:
    """Take catalogue documents, all or none; the same again changes nothing.

    `[{"plugin", "scheme", "releases": [{"version", "released_at"?, "requires"?, ...}], "advisories"?}]`.
    """

    def load() -> Answer:
        group, at = group_of(request), timezone.now()
        result = pipeline.load_catalogue(group, request.data, actor=access_of(request).actor, at=at)
        return Answer(result.figures())

    return respond(once(request, "catalogue", load))
