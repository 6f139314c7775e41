"""Who calls: the bearer of a service token."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from config.access import Access
from tenants.reach import access_of_token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`; the request's `auth` is then the Access that the token gives."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Access] | None:
        """No header: nobody. A wrong one: refused."""
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        access = access_of_token(secret.strip(), at=timezone.now()) if scheme.lower() == "bearer" else None
        if access is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked.")
        return AnonymousUser(), access

    def authenticate_header(self, _request: Request) -> str:
        """What a 401 names."""
        return 'Bearer realm="plumbline"'


def access_of(request: Request) -> Access:
    """What the caller's token gives; every endpoint has asked for a token before."""
    access: Any = request.auth
    assert isinstance(access, Access)
    return access


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names the token."""

    target_class = "governance.api.authentication.TokenAuthentication"
    name = "serviceToken"

    def get_security_definition(self, _auto_schema: object) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer", "description": "A service token with the scope named."}
