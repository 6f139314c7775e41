"""What the frame of every page shows of governance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest

from governance import notifications


def unread_context(request: HttpRequest) -> dict[str, Callable[[], int]]:
    """How many of the actor's messages in this group are unread, counted only if a template asks."""
    access: Any = getattr(request, "access", None)
    return {"unread": lambda: notifications.unread_count(access) if access else 0}
