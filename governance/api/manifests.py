"""Manifests over REST."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from rest_framework.decorators import parser_classes
from rest_framework.parsers import BaseParser, JSONParser
from rest_framework.request import Request
from rest_framework.response import Response

from config.access import Permission
from governance import manifest_formats, pipeline
from governance.api import bodies
from governance.api.authentication import access_of
from governance.api.endpoints import endpoint, group_of, respond
from governance.api.idempotency import Answer, once
from governance.manifest_formats import Beside


class SbomParser(JSONParser):
    """A CycloneDX SBOM under its own media type."""

    media_type = "application/vnd.cyclonedx+json"


class TextParser(BaseParser):
    """A `plugins.txt`."""

    media_type = "text/plain"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:  # noqa: ARG002
        """The text."""
        text: str = stream.read().decode("utf-8", errors="replace")
        return text


@endpoint(
    "POST",
    Permission.MANIFEST_PUSH,
    body=OpenApiTypes.OBJECT,
    answers={200: bodies.ManifestAnswer, 422: bodies.ManifestAnswer},
    summary="Take one tenant's manifest, or a batch",
    tag="governance",
)
@parser_classes([JSONParser, SbomParser, TextParser])
def push_manifests(request: Request) -> Response:
    """Take manifests in JSON, CycloneDX JSON or as Jenkins' plugins.txt, and judge their tenants at once.

    `{"tenant", "host_version", "plugins": {name: version}, "observed_at"?, "complete"?}`, a list of these, or
    `{"manifests": [...]}`. For an SBOM and a plugins.txt, `?tenant=` and `?host_version=` say the rest.
    Each manifest is judged by itself; 422 if none was taken.
    """
    documents = _read(request)

    def receive() -> Answer:
        result = pipeline.receive(
            group_of(request),
            documents,
            actor=access_of(request).actor,
            at=timezone.now(),
            in_background=True,
        )
        body = {"accepted": result.accepted, "refused": result.refused}
        return Answer(body, HTTPStatus.OK if result.accepted else HTTPStatus.UNPROCESSABLE_ENTITY)

    return respond(once(request, "manifest", receive))


def _read(request: Request) -> list[manifest_formats.Judged]:
    beside = Beside(
        tenant=request.query_params.get("tenant", ""),
        host_version=request.query_params.get("host_version", ""),
    )
    if isinstance(request.data, str):
        return [manifest_formats.judge(manifest_formats.read_plugins_txt, request.data, beside)]
    if beside.tenant and isinstance(request.data, dict):
        return [manifest_formats.judge(manifest_formats.read, request.data, beside)]
    return manifest_formats.read_batch(request.data)
