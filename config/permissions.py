"""What holds for an endpoint that names no rule of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission

if TYPE_CHECKING:  # the library reads this module while it still imports its views
    from rest_framework.request import Request
    from rest_framework.views import APIView


class Nobody(BasePermission):
    """Refuses everybody: an endpoint without a rule is a mistake, not an open door."""

    def has_permission(self, _request: Request, _view: APIView) -> bool:
        """Never."""
        return False
