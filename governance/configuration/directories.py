"""The directory file: who is responsible, checked, compared with what is known from it, and taken over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from config.access import Actor
from governance.configuration.items import ADD, CHANGE, KEEP, RETIRE, Item
from governance.documents import changes, checking
from governance.documents.checking import Findings
from governance.documents.having import Known
from governance.documents.reading import Place
from governance.models import Configuration
from tenants import enrolment, groups, rosters
from tenants.ldap import wording
from tenants.models import Group, Origin, Role, User
from tenants.rosters import Change, Grant, Person, Roster

NOUN = "directory"


def roster_of(section: Mapping[str, Any]) -> Roster:
    """What a group's section says."""
    facts = ("name", "email", "first_name", "last_name", "language")
    people = {
        person["name"]: Person(**{key: person[key] for key in facts if key in person})
        for person in section.get("people", [])
    }
    return Roster(people, frozenset(_grants(section)))


def check(found: Findings, place: Place, section: Mapping[str, Any], has: Known) -> None:
    """Names that must be unique or be there, addresses, and LDAP's notations."""
    for name in ("people", "tenants", "policies"):
        checking.unique(found, (*place, name), section.get(name, []))
    for index, person in enumerate(section.get("people", [])):
        _check_email(found, (*place, "people", index, "email"), person.get("email"))
    _check_responsible(found, place, section, has)
    _check_ldap(found, (*place, "ldap"), section.get("ldap"))


def compare(before: Any, after: Any, group: Group, *, reconcile: bool) -> Item | None:
    """What becomes of the group's section; with `reconcile`, also where the database has strayed from it."""
    if before is None and after is None:
        return None
    action = KEEP if before == after else ADD if before is None else RETIRE if after is None else CHANGE
    note = ""
    if reconcile or action != KEEP:
        outcome = rosters.compare(group, roster_of(after or {}), origin=Origin.FILE)
        action = CHANGE if action == KEEP and outcome else action
        note = _noted(outcome)
        if _had_ldap(before) and not _had_ldap(after):
            note = f"{note}{'; ' if note else ''}what LDAP gave ends"
    return Item(NOUN, NOUN, action, tuple(changes(before or {}, after or {})), note, after or {})


def apply(group: Group, item: Item, *, actor: Actor, at: datetime) -> None:
    """Take the section over. Raises RosterRefused."""
    wanted = roster_of(item.document)
    enrolment.take(group, wanted, origin=Origin.FILE, actor=actor, at=at)
    groups.speak_as_filed(group, item.document.get("language"), actor=actor, at=at)
    configured = Configuration.objects.filter(group=group).first()
    if configured is not None and not _had_ldap(configured.directory):
        enrolment.take(group, Roster(), origin=Origin.LDAP, actor=actor, at=at, shrink=True)


def _had_ldap(section: Any) -> bool:
    return bool(section and "ldap" in section)


def _noted(outcome: Change) -> str:
    lines = outcome.lines()
    shown = "; ".join(lines[:3])
    return f"{shown}; and {len(lines) - 3} more" if len(lines) > 3 else shown


def _grants(section: Mapping[str, Any]) -> Iterator[Grant]:
    for person in section.get("people", []):
        for role in person.get("roles", []):
            yield Grant(person["name"], role)
    for tenant in section.get("tenants", []):
        for name in tenant["people"]:
            yield Grant(name, Role.TENANT_ADMIN, tenant=tenant["name"])
    for policy in section.get("policies", []):
        for name in policy["people"]:
            yield Grant(name, policy=policy["name"])


def _check_email(found: Findings, place: Place, text: str | None) -> None:
    try:
        if text:
            validate_email(text)
    except ValidationError:
        found.refuse(place, f"“{text}” is no e-mail address")


def _check_responsible(found: Findings, place: Place, section: Mapping[str, Any], has: Known) -> None:
    written = {person["name"] for person in section.get("people", [])}
    named = {
        name for key in ("tenants", "policies") for row in section.get(key, []) for name in row["people"]
    }
    accounts = set(User.objects.filter(username__in=named).values_list("username", flat=True))
    for key, noun, names in (("tenants", "tenant", has.tenants), ("policies", "policy", has.policies)):
        for index, row in enumerate(section.get(key, [])):
            here = (*place, key, index)
            if row["name"] not in names:
                found.warn((*here, "name"), checking.unknown(noun, row["name"], names, " yet"))
            for at, name in enumerate(row["people"]):
                if name not in written | accounts:
                    reason = checking.unknown("person", name, written | accounts, " yet")
                    found.warn(
                        (*here, "people", at), f"{reason}; people without an account stand under people"
                    )


def _check_ldap(found: Findings, place: Place, section: Mapping[str, Any] | None) -> None:
    if section is None:
        return
    if settings.LDAP is None:
        found.warn(place, "PLUMBLINE_LDAP_URL names no server, so LDAP isn't asked")
    parts: list[tuple[Place, Mapping[str, Any]]] = [((*place, "people"), section["people"])]
    parts += [((*place, key), section[key]) for key in ("tenants", "policies") if key in section]
    parts += [((*place, "roles", index), role) for index, role in enumerate(section.get("roles", []))]
    for where, part in parts:
        for key in ("base", "group", "filter", "disabled"):
            if key in part:
                read = wording.dn_problem if key in {"base", "group"} else wording.filter_problem
                if problem := read(part[key]):
                    found.refuse((*where, key), problem)
