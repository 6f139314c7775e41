"""A group's freeze calendar changed by itself, as a file that says nothing else would change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from config.access import Actor
from governance import configuration
from governance.documents import ConfigurationError, Source, schemas
from tenants.models import Group


def put(group: Group, freezes: Sequence[Mapping[str, Any]], *, actor: Actor, at: datetime) -> None:
    """Put these freezes in the place of those in force; none end them all. Raises ConfigurationError."""
    section = {"freezes": [dict(freeze) for freeze in freezes]}
    text = Source("freezes", {"version": 1, "groups": {group.slug: section}})
    if problems := list(schemas.problems(text, schemas.BASELINES)):
        raise ConfigurationError(problems)
    configuration.apply(configuration.Files(baselines=text), actor=actor, at=at, groups=[group.slug])
