"""The metrics, for a scraper with a token or an owner who looks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.access import Permission, public
from governance import metrics
from tenants.models import Membership, Role, User
from tenants.reach import access_of_token


@require_GET
@public("asks by itself for a service token with metrics.read, or for an owner's session")
def metrics_view(request: HttpRequest) -> HttpResponse:
    """The figures of the token's group, or of the groups that the signed-in person owns."""
    groups = _groups(request)
    if groups is None:
        return HttpResponse(
            "A service token with the scope metrics.read is needed.\n",
            status=401,
            content_type="text/plain",
            headers={"WWW-Authenticate": 'Bearer realm="plumbline"'},
        )
    return HttpResponse(metrics.scrape(groups, at=timezone.now()), content_type=metrics.CONTENT_TYPE)


def _groups(request: HttpRequest) -> list[int] | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        access = access_of_token(secret.strip(), at=timezone.now()) if scheme.lower() == "bearer" else None
        return [access.group_id] if access and access.allows(Permission.METRICS_READ) else None
    user: Any = request.user
    if not isinstance(user, User):
        return None
    owned = Membership.objects.filter(user=user, role=Role.OWNER).values_list("group_id", flat=True)
    return list(owned) or None
