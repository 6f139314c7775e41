"""A group's freeze calendar changed by itself, as a file that says nothing else would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from config.access import Actor
from governance import calendars, configuration
from governance.documents import ConfigurationError, Source, schemas
from governance.models import Configuration
from tenants.models import Group


class NoSuchFreeze(LookupError):
    """The calendar has no freeze of that name."""


class NameTaken(ValueError):
    """A freeze of that name is on or still ahead."""


def put(group: Group, freezes: Sequence[Mapping[str, Any]], *, actor: Actor, at: datetime) -> None:
    """Put these freezes in the place of those in force; none end them all. Raises ConfigurationError."""
    section = {"freezes": [dict(freeze) for freeze in freezes]}
    text = Source("freezes", {"version": 1, "groups": {group.slug: section}})
    if problems := list(schemas.problems(text, schemas.BASELINES)):
        raise ConfigurationError(problems)
    configuration.apply(configuration.Files(baselines=text), actor=actor, at=at, groups=[group.slug])


@transaction.atomic
def freeze(group: Group, document: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    """Add a freeze, or change the one of that name. Raises ConfigurationError."""
    others = [one for one in _calendar(group) if one["name"] != document["name"]]
    put(group, [*others, document], actor=actor, at=at)


@transaction.atomic
def add(group: Group, document: Mapping[str, Any], *, actor: Actor, at: datetime) -> None:
    """Add a freeze; one of its name that is over gives way. Raises NameTaken, ConfigurationError."""
    ahead = {one.name for one in calendars.freezes(_calendar(group)) if one.ends_at > at}
    if document["name"] in ahead:
        raise NameTaken(
            f"There is a freeze {document['name']} already. End it first, or choose another name."
        )
    freeze(group, document, actor=actor, at=at)


@transaction.atomic
def thaw(group: Group, name: str, *, actor: Actor, at: datetime) -> None:
    """End a freeze. Raises NoSuchFreeze."""
    before = _calendar(group)
    others = [one for one in before if one["name"] != name]
    if len(others) == len(before):
        raise NoSuchFreeze(f"{group} has no freeze {name}.")
    put(group, others, actor=actor, at=at)


def _calendar(group: Group) -> list[dict[str, Any]]:
    """The freezes as they are until the caller's transaction ends: whoever changes them holds the group."""
    Group.objects.select_for_update(no_key=True).get(pk=group.pk)
    return Configuration.objects.filter(group=group).values_list("freezes", flat=True).first() or []
