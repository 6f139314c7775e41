"""Who is responsible for what, and who is therefore told: the one place that is asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from tenants import deputies
from tenants.models import Membership, PolicyOwner, Role, User


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of what: those responsible and who stands in for them, each as far as they reach it."""

    tenants: Mapping[int, list[User]]  # by tenant id; a tenant with nobody is missing
    policies: Mapping[str, list[User]]  # by the policy's name, besides the owners
    owners: list[User]

    def summary_readers(self) -> list[tuple[list[User], frozenset[str] | None]]:
        """Who reads what is told of the group: its owners all of it, others what concerns their policies.

        Those who answer for the same policies read the same.
        """
        names: dict[int, set[str]] = {}
        people: dict[int, User] = {}
        owners = {owner.pk for owner in self.owners}
        for policy, users in self.policies.items():
            for user in users:
                if user.pk not in owners:
                    people[user.pk] = user
                    names.setdefault(user.pk, set()).add(policy)
        alike: dict[frozenset[str], list[User]] = {}
        for pk, owned in names.items():
            alike.setdefault(frozenset(owned), []).append(people[pk])
        return [(self.owners, None), *((readers, owned) for owned, readers in alike.items())]


@dataclass(slots=True)
class _Reach:
    user: User
    whole_group: bool = False
    owns: bool = False
    tenants: set[int] = field(default_factory=set)


def told(group_id: int, tenant_ids: Collection[int], *, at: datetime) -> Told:
    """Who is told of these tenants, of the group's policies, and of the group."""
    reaches = _reaches(group_id, tenant_ids)
    circle = _Circle(reaches, deputies.standing(group_id, at=at))
    policies: dict[str, list[int]] = {}
    for owner in PolicyOwner.objects.filter(group_id=group_id, user__in=reaches):
        policies.setdefault(owner.policy, []).append(owner.user_id)
    admins: dict[int, list[int]] = {}
    for pk, reach in reaches.items():
        for tenant_id in reach.tenants:
            admins.setdefault(tenant_id, []).append(pk)
    return Told(
        tenants={tenant_id: circle.of(people, tenant_id) for tenant_id, people in admins.items()},
        policies={name: found for name, people in policies.items() if (found := circle.of(people))},
        owners=circle.of([pk for pk, reach in reaches.items() if reach.owns]),
    )


def admins_of(tenant_ids: Iterable[int]) -> dict[int, list[User]]:
    """The tenant admins by tenant id, without who stands in; a tenant without any is missing."""
    found: dict[int, dict[int, User]] = {}
    memberships = Membership.objects.valid().filter(role=Role.TENANT_ADMIN, tenant_id__in=list(tenant_ids))
    for membership in memberships.select_related("user").order_by("user__username"):
        if membership.tenant_id is not None:
            found.setdefault(membership.tenant_id, {})[membership.user_id] = membership.user
    return {tenant_id: list(people.values()) for tenant_id, people in found.items()}


@dataclass(frozen=True, slots=True)
class _Circle:
    """People, and who stands in for whom."""

    reaches: Mapping[int, _Reach]
    standing: Mapping[int, list[int]]

    def of(self, people: Iterable[int], tenant_id: int | None = None) -> list[User]:
        """The people and their deputies who reach the tenant, or the whole group, by name."""
        asked = [pk for person in people for pk in (person, *deputies.stand_ins(person, self.standing))]
        reached = {pk: self.reaches[pk] for pk in asked if pk in self.reaches}
        users = [r.user for r in reached.values() if r.whole_group or tenant_id in r.tenants]
        return sorted(users, key=lambda user: user.username)


def _reaches(group_id: int, tenant_ids: Collection[int]) -> dict[int, _Reach]:
    concerned = ~Q(role=Role.TENANT_ADMIN) | Q(tenant__in=list(tenant_ids))
    memberships = Membership.objects.valid().filter(concerned, group_id=group_id)
    reaches: dict[int, _Reach] = {}
    for membership in memberships.select_related("user").order_by("user__username"):
        reach = reaches.setdefault(membership.user_id, _Reach(membership.user))
        if membership.tenant_id is not None:
            reach.tenants.add(membership.tenant_id)
        else:
            reach.whole_group = True
            reach.owns = reach.owns or membership.role == Role.OWNER
    return reaches
