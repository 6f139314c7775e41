"""The people of a group, and what its owners may change of them."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from audit import ledger
from audit.actions import Action
from audit.ledger import Record
from config.access import Access, Actor, ActorKind
from tenants.models import DirectoryPerson, Group, Membership, Origin, Role, User

_OFFERED = 300


class AddressRefused(Exception):
    """An address that isn't for this group's owners to change; the message says why."""


def within(access: Access) -> QuerySet[User]:
    """Those who have a role in the group, the disabled among them; only for who reaches the whole group."""
    memberships = Membership.objects.within(access) if access.whole_group else Membership.objects.none()
    return User.objects.filter(pk__in=memberships.values("user"))


def by_name(access: Access, *, but: int) -> QuerySet[User]:
    """Those within the actor's reach who may be named, without one person; as many as a form can offer."""
    answering = Membership.objects.valid().within(access)
    return (
        User.objects.filter(pk__in=answering.values("user")).exclude(pk=but).order_by("username")[:_OFFERED]
    )


@transaction.atomic
def change_address(group: Group, person: User, email: str, *, actor: Actor, at: datetime) -> bool:
    """Send the person's mail to this address from now on; False if it is so already. Raises AddressRefused.

    An account may belong to several groups: where it does, each of them has to be the actor's own.
    """
    ledger.hold(group.pk)
    if reason := fixed(group, person, actor):
        raise AddressRefused(reason)
    if not User.objects.filter(pk=person.pk).exclude(email=email).update(email=email):
        return False
    person.email = email
    _record(group, person, {"address": email or None}, actor=actor, at=at)
    return True


@transaction.atomic
def enable(group: Group, person: User, *, actor: Actor, at: datetime) -> bool:
    """Let somebody reach the group again whom a directory had disabled; False if nobody has."""
    ledger.hold(group.pk)
    rows = DirectoryPerson.objects.filter(group=group, user=person, disabled=True)
    if not rows.update(disabled=False):
        return False
    _record(group, person, {"disabled": False}, actor=actor, at=at)
    return True


def fixed(group: Group, person: User, actor: Actor) -> str:
    """Why the actor can't change the person's address; empty where they can."""
    made = DirectoryPerson.objects.filter(user=person, account_made=True).first()
    if made is not None:
        return f"The account follows {_SOURCES[Origin(made.origin)]}: change the address there."
    if actor.kind == ActorKind.SYSTEM:  # at the command line
        return ""
    elsewhere = Membership.objects.filter(user=person).exclude(group__in=_owned(group, actor)).exists()
    if elsewhere or (person.is_superuser and not _is(person, actor)):
        return "The account isn’t this group’s alone: whoever runs Plumbline changes its address."
    return ""


def _owned(group: Group, actor: Actor) -> QuerySet[Group]:
    """The groups that the actor may speak for: a person's own, and the one that a service's token is of."""
    if actor.kind == ActorKind.SERVICE:
        return Group.objects.filter(pk=group.pk)
    owner = Membership.objects.valid().filter(user=actor.id, role=Role.OWNER)
    return Group.objects.filter(pk__in=owner.values("group"))


def _is(person: User, actor: Actor) -> bool:
    """A token has numbers of its own."""
    return actor.kind == ActorKind.PERSON and actor.id == person.pk


_SOURCES = {Origin.FILE: "the directory file", Origin.LDAP: "LDAP", Origin.HAND: "another source"}


def _record(group: Group, person: User, data: dict[str, object], *, actor: Actor, at: datetime) -> None:
    data = {"origin": Origin.HAND.value, **data}
    record = Record(Action.PERSON_CHANGED, "user", str(person.pk), person.username, data=data)
    ledger.record_many([record], group_id=group.pk, actor=actor, at=at)
