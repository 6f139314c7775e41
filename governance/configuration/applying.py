"""The files put in force: all of it or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import moments, policies, profiles
from governance.configuration import differing, directories, files
from governance.configuration.differing import LIVE
from governance.configuration.items import ADD, CHANGE, KEEP, RETIRE, GroupDifference, Item
from governance.documents import ConfigurationError, Problem, Source
from governance.models import Configuration, Exemption, Plugin, Policy, Profile
from tenants.models import Group, Tenant
from tenants.rosters import RosterRefused


@dataclass(frozen=True, slots=True)
class Applied:
    """What was changed, or what would be."""

    groups: tuple[GroupDifference, ...]
    warnings: tuple[Problem, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be."""
        return any(group.changed for group in self.groups)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "changed": self.changed,
            "groups": {difference.group.slug: difference.as_json() for difference in self.groups},
            "warnings": [str(warning) for warning in self.warnings],
        }


def diff(wanted: files.Files, *, groups: Sequence[str] = (), prune: bool = False, at: datetime) -> Applied:
    """What applying the files would change. Raises ConfigurationError."""
    chosen = files.groups_of(wanted, groups)
    wanted = files.checked(wanted, chosen, at=at)
    return Applied(
        tuple(differing.compare(wanted, group, prune=prune, at=at) for group in chosen), wanted.warnings
    )


@transaction.atomic
def apply(
    wanted: files.Files,
    *,
    actor: Actor,
    at: datetime,
    groups: Sequence[str] = (),
    prune: bool = False,
    comment: str = "",
) -> Applied:
    """Put the files in force and judge the tenants by them. The same again changes nothing.

    Raises ConfigurationError, with nothing changed.
    """
    chosen = [group.pk for group in files.groups_of(wanted, groups)]
    # Two that apply at once would each go by what the other is about to change.
    list(Group.objects.select_for_update(no_key=True).filter(pk__in=chosen).order_by("pk").values_list("pk"))
    outcome = diff(wanted, groups=groups, prune=prune, at=at)
    for difference in outcome.groups:
        _remember(wanted, difference, prune=prune, actor=actor, at=at)
        try:
            _apply_group(difference, actor=actor, at=at, comment=comment)
        except RosterRefused as refusal:  # the files alone don't show who would be left
            source, place = wanted.directory or Source("", None), ("directory", difference.group.slug)
            raise ConfigurationError([source.problem(place, str(refusal))]) from refusal
    return outcome


def apply_folder(
    folder: Path, *, actor: Actor, at: datetime, groups: Sequence[str] = (), comment: str = ""
) -> Applied:
    """Put a folder's files in force, for these groups or every one that they speak of.

    Raises ConfigurationError.
    """
    return apply(files.load(folder), actor=actor, at=at, groups=groups, comment=comment)


def _apply_group(difference: GroupDifference, *, actor: Actor, at: datetime, comment: str) -> None:
    group, changed = difference.group, difference.changed
    if not changed:
        return
    ledger.hold(group.pk)
    _apply_directory(group, changed, actor=actor, at=at)
    for item in changed:
        if item.noun == "freeze calendar":
            ledger.record(Action.FREEZES_APPLIED, subject=group, actor=actor, at=at, data=item.document)
        elif item.noun == "profile" and item.action != RETIRE:
            profiles.save(group, item.document, actor=actor, at=at)
    for item in changed:
        if item.noun in Policy.Kind.values:
            _apply_policy(group, item, actor=actor, at=at, comment=comment)
    for item in changed:
        if item.noun == "exemption":
            _apply_exemption(group, item, actor=actor, at=at)
        elif item.noun == "profile" and item.action == RETIRE:
            profiles.remove(Profile.objects.get(group=group, name=item.name), actor=actor, at=at)
    policies.settle(group, actor=actor, at=at)


def _apply_directory(group: Group, changed: Sequence[Item], *, actor: Actor, at: datetime) -> None:
    for item in changed:
        if item.noun == directories.NOUN:
            directories.apply(group, item, actor=actor, at=at)


def _apply_policy(group: Group, item: Item, *, actor: Actor, at: datetime, comment: str) -> None:
    if item.action == RETIRE:
        policy = Policy.objects.get(group=group, name=item.name)
        policies.take_out_of_force(policy, actor=actor, at=at, reason="no longer in the configuration")
        return
    version = policies.draft_version(group, item.document, actor=actor, at=at, comment=comment)
    policies.put_in_force(version, actor=actor, at=at)


def _apply_exemption(group: Group, item: Item, *, actor: Actor, at: datetime) -> None:
    if item.action in {CHANGE, RETIRE}:
        _end_exemption(group, item, actor=actor, at=at)
    if item.action in {ADD, CHANGE} and moments.ending(item.document["until"], at=at) > at:
        _grant_exemption(group, item, actor=actor, at=at)


def _end_exemption(group: Group, item: Item, *, actor: Actor, at: datetime) -> None:
    """Its text changed or went: what was granted by it is over. The record stays."""
    for row in Exemption.objects.filter(group=group, name=item.name, status__in=LIVE):
        Exemption.objects.filter(pk=row.pk).update(status=Exemption.Status.REVOKED)
        data = {"reason": "changed in the configuration", "name": item.name}
        ledger.record(Action.EXEMPTION_REVOKED, subject=row, actor=actor, at=at, data=data)


def _grant_exemption(group: Group, item: Item, *, actor: Actor, at: datetime) -> None:
    """That the file is applied is the approval: whoever reviews the file is the second pair of eyes."""
    document = item.document
    row = Exemption.objects.create(
        group=group,
        tenant=Tenant.objects.get(group=group, key=document["tenant"]),
        policy=Policy.objects.get(group=group, name=document["policy"]),
        rule_key=document.get("rule", ""),
        plugin=Plugin.objects.filter(group=group, name=document.get("plugin", "")).first(),
        reason=document["reason"],
        status=Exemption.Status.APPROVED,
        starts_at=at,
        expires_at=moments.ending(document["until"], at=at),
        requested_by_id=actor.id,
        requested_by_name=actor.name,
        requested_at=at,
        decided_by_name="configuration",
        decided_at=at,
        name=item.name,
    )
    data = {"document": document, "expires_at": row.expires_at.isoformat()}
    ledger.record(Action.EXEMPTION_APPROVED, subject=row, actor=actor, at=at, data=data)


def _remember(
    wanted: files.Files, difference: GroupDifference, *, prune: bool, actor: Actor, at: datetime
) -> None:
    """Keep what the files say that no other table keeps."""
    group = difference.group
    row = Configuration.objects.filter(group=group).first() or Configuration(group=group)
    before = (row.sla, row.freezes, row.order, row.exemptions, row.directory)
    for item in difference.items:
        if item.noun == "service levels":
            row.sla = None if item.action == RETIRE else item.document
        if item.noun == "freeze calendar":
            row.freezes = None if item.action == RETIRE else item.document["freezes"]
        if item.noun == directories.NOUN and item.action != KEEP:
            row.directory = None if item.action == RETIRE else item.document
    gone = {item.name for item in difference.items if item.noun == "exemption" and item.action == RETIRE}
    written = {d["name"]: d for d in wanted.section(group.slug).get("exemptions", [])}
    kept = {name: text for name, text in row.exemptions.items() if name not in gone}
    row.exemptions = written if prune and wanted.baselines else {**kept, **written}
    row.order = _order(wanted, group, row.order, prune=prune)
    if (row.sla, row.freezes, row.order, row.exemptions, row.directory) != before or row.pk is None:
        row.applied_at, row.applied_by_name = at, actor.name
        row.save()


def _order(wanted: files.Files, group: Group, before: dict[str, Any], *, prune: bool) -> dict[str, Any]:
    """The names of each section as the files have them, those that they leave out after them."""
    section = wanted.section(group.slug)
    given = {name: section[name] for name in (*files.KINDS, "exemptions") if name in section}
    if wanted.profiles:
        given["profiles"] = wanted.profile_documents()
    order = {} if prune and wanted.baselines else dict(before)
    if prune and not wanted.profiles and "profiles" in before:
        order["profiles"] = before["profiles"]
    for name, items in given.items():
        names = [item["name"] for item in items]
        order[name] = [*names, *(old for old in order.get(name, []) if old not in names)]
    return order
