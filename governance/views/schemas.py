"""The published JSON Schemas of the YAML files, where editors look for them."""

from __future__ import annotations

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.http import require_GET

from config.access import public
from governance.documents import schemas


@require_GET
@public("The schemas describe the product, not any group.")
def schema(request: HttpRequest, name: str) -> JsonResponse:  # noqa: ARG001 - Django calls it so
    """One schema. Their references to each other are relative, and so hold here."""
    if name not in schemas.NAMES:
        raise Http404
    return JsonResponse(schemas.schema(name), content_type="application/schema+json")
