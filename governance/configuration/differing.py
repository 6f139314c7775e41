"""What applying the files would change; applying does just that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from governance import documents, moments
from governance.configuration import directories
from governance.configuration.files import Files
from governance.configuration.items import ADD, CHANGE, KEEP, RETIRE, GroupDifference, Item
from governance.models import Configuration, Exemption, Policy, PolicyVersion, Profile
from governance.policy_documents import DEFAULT_SLA
from tenants.models import Group


def compare(files: Files, group: Group, *, prune: bool, at: datetime) -> GroupDifference:
    """What applying the files to the group would change. With `prune`, what they leave out goes."""
    configured = Configuration.objects.filter(group=group).first()
    sla = _service_levels(files, group, configured, prune)
    profiles = _profiles(files, group, prune)
    contents = {item.name: item.document for item in profiles}
    wanted_sla = {**DEFAULT_SLA, **(sla.document if sla else {})}
    policies = _policies(files, group, contents, wanted_sla, prune)
    exemptions = _exemptions(files, group, configured, prune, at)
    freezes = _freezes(files, group, configured, prune)
    directory = _directory(files, group, configured, prune)
    items = [*(item for item in (sla, freezes, directory) if item), *profiles, *policies, *exemptions]
    return GroupDifference(group, tuple(_keep_used(items)))


def _service_levels(files: Files, group: Group, configured: Configuration | None, prune: bool) -> Item | None:
    before = configured.sla if configured else None
    after = files.section(group.slug).get("sla", None if prune and files.baselines else before)
    if before is None and after is None:
        return None
    changes = tuple(documents.changes(before or {}, after or {}))
    action = KEEP if before == after else ADD if before is None else RETIRE if after is None else CHANGE
    return Item("service levels", "sla", action, changes, document=after or {})


def _freezes(files: Files, group: Group, configured: Configuration | None, prune: bool) -> Item | None:
    before = configured.freezes if configured else None
    after = files.section(group.slug).get("freezes", None if prune and files.baselines else before)
    if before is None and after is None:
        return None
    changes = tuple(documents.changes({"freezes": before or []}, {"freezes": after or []}))
    action = KEEP if before == after else ADD if before is None else RETIRE if after is None else CHANGE
    return Item("freeze calendar", "freezes", action, changes, document={"freezes": after or []})


def _directory(files: Files, group: Group, configured: Configuration | None, prune: bool) -> Item | None:
    before = configured.directory if configured else None
    after = files.responsible(group.slug)
    if after is None and not (prune and files.directory):
        after = before
    return directories.compare(before, after, group, reconcile=files.directory is not None)


def _profiles(files: Files, group: Group, prune: bool) -> list[Item]:
    existing = {profile.name: profile for profile in Profile.objects.filter(group=group).order_by("pk")}
    wanted = {document["name"]: document for document in files.profile_documents()}
    items = [_profile(name, existing.get(name), document) for name, document in wanted.items()]
    for name, profile in existing.items():
        if name not in wanted:
            action = RETIRE if prune and files.profiles else KEEP
            items.append(Item("profile", name, action, document=profile.document))
    return items


def _profile(name: str, profile: Profile | None, document: dict[str, Any]) -> Item:
    if profile is None:
        return Item("profile", name, ADD, document=document)
    changes = tuple(documents.changes(profile.document, document))
    action = KEEP if profile.document == document else CHANGE
    return Item("profile", name, action, changes, document=document)


def _policies(
    files: Files, group: Group, profiles: dict[str, Any], sla: dict[str, int], prune: bool
) -> list[Item]:
    rows = Policy.objects.filter(group=group).select_related("current").order_by("pk")
    existing = {policy.name: policy for policy in rows}
    wanted = {document["name"]: document for _, _, document in files.policies(group.slug)}
    items = []
    for name, policy in existing.items():
        in_force = policy.current is not None and policy.status in {
            Policy.Status.ACTIVE,
            Policy.Status.PAUSED,
        }
        if name in wanted or not in_force or policy.current is None:
            continue
        if prune and files.baselines:
            items.append(Item(policy.kind, name, RETIRE, document=policy.current.document))
        else:
            # Its text stays; its profile or the service levels may give it a new version all the same.
            items.append(_policy(policy, policy.current.document, profiles, sla))
    return [*(_policy(existing.get(n), d, profiles, sla) for n, d in wanted.items()), *items]


def _policy(
    policy: Policy | None, document: dict[str, Any], profiles: dict[str, Any], sla: dict[str, int]
) -> Item:
    name, kind = document["name"], document["kind"]
    version: PolicyVersion | None = policy.current if policy else None
    if policy is None or version is None:
        return Item(kind, name, ADD, document=document)
    used = profiles.get(document.get("profile", ""), {"mode": "observe"})
    content = {**used, "sla": {**sla, **used.get("sla", {})}}
    changes = (
        *documents.changes(version.document, document),
        *documents.changes(version.profile, content, "profile"),
    )
    if policy.status in {Policy.Status.RETIRED, Policy.Status.DRAFT}:
        return Item(kind, name, ADD, changes, f"was {policy.get_status_display().lower()}", document)
    note = "is paused, and stays so" if policy.status == Policy.Status.PAUSED else ""
    return Item(kind, name, CHANGE if changes else KEEP, changes, note, document)


def _exemptions(
    files: Files, group: Group, configured: Configuration | None, prune: bool, at: datetime
) -> list[Item]:
    written = configured.exemptions if configured else {}
    rows = Exemption.objects.filter(group=group).exclude(name="").order_by("requested_at", "pk")
    latest = {row.name: row for row in rows}
    wanted = {document["name"]: document for document in files.section(group.slug).get("exemptions", [])}
    items = [
        _exemption(name, document, written.get(name), latest.get(name), at)
        for name, document in wanted.items()
    ]
    for name, document in written.items():
        if name not in wanted:
            live = name in latest and latest[name].status in LIVE
            items.append(Item("exemption", name, RETIRE if prune and live else KEEP, document=document))
    return items


LIVE = (Exemption.Status.REQUESTED, Exemption.Status.APPROVED)


def _exemption(
    name: str, document: dict[str, Any], before: dict[str, Any] | None, row: Exemption | None, at: datetime
) -> Item:
    live = row is not None and row.status in LIVE
    if before == document:
        note = "" if live else f"is {row.get_status_display().lower() if row else 'over'}; {_ANEW}"
        return Item("exemption", name, KEEP, (), note, document)
    changes = tuple(documents.changes(before or {}, document)) if before else ()
    over = moments.ending(document["until"], at=at) <= at
    if over and before is None and not live:
        return Item("exemption", name, ADD, (), "is over already, so nothing is granted", document)
    return Item("exemption", name, CHANGE if before else ADD, changes, "", document)


_ANEW = "it is granted anew only when its text changes"


def _keep_used(items: Sequence[Item]) -> list[Item]:
    """A profile that policies are still made from stays."""
    policies = [item for item in items if item.noun in Policy.Kind.values and item.action != RETIRE]
    used = {item.document.get("profile") for item in policies}
    return [
        Item("profile", item.name, KEEP, (), "stays: policies are made from it", item.document)
        if item.noun == "profile" and item.action == RETIRE and item.name in used
        else item
        for item in items
    ]
