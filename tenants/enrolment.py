"""A roster taken over: accounts, roles and responsibilities as a source has them, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from audit import ledger
from audit.actions import Action
from audit.ledger import Record
from config.access import Actor
from tenants import rosters
from tenants.models import (
    DirectoryPerson,
    Group,
    Membership,
    Origin,
    PolicyOwner,
    Preferences,
    Role,
    Tenant,
    User,
)
from tenants.rosters import Change, Grant, Person, Roster


@dataclass(frozen=True, slots=True)
class _Source:
    group: Group
    origin: Origin


@transaction.atomic
def take(
    group: Group, roster: Roster, *, origin: Origin, actor: Actor, at: datetime, shrink: bool = False
) -> Change:
    """Let the group's directory be as the source has it; what other sources or people's hands gave stays.

    With `shrink`, much may go at once. Raises RosterRefused, with nothing changed.
    """
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)  # two sources at once would miss each other
    ledger.hold(group.pk)  # before the people's rows, as whoever changes those by hand does
    change = rosters.compare(group, roster, origin=origin)
    source = _Source(group, origin)
    if not change:
        _list(source, roster)
        return change
    rosters.check(group, change, origin=origin, shrink=shrink)
    made = _make_accounts(source, [roster.people[name] for name in change.made])
    records = [*made, *_renew(source, roster, change.renewed), *_switch(source, change)]
    records += [*_take_away(source, change.taken), *_give(source, change.given)]
    _list(source, roster)
    data = {"origin": origin.value, "given": len(change.given), "taken": len(change.taken)}
    records.append(Record(Action.DIRECTORY_SYNCED, "group", str(group.pk), str(group), data=data))
    ledger.record_many(records, group_id=group.pk, actor=actor, at=at)
    return change


def _make_accounts(source: _Source, people: Iterable[Person]) -> Iterator[Record]:
    """Accounts without a password: who has one signs in once somebody sets it."""
    for person in people:
        facts = {"email": person.email, "first_name": person.first_name, "last_name": person.last_name}
        user = User.objects.create_user(person.name, **facts)
        DirectoryPerson.objects.create(group=source.group, user=user, origin=source.origin, account_made=True)
        if person.language:
            Preferences.objects.create(user=user, language=person.language)
        data = {"origin": source.origin.value}
        yield Record(Action.PERSON_ADDED, "user", str(user.pk), person.name, data=data)


def _renew(source: _Source, roster: Roster, names: Iterable[str]) -> Iterator[Record]:
    """An account that the source made follows it; another is only given the address that it lacks."""
    made = DirectoryPerson.objects.filter(group=source.group, origin=source.origin, account_made=True)
    own = set(made.values_list("user__username", flat=True))
    for name in names:
        person = roster.people[name]
        user = User.objects.get(username=name)
        user.email = person.email
        if name in own:
            user.first_name, user.last_name = person.first_name, person.last_name
        user.save(update_fields=["email", "first_name", "last_name"])
        data = {"origin": source.origin.value}
        yield Record(Action.PERSON_CHANGED, "user", str(user.pk), name, data=data)


def _switch(source: _Source, change: Change) -> Iterator[Record]:
    """Disable whom the source calls disabled, and enable whom it no longer does."""
    for name in (*change.disabled, *change.enabled):
        off = name in change.disabled
        user = User.objects.get(username=name)
        DirectoryPerson.objects.update_or_create(
            group=source.group, user=user, origin=source.origin, defaults={"disabled": off}
        )
        data = {"origin": source.origin.value, "disabled": off}
        yield Record(Action.PERSON_CHANGED, "user", str(user.pk), name, data=data)


def _take_away(source: _Source, grants: Iterable[Grant]) -> Iterator[Record]:
    roles = {
        Grant(row.user.username, row.role, row.tenant.key if row.tenant else ""): row
        for row in Membership.objects.filter(group=source.group, origin=source.origin).select_related(
            "user", "tenant"
        )
    }
    owned = PolicyOwner.objects.filter(group=source.group, origin=source.origin)
    for grant in grants:
        if grant.policy:
            owned.filter(user__username=grant.person, policy=grant.policy).delete()
            yield _record(source, grant, Action.POLICY_OWNER_ENDED, None)
        else:
            row = roles[grant]
            yield _record(source, grant, Action.MEMBER_REMOVED, row.tenant_id)
            row.delete()


def _give(source: _Source, grants: Iterable[Grant]) -> Iterator[Record]:
    grants = list(grants)
    users = _users(grant.person for grant in grants)
    keys = {grant.tenant for grant in grants}
    tenants = {tenant.key: tenant for tenant in Tenant.objects.filter(group=source.group, key__in=keys)}
    shared = {"group": source.group, "origin": source.origin}
    owners = [PolicyOwner(user=users[g.person], policy=g.policy, **shared) for g in grants if g.policy]
    PolicyOwner.objects.bulk_create(owners)
    Membership.objects.bulk_create(
        Membership(user=users[g.person], role=Role(g.role), tenant=tenants.get(g.tenant), **shared)
        for g in grants
        if not g.policy
    )
    for grant in grants:
        action = Action.POLICY_OWNER_NAMED if grant.policy else Action.MEMBER_ADDED
        tenant = tenants.get(grant.tenant)
        yield _record(source, grant, action, tenant.pk if tenant else None)


def _list(source: _Source, roster: Roster) -> None:
    """Remember whom LDAP knows, so that it is noticed when they leave; a file lists only what it adds."""
    if source.origin != Origin.LDAP:
        return
    members = User.objects.filter(memberships__group=source.group).exclude(
        listed__group=source.group, listed__origin=source.origin
    )
    DirectoryPerson.objects.bulk_create(
        DirectoryPerson(group=source.group, user=user, origin=source.origin)
        for user in members.distinct()
        if user.username in roster.people
    )


def _users(names: Iterable[str]) -> Mapping[str, User]:
    return {user.username: user for user in User.objects.filter(username__in=set(names))}


def _record(source: _Source, grant: Grant, action: Action, tenant_id: int | None) -> Record:
    data = {
        "person": grant.person,
        "role": grant.role or None,
        "tenant": grant.tenant or None,
        "policy": grant.policy or None,
        "origin": source.origin.value,
    }
    kind = "policyowner" if grant.policy else "membership"
    return Record(action, kind, "", str(grant), tenant_id, data)
