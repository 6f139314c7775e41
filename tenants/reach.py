"""From a person or a token to the Access that they have in a group."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Access, Actor, ActorKind, Permission
from tenants.models import Group, Membership, Role, ServiceToken, User
from tenants.models.membership import ROLE_PERMISSIONS

LONGEST_NAME = 200  # as records keep who acted; a first and a last name may be longer together


def actor_of(user: User) -> Actor:
    """The actor that a person is in the ledger."""
    return Actor(ActorKind.PERSON, user.pk, str(user)[:LONGEST_NAME])


def access_of_person(user: User, group_slug: str) -> Access | None:
    """What the person reaches in the group, None if they don't belong to it.

    Roles add up. A person who is a tenant admin and holds a group role too reaches the whole group.
    """
    memberships = list(
        Membership.objects.valid().filter(user=user, group__slug=group_slug).select_related("group", "user")
    )
    if not memberships or not user.is_active:
        return None
    wide = [m for m in memberships if m.role != Role.TENANT_ADMIN]
    group = memberships[0].group
    return Access(
        actor=actor_of(user),
        group_id=group.pk,
        group_slug=group.slug,
        group_name=group.name,
        permissions=frozenset().union(*(ROLE_PERMISSIONS[m.role] for m in memberships)),
        tenant_ids=None if wide else frozenset(m.tenant_id for m in memberships if m.tenant_id),
        home="overview" if wide else "tenant_home",
    )


def access_of_token(secret: str, *, at: datetime) -> Access | None:
    """What the bearer of the secret reaches, None if no valid token has it."""
    token = ServiceToken.objects.valid(at).filter(digest=_digest(secret)).select_related("group").first()
    if token is None:
        return None
    _mark_used(token, at)
    return Access(
        actor=Actor(ActorKind.SERVICE, token.pk, token.name),
        group_id=token.group_id,
        group_slug=token.group.slug,
        group_name=token.group.name,
        permissions=frozenset(Permission(scope) for scope in token.scopes),
        tenant_ids=None,
    )


@transaction.atomic
def issue_token(
    group: Group,
    *,
    name: str,
    scopes: Iterable[Permission],
    actor: Actor,
    at: datetime,
    expires_at: datetime | None = None,
    secret: str | None = None,
) -> str:
    """Make a token, or replace the one of that name; returns its secret, which is shown only once."""
    secret = secret or f"plb_{secrets.token_urlsafe(32)}"
    names = sorted(str(scope) for scope in scopes)
    token, _ = ServiceToken.objects.update_or_create(
        group=group,
        name=name,
        defaults={"digest": _digest(secret), "scopes": names, "expires_at": expires_at, "revoked_at": None},
    )
    ledger.record(Action.TOKEN_ISSUED, subject=token, actor=actor, at=at, data={"scopes": names})
    return secret


@transaction.atomic
def revoke_token(group: Group, *, name: str, actor: Actor, at: datetime) -> bool:
    """Make the group's token of that name worthless; False if there is no valid one."""
    token = ServiceToken.objects.valid(at).filter(group=group, name=name).first()
    if token is None:
        return False
    ServiceToken.objects.filter(pk=token.pk).update(revoked_at=at)
    ledger.record(Action.TOKEN_REVOKED, subject=token, actor=actor, at=at)
    return True


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _mark_used(token: ServiceToken, at: datetime) -> None:
    # At most one write a minute: the time is for people, not for counting.
    if token.last_used_at is None or at - token.last_used_at > timedelta(minutes=1):
        ServiceToken.objects.filter(pk=token.pk).update(last_used_at=at)
