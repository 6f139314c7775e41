"""The people of a group, as the endpoints and commands tell of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tenants.models import Deputy, DirectoryPerson, Group, Membership, PolicyOwner, User


def told(group: Group, people: Iterable[User]) -> list[dict[str, Any]]:
    """Each with what they are in the group, what they answer for, and who stands in; none costs a query."""
    listed = list(people)
    rows = {"group": group, "user__in": [person.pk for person in listed]}
    roles: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for role in Membership.objects.filter(**rows).select_related("tenant").order_by("role", "tenant__key"):
        tenant = role.tenant.key if role.tenant else None
        roles[role.user_id].append({"role": role.role, "tenant": tenant, "origin": role.origin})
    policies: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for owner in PolicyOwner.objects.filter(**rows).order_by("policy", "origin"):
        policies[owner.user_id].append({"policy": owner.policy, "origin": owner.origin})
    standing: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in Deputy.objects.filter(group=group).select_related("person", "deputy").order_by("starts_on"):
        standing[row.person_id].append(deputy(row))
    off = set(DirectoryPerson.objects.filter(**rows, disabled=True).values_list("user", flat=True))
    return [
        {
            "person": person.username,
            "email": person.email,
            "disabled": person.pk in off or not person.is_active,
            "roles": roles[person.pk],
            "policies": policies[person.pk],
            "deputies": standing[person.pk],
        }
        for person in listed
    ]


def deputy(row: Deputy) -> dict[str, Any]:
    """Who stands in for whom, with the number that ends it."""
    return {
        "number": row.pk,
        "person": row.person.username,
        "deputy": row.deputy.username,
        "starts_on": row.starts_on.isoformat(),
        "ends_on": row.ends_on.isoformat(),
        "appointed_by": row.appointed_by_name,
    }
