"""What applying the YAML files would change, as a supposition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from config.access import Actor
from governance.configuration import differing, files, items
from governance.documents import Problem
from governance.models import Policy, Simulation
from governance.simulation.running import simulate_what
from governance.simulation.supposition import Supposition
from tenants.models import Group


def simulate_files(
    group: Group,
    wanted: files.Files,
    *,
    prune: bool,
    at: datetime,
    actor: Actor,
    title: str = "",
    beside: Supposition | None = None,
) -> Simulation:
    """Keep what would come of applying the files to the group, with what is supposed beside them.

    Raises ConfigurationError.
    """
    beside = beside or Supposition()
    what = suppose_files(group, wanted, prune=prune, at=at, releases=beside.releases)
    return simulate_what(group, joined(what, beside), at=at, actor=actor, title=title)


def suppose_files(
    group: Group,
    wanted: files.Files,
    *,
    prune: bool,
    at: datetime,
    releases: Sequence[Mapping[str, Any]] = (),
) -> Supposition:
    """What the files change, once these releases have come. Raises ConfigurationError."""
    checked = _checked(group, wanted, at, releases)
    difference = differing.compare(checked, group, prune=prune, at=at)
    gone = [item for item in difference.changed if item.action == items.RETIRE]
    kept = [item for item in difference.changed if item.action != items.RETIRE]
    kinds = set(Policy.Kind.values)
    sla = [item.document for item in difference.changed if item.noun == "service levels"]
    return Supposition(
        policies=[item.document for item in kept if item.noun in kinds],
        profiles=[item.document for item in kept if item.noun == "profile"],
        exemptions=[item.document for item in kept if item.noun == "exemption" and not item.note],
        retired=[item.name for item in gone if item.noun in kinds],
        ended=[item.name for item in gone if item.noun == "exemption"],
        sla=sla[0] if sla else None,
    )


def file_warnings(
    group: Group, wanted: files.Files, *, at: datetime, releases: Sequence[Mapping[str, Any]] = ()
) -> tuple[Problem, ...]:
    """What may be a slip in the files, whether or not they change it. Raises ConfigurationError."""
    return _checked(group, wanted, at, releases).warnings


def _checked(
    group: Group, wanted: files.Files, at: datetime, releases: Sequence[Mapping[str, Any]]
) -> files.Files:
    groups = files.groups_of(wanted, [group.slug])
    return files.checked(wanted, groups, at=at, releases=releases)


def joined(what: Supposition, beside: Supposition) -> Supposition:
    """Both together; where both speak of one thing, the reader of the whole refuses it."""
    return replace(
        what,
        policies=[*what.policies, *beside.policies],
        profiles=[*what.profiles, *beside.profiles],
        exemptions=[*what.exemptions, *beside.exemptions],
        retired=[*what.retired, *beside.retired],
        ended=[*what.ended, *beside.ended],
        sla=what.sla if beside.sla is None else beside.sla,
        releases=beside.releases,
        withdrawn=beside.withdrawn,
        at=beside.at,
        snapshot=beside.snapshot,
    )
