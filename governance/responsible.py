"""Who is responsible for tenants and policies, as the directory's pages show it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from config.access import Access
from tenants import deputies
from tenants.models import Membership, Origin, PolicyOwner, Role, User


@dataclass(frozen=True, slots=True)
class Answering:
    """One person who answers for something, from where that is known, and who stands in now."""

    row: int  # of the membership, or of who answers for the policy
    person: User
    origin: str
    off: bool  # disabled: told nothing
    deputies: tuple[User, ...]

    @property
    def by_hand(self) -> bool:
        """Whether it can be ended here: what the file or LDAP gave is changed there."""
        return self.origin == Origin.HAND

    @property
    def known_from(self) -> str:
        """The origin in words."""
        return str(Origin(self.origin).label)


def of_tenants(access: Access, tenant_ids: Iterable[int], *, at: datetime) -> dict[int, list[Answering]]:
    """Who answers for the tenants within reach."""
    rows = Membership.objects.within(access).filter(role=Role.TENANT_ADMIN, tenant__in=list(tenant_ids))
    found: dict[int, list[Answering]] = {}
    answering = _Answering(access, at)
    for row in rows.select_related("user").order_by("user__username", "origin"):
        if row.tenant_id is not None:
            found.setdefault(row.tenant_id, []).append(answering.of(row))
    return found


def of_policies(access: Access, names: Iterable[str], *, at: datetime) -> dict[str, list[Answering]]:
    """Who answers for the policies, by name."""
    rows = PolicyOwner.objects.within(access).filter(policy__in=list(names))
    found: dict[str, list[Answering]] = {}
    answering = _Answering(access, at)
    for row in rows.select_related("user").order_by("user__username", "origin"):
        found.setdefault(row.policy, []).append(answering.of(row))
    return found


class _Answering:
    """What is the same for each row of a page: who is disabled, and who stands in for whom."""

    def __init__(self, access: Access, at: datetime) -> None:
        off = User.objects.filter(listed__group=access.group_id, listed__disabled=True)
        self._off = set(off.values_list("pk", flat=True))
        self._standing = deputies.standing(access.group_id, at=at)
        stands_in = {pk for found in self._standing.values() for pk in found}
        self._users = User.objects.in_bulk(stands_in) if stands_in else {}

    def of(self, row: Membership | PolicyOwner) -> Answering:
        """The row as it is shown."""
        found = (self._users.get(pk) for pk in self._standing.get(row.user_id, ()))
        off = row.user_id in self._off or not row.user.is_active
        return Answering(row.pk, row.user, row.origin, off, tuple(user for user in found if user))
