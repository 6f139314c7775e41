"""What the frame of every page shows of a person's groups."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from config.clocks import Clock
from tenants import preferences
from tenants.models import Group, Membership, Role, User

GOVERNANCE_OFF = (
    "Governance is switched off for this group: nothing is evaluated, simulated, planned or enforced, "
    "and what you see is how things stood before."
)
SYNC_OFF = "Changes to tenants are switched off for this group: plans can be made, but no tenant is touched."

HALTED = "{person} stopped all hand-overs of this group: {reason}"


@dataclass(frozen=True, slots=True)
class GroupLink:
    """One of the person's groups, and where their work in it begins."""

    slug: str
    name: str
    url: str
    roles: list[str]


def groups_context(request: HttpRequest) -> dict[str, Callable[[], Any]]:
    """The person's groups and clock, and what is off in the current group, read only if a template asks."""
    user = getattr(request, "user", None)
    return {
        "clock": functools.cache(lambda: clock_of(user) if isinstance(user, User) else Clock()),
        "groups": functools.cache(lambda: groups_of(user) if isinstance(user, User) else []),
        "flags_off": functools.cache(lambda: _flags_off(getattr(request, "access", None))),
    }


def clock_of(user: User) -> Clock:
    """The clock of where the person is. Its language is the console's; the person's is that of messages."""
    return Clock(preferences.of(user).time_zone)


def groups_of(user: User) -> list[GroupLink]:
    """The groups that the person belongs to, by name."""
    rows = Membership.objects.valid().filter(user=user)
    memberships = rows.select_related("group").order_by("group__name", "role")
    roles: dict[Group, list[Role]] = {}
    for membership in memberships:
        roles.setdefault(membership.group, []).append(Role(membership.role))
    return [_link(group, held) for group, held in roles.items()]


def _link(group: Group, roles: list[Role]) -> GroupLink:
    # A tenant admin of two tenants has two memberships in one role.
    labels = list(dict.fromkeys(str(role.label) for role in roles))
    return GroupLink(group.slug, group.name, reverse("group_home", kwargs={"group": group.slug}), labels)


def _flags_off(access: Any) -> list[str]:
    if access is None:
        return []
    group = Group.objects.get(pk=access.group_id)
    flags = (group.governance_enabled, group.sync_enabled)
    said = [text for on, text in zip(flags, (GOVERNANCE_OFF, SYNC_OFF), strict=True) if not on]
    if group.halted_at is not None:
        said.append(HALTED.format(person=group.halted_by_name, reason=group.halt_reason))
    return said
