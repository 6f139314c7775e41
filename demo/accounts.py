"""The demo's people, one a role, and how they sign in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from django.contrib.auth.hashers import make_password

from config.access import SYSTEM
from config.env import generated_secret
from tenants import groups
from tenants.models import Group, Membership, Role, Tenant, User

ROLES = (Role.OWNER, Role.EDITOR, Role.OPERATOR, Role.APPROVER, Role.AUDITOR)
# A person for each of these tenants, by the name they sign in with.
TENANT_ADMINS: Mapping[str, Mapping[str, str]] = {
    "eclipse": {
        "jdt-admin": "eclipse.jdt",
        "platform-admin": "eclipse.platform",
        "releng-admin": "eclipse.platform.releng",
        "egit-admin": "technology.egit",
        "tcf-admin": "tools.cdt.tcf",
    },
    "powerx": {"tenant-a-admin": "tenant-a", "tenant-b-admin": "tenant-b"},
}


def password() -> str:
    """The demo people's password: made for this installation, so that no default lets a stranger in."""
    return generated_secret("DEMO_PASSWORD")[:16]


def create(group: Group, *, at: datetime) -> None:
    """Make the group's people, unless they are there."""
    # Hashing is slow on purpose; these people share a password, so once is enough.
    hashed = make_password(password())
    for role in ROLES:
        _member(group, f"{group.slug}-{role.value}", role, None, hashed, at)
    tenants = {tenant.key: tenant for tenant in Tenant.objects.filter(group=group)}
    for username, key in TENANT_ADMINS[group.slug].items():
        _member(group, username, Role.TENANT_ADMIN, tenants[key], hashed, at)


def welcome() -> list[str]:
    """What a newcomer needs to sign in; nothing where there are no demo people."""
    known = set(Membership.objects.values_list("user__username", flat=True))
    people = [f"{slug}-owner" for slug in TENANT_ADMINS if f"{slug}-owner" in known]
    if not people:
        return []
    admins = [name for named in TENANT_ADMINS.values() for name in named if name in known]
    others = ", ".join(role.value for role in ROLES[1:])
    return [
        f"Sign in as {' or '.join(people)} with the password {password()}",
        f"(the same for -{others.replace(', ', ', -')}, and for the tenant admins {', '.join(admins)}).",
    ]


def _member(
    group: Group, username: str, role: Role, tenant: Tenant | None, hashed: str, at: datetime
) -> None:
    user, made = User.objects.get_or_create(
        username=username, defaults={"email": f"{username}@{group.slug}.example", "password": hashed}
    )
    if made:
        groups.add_member(group, user, role, tenant=tenant, actor=SYSTEM, at=at)
