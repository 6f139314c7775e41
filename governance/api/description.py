"""The OpenAPI document and a page to read it on, its assets served from here."""

from __future__ import annotations

from typing import Any

from csp.decorators import csp_update
from django.http import HttpResponse
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.access import public

_REASON = "the description of the endpoints holds no data of anyone"
_schema: Any = SpectacularAPIView.as_view(authentication_classes=[], permission_classes=[])
_docs: Any = SpectacularSwaggerSplitView.as_view(
    url_name="api_schema", authentication_classes=[], permission_classes=[]
)


@public(_REASON)
def schema(request: Any) -> HttpResponse:
    """The OpenAPI document."""
    response: HttpResponse = _schema(request)
    return response


# Swagger UI sets style attributes from its own script; the scripts themselves come from files of ours.
@public(_REASON)
@csp_update({"style-src": ["'self'", "'unsafe-inline'"]})
def docs(request: Any) -> HttpResponse:
    """The browsable page."""
    response: HttpResponse = _docs(request)
    return response
