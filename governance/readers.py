"""Whom messages are for, and what each of them reaches in the group."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from governance.models import Notification
from tenants.models import Membership, Role, Tenant, User


@dataclass(frozen=True, slots=True)
class Reader:
    """A person who belongs to a group."""

    user: User
    tenants: Mapping[str, Tenant] | None  # by key; None: every tenant of the group

    def beyond(self, named: Collection[str]) -> list[str]:
        """Those of the tenants named that the reader doesn't reach."""
        return [] if self.tenants is None else sorted(set(named) - set(self.tenants))


def of_group(group_id: int, *, names: Collection[str]) -> dict[str, Reader]:
    """Those of these people who belong to the group now, by name; nobody who is disabled."""
    memberships = (
        Membership.objects.valid()
        .filter(group_id=group_id, user__username__in=names)
        .select_related("user", "tenant")
    )
    readers: dict[str, Reader] = {}
    for membership in memberships:
        name = membership.user.username
        before = readers.get(name, Reader(membership.user, {}))
        if membership.role != Role.TENANT_ADMIN or before.tenants is None:
            readers[name] = replace(before, tenants=None)
        elif membership.tenant is not None:
            tenants = {**before.tenants, membership.tenant.key: membership.tenant}
            readers[name] = replace(before, tenants=tenants)
    return readers


def tenants_in(message: Notification) -> set[str]:
    """The keys of the tenants that a message speaks of."""
    named = {str(line.get("tenant")) for line in message.content.get("lines", []) if line.get("tenant")}
    return named | ({message.tenant.key} if message.tenant else set())
