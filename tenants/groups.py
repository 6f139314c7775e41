"""Groups, their tenants and their members, as they are made and changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from tenants.models import Group, Language, Membership, Origin, Role, Tenant, User


class LastOwner(Exception):
    """A group keeps somebody who owns it."""

    def __init__(self, membership: Membership) -> None:
        super().__init__(
            f"{membership.user} is the only owner of {membership.group}: make somebody else an owner first."
        )


class LanguageFiled(Exception):
    """What the directory file says isn't changed by hand."""

    def __init__(self, group: Group) -> None:
        super().__init__(f"The directory file says which language {group} is told in. Change it there.")


@dataclass(frozen=True, slots=True)
class NewTenant:
    """A tenant to be added. `key` is the name that manifests and policies use."""

    key: str
    name: str = ""
    tier: str = "standard"
    labels: Mapping[str, str] = field(default_factory=dict)


@transaction.atomic
def create_group(
    *,
    slug: str,
    name: str,
    default_scheme: str = "semver",
    host_name: str = "host",
    actor: Actor,
    at: datetime,
) -> Group:
    """Make a group. `default_scheme` orders the versions of plugins that its catalogue doesn't know."""
    group = Group.objects.create(slug=slug, name=name, default_scheme=default_scheme, host_name=host_name)
    data = {"created": True, "default_scheme": default_scheme, "host": host_name}
    ledger.record(Action.GROUP_CHANGED, subject=group, actor=actor, at=at, data=data)
    return group


@transaction.atomic
def speak(group: Group, language: str, *, actor: Actor, at: datetime) -> bool:
    """Have the group's team chats told in this language, those that have none of their own.

    False if they are already. Raises LanguageFiled where the directory file says it.
    """
    ledger.hold(group.pk)
    if Group.objects.filter(pk=group.pk, language_filed=True).exists():
        raise LanguageFiled(group)
    return _speak(group, language, actor=actor, at=at)


@transaction.atomic
def speak_as_filed(group: Group, language: str | None, *, actor: Actor, at: datetime) -> None:
    """The same as the directory file says; None where it says nothing.

    What it said before ends then, and what people chose stays.
    """
    ledger.hold(group.pk)
    if language is None and not Group.objects.filter(pk=group.pk, language_filed=True).exists():
        return
    _speak(group, language or Language.ENGLISH, actor=actor, at=at)
    Group.objects.filter(pk=group.pk).update(language_filed=language is not None)


def _speak(group: Group, language: str, *, actor: Actor, at: datetime) -> bool:
    if not Group.objects.filter(pk=group.pk).exclude(language=language).update(language=language):
        return False
    ledger.record(Action.GROUP_CHANGED, subject=group, actor=actor, at=at, data={"language": language})
    return True


@transaction.atomic
def add_tenants(group: Group, tenants: Iterable[NewTenant], *, actor: Actor, at: datetime) -> list[Tenant]:
    """Add those whose key the group doesn't have yet, and return only these."""
    known = set(Tenant.objects.filter(group=group).values_list("key", flat=True))
    wanted = {tenant.key: tenant for tenant in tenants if tenant.key not in known}
    added = Tenant.objects.bulk_create(
        Tenant(group=group, key=new.key, name=new.name, tier=new.tier, labels=dict(new.labels))
        for new in wanted.values()
    )
    records = [
        ledger.Record(
            Action.TENANT_ADDED, "tenant", str(tenant.pk), str(tenant), tenant.pk, {"tier": tenant.tier}
        )
        for tenant in added
    ]
    if records:
        ledger.record_many(records, group_id=group.pk, actor=actor, at=at)
    return added


@transaction.atomic
def add_member(
    group: Group,
    user: User,
    role: Role,
    *,
    tenant: Tenant | None = None,
    origin: Origin = Origin.HAND,
    actor: Actor,
    at: datetime,
) -> Membership:
    """Give a person a role in the group; a tenant admin's names the tenant. Given twice, it is held once."""
    membership, created = Membership.objects.get_or_create(
        group=group, user=user, role=role, tenant=tenant, origin=origin
    )
    if created:
        ledger.record(Action.MEMBER_ADDED, subject=membership, actor=actor, at=at, data=_said(membership))
    return membership


@transaction.atomic
def remove_member(membership: Membership, *, actor: Actor, at: datetime) -> None:
    """Take a role away, as far as it is known from this origin. Raises LastOwner."""
    ledger.hold(membership.group_id)
    others = Membership.objects.valid().filter(group_id=membership.group_id, role=Role.OWNER)
    if membership.role == Role.OWNER and not others.exclude(pk=membership.pk).exists():
        raise LastOwner(membership)
    said = ledger.Record(
        Action.MEMBER_REMOVED,
        "membership",
        str(membership.pk),
        str(membership),
        membership.tenant_id,
        _said(membership),
    )
    gone, _ = Membership.objects.filter(pk=membership.pk).delete()
    if gone:
        ledger.record_many([said], group_id=membership.group_id, actor=actor, at=at)


def _said(membership: Membership) -> dict[str, str | None]:
    return {
        "person": membership.user.username,
        "role": membership.role,
        "tenant": membership.tenant.key if membership.tenant else None,
        "origin": membership.origin,
    }
