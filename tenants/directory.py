"""Who is responsible for what."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from tenants.models import Membership, Role, User


def admins_of(tenant_ids: Iterable[int]) -> dict[int, list[User]]:
    """The tenant admins by tenant id; a tenant without any is missing from the answer."""
    found: dict[int, list[User]] = {}
    memberships = Membership.objects.filter(
        role=Role.TENANT_ADMIN, tenant_id__in=list(tenant_ids), user__is_active=True
    ).select_related("user")
    for membership in memberships.order_by("user__username"):
        if membership.tenant_id is not None:
            found.setdefault(membership.tenant_id, []).append(membership.user)
    return found


def owners_of(group_id: int) -> QuerySet[User]:
    """The people who own the group, by name."""
    return User.objects.filter(
        memberships__group_id=group_id, memberships__role=Role.OWNER, is_active=True
    ).order_by("username")
