"""Services that call the endpoints."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM, Permission
from tenants import reach
from tenants.models import Group
from tests.factories import AT, World


@dataclass
class Service:
    """A service with a token."""

    secret: str

    def post(self, path: str, body: Any = None, *, key: str = "", kind: str = "application/json") -> Any:
        """POST under /internal/."""
        headers = {"Authorization": f"Bearer {self.secret}", **({"Idempotency-Key": key} if key else {})}
        data = body if isinstance(body, str) else json.dumps({} if body is None else body)
        response: Any = Client().post(f"/internal/{path}", data, content_type=kind, headers=headers)
        return response

    def get(self, path: str) -> Any:
        """GET under /internal/."""
        return Client().get(f"/internal/{path}", headers={"Authorization": f"Bearer {self.secret}"})


Issue = Callable[..., Service]


@pytest.fixture
def service(world: World) -> Issue:
    """A service of the world's group, or of another one, with these scopes."""

    def issue(*scopes: Permission, group: Group | None = None) -> Service:
        secret = reach.issue_token(group or world.group, name="test", scopes=scopes, actor=SYSTEM, at=AT)
        return Service(secret)

    return issue
