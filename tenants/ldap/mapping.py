"""What LDAP's entries mean: a group's mapping, and the roster that entries make by it; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Values
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from ldap3.core.exceptions import LDAPInvalidDnError
from ldap3.utils.dn import parse_dn

from tenants.models import Language, Role
from tenants.rosters import Grant, Person, Roster

_NAME_LENGTH, _FACT_LENGTH = 150, 150


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of LDAP; its attributes' names are in lower case."""

    dn: str
    values: Values[str, list[str]]

    def all(self, attribute: str) -> list[str]:
        """The values of the attribute, none if the mapping names no attribute."""
        return self.values.get(attribute.lower(), []) if attribute else []

    def first(self, attribute: str) -> str:
        """Its first value, empty if it has none."""
        return next(iter(self.all(attribute)), "").strip()


@dataclass(frozen=True, slots=True)
class People:
    """Where people are, and which of their attributes say what."""

    base: str
    filter: str = "(objectClass=person)"
    disabled: str = ""  # a filter: who matches it
    name: str = "uid"
    email: str = "mail"
    first_name: str = "givenName"
    last_name: str = "sn"
    language: str = "preferredLanguage"
    tenants: str = ""
    policies: str = ""

    def attributes(self) -> list[str]:
        """What is asked for."""
        named = (self.name, self.email, self.first_name, self.last_name, self.language)
        return [name for name in (*named, self.tenants, self.policies) if name]


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups each of which stands for a tenant or a policy that its members answer for."""

    base: str
    filter: str = "(objectClass=groupOfNames)"
    name: str = "cn"
    prefix: str = ""
    member: str = "member"
    members: str = "dn"  # or "name": what the values of `member` are


@dataclass(frozen=True, slots=True)
class Mapping:
    """What is read for one group. `roles` are LDAP groups whose members get a role."""

    people: People
    roles: tuple[tuple[str, Groups], ...] = ()
    tenants: Groups | None = None
    policies: Groups | None = None


def mapping_of(document: Values[str, Any]) -> Mapping:
    """The `ldap` part of a group's directory file, which its schema has accepted."""
    roles = [
        (role["name"], Groups(**{"base": role["group"], **_besides(role, "name", "group")}))
        for role in document.get("roles", [])
    ]
    tenants, policies = document.get("tenants"), document.get("policies")
    return Mapping(
        people=People(**document["people"]),
        roles=tuple(roles),
        tenants=Groups(**tenants) if tenants else None,
        policies=Groups(**policies) if policies else None,
    )


@dataclass(frozen=True, slots=True)
class Found:
    """The entries that LDAP answered with; groups of roles by the role."""

    people: list[Entry]
    disabled: list[Entry]
    roles: list[tuple[str, Groups, Entry]]
    tenants: list[Entry]
    policies: list[Entry]


def roster_of(mapping: Mapping, found: Found) -> Roster:
    """What the entries say. A person without a name that one can sign in with is left out."""
    people = {entry.dn: person for entry in found.people if (person := _person(mapping.people, entry))}
    names = {same_dn(dn): person.name for dn, person in people.items()}
    known = _Known(names, frozenset(person.name for person in people.values()))
    grants: set[Grant] = set()
    for role, groups, entry in found.roles:
        grants |= {Grant(name, role) for name in known.members(groups, entry)}
    for entry in found.tenants:
        grants |= set(_of_group(known, mapping.tenants, entry, True))
    for entry in found.policies:
        grants |= set(_of_group(known, mapping.policies, entry, False))
    for entry in found.people:
        if entry.dn in people:
            grants |= set(_of_person(mapping.people, people[entry.dn].name, entry))
    disabled = frozenset(names[same_dn(e.dn)] for e in found.disabled if same_dn(e.dn) in names)
    return Roster({person.name: person for person in people.values()}, frozenset(grants), disabled)


def same_dn(dn: str) -> tuple[tuple[str, str], ...]:
    """A distinguished name in a form in which two ways of writing it are equal."""
    try:
        parts = parse_dn(dn, escape=False, strip=True)
    except LDAPInvalidDnError:
        return (("", dn.casefold()),)
    return tuple((attribute.casefold(), value.casefold()) for attribute, value, _ in parts)


@dataclass(frozen=True, slots=True)
class _Known:
    names: Values[tuple[tuple[str, str], ...], str]  # by DN
    all: frozenset[str]

    def members(self, groups: Groups, entry: Entry) -> Iterator[str]:
        """The names of the people in a group; members that are no people of ours are passed over."""
        for value in entry.all(groups.member):
            name = value if groups.members == "name" else self.names.get(same_dn(value), "")
            if name in self.all:
                yield name


def _of_group(known: _Known, groups: Groups | None, entry: Entry, is_tenant: bool) -> Iterable[Grant]:
    if groups is None or not entry.first(groups.name).startswith(groups.prefix):
        return ()
    about = entry.first(groups.name).removeprefix(groups.prefix)
    return [_grant(name, about, is_tenant) for name in known.members(groups, entry) if about]


def _of_person(people: People, name: str, entry: Entry) -> Iterator[Grant]:
    for value in entry.all(people.tenants):
        yield _grant(name, value.strip(), True)
    for value in entry.all(people.policies):
        yield _grant(name, value.strip(), False)


def _grant(name: str, about: str, is_tenant: bool) -> Grant:
    return Grant(name, Role.TENANT_ADMIN, tenant=about) if is_tenant else Grant(name, policy=about)


def _person(people: People, entry: Entry) -> Person | None:
    name = entry.first(people.name)
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError:
        return None
    if len(name) > _NAME_LENGTH:
        return None
    return Person(
        name=name,
        email=_email(entry.first(people.email)),
        first_name=entry.first(people.first_name)[:_FACT_LENGTH],
        last_name=entry.first(people.last_name)[:_FACT_LENGTH],
        language=_language(entry.first(people.language)),
    )


def _email(text: str) -> str:
    try:
        validate_email(text)
    except ValidationError:
        return ""
    return text


def _language(text: str) -> str:
    """`zh-CN,en;q=0.5` is Chinese to us; a language that we don't write is none."""
    return text[:2].lower() if text[:2].lower() in Language.values else ""


def _besides(document: Values[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in names}
