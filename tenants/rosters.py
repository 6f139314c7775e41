"""What a source says about who is responsible, and how that differs from what is known from it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tenants.models import DirectoryPerson, Group, Membership, Origin, PolicyOwner, Role, Tenant, User

_POLICY_LENGTH = 200
_FEW = 3  # so many grants may go at once, whatever share of all they are


class RosterRefused(Exception):
    """A roster that isn't taken over, with nothing changed; the message says why, and what to do."""


@dataclass(frozen=True, order=True, slots=True)
class Grant:
    """What one person is given: a role in the group, a tenant to answer for, or a policy."""

    person: str
    role: str = ""
    tenant: str = ""
    policy: str = ""

    def __str__(self) -> str:
        if self.policy:
            return f"{self.person}: responsible for the policy {self.policy}"
        if self.tenant:
            return f"{self.person}: responsible for the tenant {self.tenant}"
        return f"{self.person}: {Role(self.role).label.lower()} of the group"


@dataclass(frozen=True, slots=True)
class Person:
    """The facts of an account."""

    name: str
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Roster:
    """All that a source says. `disabled` are people whom it knows and who are to reach nothing."""

    people: Mapping[str, Person] = field(default_factory=dict)
    grants: frozenset[Grant] = frozenset()
    disabled: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Change:
    """What taking the roster over would change, or has changed."""

    made: tuple[str, ...] = ()
    renewed: tuple[str, ...] = ()
    given: tuple[Grant, ...] = ()
    taken: tuple[Grant, ...] = ()
    disabled: tuple[str, ...] = ()
    enabled: tuple[str, ...] = ()
    unmatched: tuple[
        Grant, ...
    ] = ()  # no such tenant here, or nobody of that name: no change, but worth a look

    def __bool__(self) -> bool:
        changes = (self.made, self.renewed, self.given, self.taken, self.disabled, self.enabled)
        return any(changes)

    def lines(self) -> list[str]:
        """In words, a line each."""
        return [
            *(f"new account {name}" for name in self.made),
            *(f"name or address of {name}" for name in self.renewed),
            *(f"gives {grant}" for grant in self.given),
            *(f"takes away {grant}" for grant in self.taken),
            *(f"disables {name}: reaches nothing, is told nothing" for name in self.disabled),
            *(f"enables {name} again" for name in self.enabled),
        ]

    def counts(self) -> dict[str, int]:
        """How much of each, for the log."""
        return {"given": len(self.given), "taken": len(self.taken), "disabled": len(self.disabled)}

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "changed": bool(self),
            "changes": self.lines(),
            "unmatched": [str(grant) for grant in self.unmatched],
        }


def differ(have: Collection[Grant], wanted: Collection[Grant]) -> tuple[tuple[Grant, ...], tuple[Grant, ...]]:
    """What is to be given, and what to be taken away; pure."""
    return tuple(sorted(set(wanted) - set(have))), tuple(sorted(set(have) - set(wanted)))


def shrinks_much(have: Collection[object], taken: Collection[object]) -> bool:
    """Whether so much would go that a fault of the source is likelier than so many people leaving; pure."""
    many, everything = 2 * len(taken) > len(have), len(taken) == len(have) > 1
    return everything or (many and len(taken) > _FEW)


def known(group: Group, origin: Origin) -> set[Grant]:
    """What is known from the source now."""
    roles = Membership.objects.filter(group=group, origin=origin)
    owned = PolicyOwner.objects.filter(group=group, origin=origin)
    return {
        *(
            Grant(name, role, tenant=tenant or "")
            for name, role, tenant in roles.values_list("user__username", "role", "tenant__key")
        ),
        *(Grant(name, policy=policy) for name, policy in owned.values_list("user__username", "policy")),
    }


def compare(group: Group, roster: Roster, *, origin: Origin) -> Change:
    """What taking the roster over would change."""
    accounts = _accounts(roster)
    tenants = set(Tenant.objects.filter(group=group).values_list("key", flat=True))
    active = {grant for grant in roster.grants if grant.person not in roster.disabled}
    able = {
        grant
        for grant in active
        if (grant.person in accounts or grant.person in roster.people)
        and (not grant.tenant or grant.tenant in tenants)
        and len(grant.policy) <= _POLICY_LENGTH  # LDAP may say anything; no policy is called that
    }
    given, taken = differ(known(group, origin), able)
    listed = {row.user.username: row for row in _listed(group, origin)}
    disabled, enabled = _disabled(group, roster, listed, origin)
    return Change(
        made=tuple(sorted({grant.person for grant in given} - accounts.keys())),
        renewed=tuple(sorted({*_renewed(roster, listed), *_without_address(group, roster)})),
        given=given,
        taken=taken,
        disabled=disabled,
        enabled=enabled,
        unmatched=tuple(sorted(active - able)),
    )


def check(group: Group, change: Change, *, origin: Origin, shrink: bool) -> None:
    """Refuse what is more likely a fault than meant. Raises RosterRefused."""
    if origin == Origin.LDAP and not shrink:
        _check_shrinking(group, change, origin)
    owners = Membership.objects.valid().filter(group=group, role=Role.OWNER)
    left = {
        (name, kind)
        for name, kind in owners.values_list("user__username", "origin")
        if name not in change.disabled and not (kind == origin and Grant(name, Role.OWNER) in change.taken)
    }
    added = any(grant.role == Role.OWNER for grant in change.given)
    if owners.exists() and not left and not added:
        raise RosterRefused(
            f"{group} would be left without an owner, so nothing was changed. Make somebody an owner first."
        )


def _check_shrinking(group: Group, change: Change, origin: Origin) -> None:
    """People count as well as what they were given: to be disabled takes away what hands gave, too."""
    have = known(group, origin)
    listed = {row.user.username for row in _listed(group, origin) if not row.disabled}
    gone = listed.intersection(change.disabled)
    if shrinks_much(have, change.taken):
        what = f"take away {len(change.taken)} of the {len(have)} responsibilities that it gave"
    elif shrinks_much(listed, gone):
        what = f"disable {len(gone)} of the {len(listed)} people whom it knew"
    else:
        return
    raise RosterRefused(
        f"LDAP would {what}. That looks like a fault there, so nothing was changed. See what it would do "
        "with “manage.py directory preview”; if it is meant, “manage.py directory sync --shrink” does it."
    )


def _accounts(roster: Roster) -> dict[str, User]:
    names = {grant.person for grant in roster.grants} | roster.disabled
    return {user.username: user for user in User.objects.filter(username__in=names)}


def _listed(group: Group, origin: Origin) -> Iterable[DirectoryPerson]:
    return DirectoryPerson.objects.filter(group=group, origin=origin).select_related("user")


def _renewed(roster: Roster, listed: Mapping[str, DirectoryPerson]) -> Iterable[str]:
    """Whose account, made by the source, is no longer as the source has it."""
    for name, row in listed.items():
        person = roster.people.get(name)
        if person is not None and row.account_made:
            now = (row.user.email, row.user.first_name, row.user.last_name)
            if now != (person.email, person.first_name, person.last_name):
                yield name


def _without_address(group: Group, roster: Roster) -> Iterable[str]:
    """Members whose account has no address, be it from elsewhere, while the source knows one."""
    bare = User.objects.filter(memberships__group=group, email="").values_list("username", flat=True)
    return (name for name in bare if name in roster.people and roster.people[name].email)


def _disabled(
    group: Group, roster: Roster, listed: Mapping[str, DirectoryPerson], origin: Origin
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whom the source now calls disabled, and whom no longer.

    Who has left LDAP altogether is disabled as well: a role by hand may be left of them. Where LDAP knows
    nobody it is asked no more, which says nothing of anybody: all stay as they were.
    """
    if origin == Origin.LDAP and not roster.people:
        return (), ()
    members = Membership.objects.filter(group=group, user__username__in=roster.disabled)
    off = set(members.values_list("user__username", flat=True)) | (roster.disabled & listed.keys())
    if origin == Origin.LDAP:
        off |= listed.keys() - roster.people.keys()
    already = {name for name, row in listed.items() if row.disabled}
    return tuple(sorted(off - already)), tuple(sorted(already - off))
