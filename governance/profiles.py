"""Profiles, the templates of policies: what they say, and how they change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config import durations
from config.access import Actor
from governance import documents, escalation, moments
from governance.escalation import Step
from governance.limits import Limits
from governance.models import Configuration, Policy, Profile
from governance.policy_documents import DEFAULT_SLA, DEFAULT_WEIGHT, Document
from tenants.models import Group


@dataclass(frozen=True, slots=True)
class Ring:
    """One step of a roll-out: its tenants follow so long after the success of the steps before."""

    name: str
    tenants: Any  # a selector
    wait: timedelta
    share: int | None = None  # percent of all tenants, those of earlier rings among them


# What a profile that says nothing about it lets happen after a failure.
DEFAULT_ATTEMPTS = 3
DEFAULT_BUDGET = 20
DEFAULT_DELAYS = ("5min", "30min")
# How often one that says nothing about it lets a person be told, and what doesn't wait for that.
DEFAULT_WINDOW = "1h"
DEFAULT_AT_ONCE = ("decision_overdue",)


@dataclass(frozen=True, slots=True)
class Settings:
    """A profile with everything that it leaves out filled in."""

    mode: str
    prefer: str
    weight: int
    sla: Mapping[str, int]
    deny: tuple[str, ...]
    rings: tuple[Ring, ...]
    tasks_per_plan: int | None
    limits: Limits
    needs_approval: bool
    failure_budget: int  # percent of a ring's tasks that may fail
    tiers: Mapping[str, int]  # points for tenants of a tier
    retry_delays: tuple[timedelta, ...]  # before the second attempt, the third, …
    tells_tenant_admins: bool
    tells_owners: bool
    escalation: tuple[Step, ...]
    window: timedelta  # between two digests to one person
    at_once: frozenset[str]  # what waits for neither a window nor the end of quiet hours
    starts_by_itself: bool

    @property
    def window_in_words(self) -> str:
        """The window for people; empty where it is every run's."""
        return durations.length(self.window) if self.window else ""


class ProfileInUse(Exception):
    """Policies are made from the profile, so it can't go."""

    def __init__(self, profile: Profile, policies: list[str]) -> None:
        super().__init__(f"The profile “{profile}” can't go: {', '.join(policies)} are made from it.")


def settings(document: Document) -> Settings:
    """What a profile's document says, a policy version's `profile` included."""
    notify = document.get("notify", {})
    return Settings(
        mode=document.get("mode", "observe"),
        prefer=document.get("prefer", "nearest"),
        weight=document.get("weight", DEFAULT_WEIGHT),
        sla={**DEFAULT_SLA, **document.get("sla", {})},
        deny=tuple(document.get("deny", ())),
        rings=tuple(
            Ring(
                ring["name"],
                ring.get("tenants", "*"),
                moments.span(ring.get("wait", "0h")),
                ring.get("share"),
            )
            for ring in document.get("rings", ())
        ),
        limits=_limits(document.get("limits", {})),
        needs_approval=document.get("approval", False),
        failure_budget=document.get("failure_budget", DEFAULT_BUDGET),
        tasks_per_plan=document.get("limits", {}).get("tasks_per_plan"),
        tiers=document.get("tiers", {}),
        retry_delays=_retry_delays(document.get("retries", {})),
        tells_tenant_admins=notify.get("tenant_admins", True),
        tells_owners=notify.get("owners", True),
        escalation=_escalation(notify),
        window=moments.span(notify.get("window", DEFAULT_WINDOW)),
        at_once=frozenset(notify.get("at_once", DEFAULT_AT_ONCE)),
        starts_by_itself=document.get("auto_start", True),
    )


def _escalation(said: Document) -> tuple[Step, ...]:
    return escalation.steps(said["escalation"]) if "escalation" in said else escalation.DEFAULT


def _limits(said: Document) -> Limits:
    return Limits(said.get("at_once"), said.get("per_host_version"), said.get("per_region"))


def _retry_delays(said: Document) -> tuple[timedelta, ...]:
    """One delay for each attempt after the first; the last one that is given goes for all that follow."""
    given = [moments.span(text) for text in said.get("delays", DEFAULT_DELAYS)]
    further = said.get("attempts", DEFAULT_ATTEMPTS) - 1
    return tuple(given[min(place, len(given) - 1)] for place in range(further))


def content(group: Group, name: str) -> dict[str, Any]:
    """What a policy version keeps of its profile: the document, the group's service levels merged in.

    Raises Profile.DoesNotExist if the group has no profile of that name. A hold may have none: "".
    """
    configured = Configuration.objects.filter(group=group).values_list("sla", flat=True).first()
    document: dict[str, Any] = {"mode": "observe"}
    if name:
        document = Profile.objects.get(group=group, name=name).document
    return {**document, "sla": {**DEFAULT_SLA, **(configured or {}), **document.get("sla", {})}}


@transaction.atomic
def save(group: Group, document: Document, *, actor: Actor, at: datetime) -> bool:
    """Make or change the profile of that name; False if it says so already. Its policies are the caller's."""
    profile = Profile.objects.select_for_update().filter(group=group, name=document["name"]).first()
    if profile is not None and profile.document == document:
        return False
    before = profile.document if profile else {}
    profile = profile or Profile(group=group, name=document["name"], version=0)
    profile.document, profile.mode = dict(document), document["mode"]
    profile.version += 1
    profile.save()
    changes = [change.as_json() for change in documents.changes(before, document)]
    data = {"version": profile.version, "changes": changes}
    ledger.record(Action.PROFILE_APPLIED, subject=profile, actor=actor, at=at, data=data)
    return True


@transaction.atomic
def remove(profile: Profile, *, actor: Actor, at: datetime) -> None:
    """Take away a profile from which no policy is made. Raises ProfileInUse."""
    users = Policy.objects.filter(group_id=profile.group_id, current__profile_name=profile.name)
    names = list(users.exclude(status=Policy.Status.RETIRED).order_by("name").values_list("name", flat=True))
    if names:
        raise ProfileInUse(profile, names)
    data = {"removed": True, "document": profile.document}
    ledger.record(Action.PROFILE_APPLIED, subject=profile, actor=actor, at=at, data=data)
    profile.delete()
