"""Answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import JSONRenderer

from config.texts import tellable_in


class Renderer(JSONRenderer):
    """Sends whatever it quotes, half a surrogate pair as its escape."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The bytes of the answer."""
        try:
            return super().render(data, accepted_media_type, renderer_context)
        except UnicodeEncodeError:
            return super().render(tellable_in(data), accepted_media_type, renderer_context)
