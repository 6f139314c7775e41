"""LDAP looked into for a group: what it would change, and doing it. What goes wrong is kept to be seen to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import structlog
from django.conf import settings

from config.access import SYSTEM, Actor
from governance.models import Configuration
from tenants import enrolment, ldap, people, rosters
from tenants.ldap import LdapFailure
from tenants.models import DirectorySync, Group, Origin, User
from tenants.rosters import Change, Grant, Roster, RosterRefused

log = structlog.get_logger("plumbline.directory")

_MOST_UNMATCHED = 100


class NoLdap(Exception):
    """Nothing says where LDAP is, or what is to be read there; the message says which."""


class StillRead(Exception):
    """What LDAP says can't be changed by hand while it is asked."""


def preview(group: Group) -> Change:
    """What a look into LDAP would change. Raises NoLdap and LdapFailure."""
    return rosters.compare(group, _read(group), origin=Origin.LDAP)


def sync(group: Group, *, actor: Actor, at: datetime, shrink: bool = False) -> Change:
    """Take over what LDAP says. Raises NoLdap, LdapFailure and RosterRefused, with nothing changed.

    Why it failed is kept, and shown among the directory's problems until it works again.
    """
    try:
        change = enrolment.take(group, _read(group), origin=Origin.LDAP, actor=actor, at=at, shrink=shrink)
    except (LdapFailure, RosterRefused) as failure:
        _remember(group, at, problem=str(failure))
        raise
    _remember(group, at, unmatched=change.unmatched)
    return change


def sync_all(*, at: datetime) -> None:
    """Look into LDAP for every group that names it; one that fails doesn't keep the others from theirs."""
    for configured in Configuration.objects.filter(directory__has_key="ldap").select_related("group"):
        try:
            change = sync(configured.group, actor=SYSTEM, at=at)
        except (NoLdap, LdapFailure, RosterRefused) as failure:
            log.warning("directory.failed", group=configured.group.slug, error=str(failure))
        except Exception as failure:  # whatever LDAP may hold that nobody thought of
            log.exception("directory.failed", group=configured.group.slug)
            problem = f"What LDAP answers can’t be taken over ({type(failure).__name__}): see the log."
            _remember(configured.group, at, problem=problem)
        else:
            log.info("directory.synced", group=configured.group.slug, **change.counts())


def enable(group: Group, person: User, *, actor: Actor, at: datetime) -> bool:
    """Let somebody reach the group again whom LDAP had disabled; False if nobody has.

    Raises StillRead while LDAP is read: its next look would undo it.
    """
    if reads_ldap(group):
        raise StillRead("LDAP says so, and is still read: enable them there.")
    return people.enable(group, person, actor=actor, at=at)


def reads_ldap(group: Group) -> bool:
    """Whether the group's directory comes from LDAP, too."""
    return Configuration.objects.filter(group=group, directory__has_key="ldap").exists()


def _read(group: Group) -> Roster:
    configured = Configuration.objects.filter(group=group).first()
    document = (configured.directory or {}).get("ldap") if configured else None
    if document is None:
        raise NoLdap(
            f"The directory file of {group} doesn’t say what to read from LDAP: see its part “ldap”."
        )
    if settings.LDAP is None:
        raise NoLdap("No LDAP server is named: set PLUMBLINE_LDAP_URL.")
    return ldap.read(settings.LDAP, ldap.mapping_of(document))


def _remember(group: Group, at: datetime, *, problem: str = "", unmatched: Iterable[Grant] = ()) -> None:
    values: dict[str, object] = {"tried_at": at, "problem": problem}
    if not problem:
        values["succeeded_at"] = at
        values["unmatched"] = [str(grant) for grant in unmatched][:_MOST_UNMATCHED]
    DirectorySync.objects.update_or_create(group=group, defaults=values)
