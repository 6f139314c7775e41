"""What a policy's document says, with every shorthand written out; pure.

A document is kept as its author wrote it: a baseline's `versions` and a hold's `plugins` are shorthand for
rules. Compiling, simulating and showing a policy all read the expanded form, so that it means one thing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from governance import moments

Document = Mapping[str, Any]

SEVERITIES = ("low", "medium", "high", "critical")
DEFAULT_SEVERITY = "medium"
DEFAULT_WEIGHT = 100
DEFAULT_SLA = {"critical": 3, "high": 7, "medium": 30, "low": 90}
# What counts as a baseline, a policy or a hold where no profile says it: a hold acts on nothing.
_WITHOUT_PROFILE: Document = {"mode": "observe"}
_NOT_OF_A_KEY = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class ExpandedPolicy:
    """A policy with every shorthand written out.

    `rules` are rule documents; each names its `severity`, `weight` and, where it has one, its SLA in days as
    `sla_days`. `deny` are the profile's switches (`vulnerable`, `withdrawn`), rules for every plugin.
    `acts_from` ends the grace period, in which drift is found and reminded of but nothing is changed.
    """

    name: str
    kind: str
    title: str
    tenants: Any
    mode: str
    prefer: str
    weight: int
    sla: Mapping[str, int]
    effective_from: datetime | None
    effective_until: datetime | None
    acts_from: datetime | None
    deny: tuple[str, ...]
    rules: tuple[Document, ...]

    def mode_at(self, at: datetime) -> str:
        """What is done about drift at that time: within the grace period no more than reminding."""
        if self.mode == "enforce" and self.acts_from is not None and at < self.acts_from:
            return "remind"
        return self.mode

    def mode_changes_at(self, at: datetime) -> datetime | None:
        """When time alone changes the mode."""
        return self.acts_from if self.mode_at(at) != self.mode else None


def expand(document: Document, profile: Document | None, *, at: datetime) -> ExpandedPolicy:
    """Write every shorthand out. `profile` is the content of the profile, with the group's SLA merged in.

    `at` is the time at which the text was put in force, from which its relative times count.
    """
    settings = profile or _WITHOUT_PROFILE
    sla = {**DEFAULT_SLA, **settings.get("sla", {})}
    weight = document.get("weight", settings.get("weight", DEFAULT_WEIGHT))
    since = _at(document.get("effective_from"), at, moments.starting)
    return ExpandedPolicy(
        name=document["name"],
        kind=document.get("kind", "policy"),
        title=document.get("title", ""),
        tenants=document.get("tenants", "*"),
        mode=settings.get("mode", "observe"),
        prefer=settings.get("prefer", "nearest"),
        weight=weight,
        sla=sla,
        effective_from=since,
        effective_until=_at(document.get("effective_until", document.get("until")), at, moments.ending),
        acts_from=_acts_from(document.get("grace_period"), since, at),
        deny=_denied(document, settings),
        rules=tuple(_complete(rule, weight, sla) for rule in rules_of(document)),
    )


def rules_of(document: Document) -> list[Document]:
    """The document's rules, its shorthand among them, as rule documents."""
    rules = list(document.get("rules", ()))
    if document.get("kind") == "hold":
        rules.append({"name": "hold", "plugins": document["plugins"], "hold": True})
    taken = {rule["name"] for rule in rules}
    for plugin, wanted in document.get("versions", {}).items():
        key = free_key(plugin, taken)
        taken.add(key)
        value = {"range": wanted} if isinstance(wanted, str) else dict(wanted)
        rules.append({"name": key, "plugins": [plugin], **value})
    return rules


def free_key(plugin: str, taken: set[str]) -> str:
    """A rule name made from a plugin's name that no other rule has."""
    stem = _NOT_OF_A_KEY.sub("-", plugin).strip("-")[:90] or "plugin"
    key, number = stem, 2
    while key in taken:
        key, number = f"{stem}-{number}", number + 1
    return key


def _denied(document: Document, settings: Document) -> tuple[str, ...]:
    """The profile's switches that the document takes over: none for a hold, else all unless it names them."""
    switches = tuple(settings.get("deny", ())) if document.get("kind") != "hold" else ()
    return tuple(one for one in switches if one in document.get("deny", switches))


def _complete(rule: Document, weight: int, sla: Mapping[str, int]) -> Document:
    severity = rule.get("severity", DEFAULT_SEVERITY)
    return {"weight": weight, **rule, "severity": severity, "sla_days": sla.get(severity)}


def _at(text: str | None, at: datetime, reading: Any) -> datetime | None:
    moment: datetime | None = reading(text, at=at) if text is not None else None
    return moment


def _acts_from(grace: str | None, since: datetime | None, at: datetime) -> datetime | None:
    if grace is None:
        return None
    length: timedelta = moments.span(grace)
    return (since or at) + length
