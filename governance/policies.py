"""Policies as versioned documents: drafted, put in force, paused, retired. Every version stays."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db import transaction

from audit import ledger
from audit.actions import Action
from config.access import Actor
from config.lifecycle import TransitionError, advance
from governance import compilation, decisions, documents, drift, exemptions, profiles, withdrawals
from governance.documents import ConfigurationError, Problem, Source, checking, having, schemas
from governance.models import Exemption, Policy, PolicyVersion, Rollback
from governance.policy_documents import Document
from tenants.models import Group

Status = Policy.Status


class Overtaken(Exception):
    """A policy's text was written from a version that isn't the newest: someone else kept another since."""

    def __init__(self, newest: PolicyVersion) -> None:
        self.newest = newest
        super().__init__(
            f"Version {newest.number}, by {newest.author_name}, was kept while you wrote. Nothing of yours "
            "is saved yet, and all of it is below as you wrote it. Look at that version first; if yours is "
            "to come after it all the same, save it once more."
        )


def check(
    group: Group, document: Document, *, at: datetime, file: str = "policy"
) -> tuple[list[Problem], list[Problem]]:
    """What is wrong with a policy's document, and what is only odd about it."""
    kind = document.get("kind", Policy.Kind.POLICY)
    if kind not in Policy.Kind.values:
        return [Problem(file, 0, "kind", f"“{kind}” isn't one of {', '.join(Policy.Kind.values)}")], []
    source = Source(file, as_written(document))
    wrong = list(schemas.problems(source, schemas.BASELINES, definition=kind))
    if wrong:
        return wrong, []
    found = checking.Findings(source, at)
    checking.policy(found, (), {**document, "kind": kind}, having.known(group))
    return found.problems, found.warnings


def kinds_of(document: Document) -> list[Policy.Kind]:
    """The kinds of which the text would be, if it isn't of the kind that it is said to be."""
    fitting = [
        kind
        for kind in Policy.Kind
        if not any(schemas.problems(Source("", as_written(document)), schemas.BASELINES, definition=kind))
    ]
    return [] if document.get("kind") in fitting else fitting


def as_written(document: Document) -> dict[str, Any]:
    """The document as an entry of its section, which says the kind."""
    return {key: value for key, value in document.items() if key != "kind"}


@transaction.atomic
def save_draft(
    group: Group,
    document: Document,
    *,
    actor: Actor,
    at: datetime,
    comment: str = "",
    after: int | None = None,
) -> PolicyVersion:
    """Keep a text as the policy's newest version, not in force. The same text again is the same version.

    `after` is the number of the version that the text was written from, where a person did. Raises Overtaken
    if there is a newer one of another text, and ConfigurationError with all that is wrong with it.
    """
    problems, _ = check(group, document, at=at)
    if problems:
        raise ConfigurationError(problems)
    ledger.hold(group.pk)
    if after is not None:
        _refuse_if_overtaken(group, document, after)
    version, created = _version(group, document, actor=actor, at=at, comment=comment)
    if created:
        data = {"version": version.number, "digest": version.digest, "comment": comment}
        ledger.record(Action.POLICY_DRAFTED, subject=version.policy, actor=actor, at=at, data=data)
    return version


@transaction.atomic
def apply_version(version: PolicyVersion, *, actor: Actor, at: datetime, comment: str = "") -> Policy:
    """Put a version in force, and judge the tenants by it. A paused policy stays paused."""
    ledger.hold(version.policy.group_id)
    put_in_force(version, actor=actor, at=at, comment=comment)
    settle(version.policy.group, actor=actor, at=at, policy_ids=[version.policy_id])
    return version.policy


@transaction.atomic
def apply(
    group: Group,
    document: Document,
    *,
    actor: Actor,
    at: datetime,
    comment: str = "",
    after: int | None = None,
) -> PolicyVersion:
    """Draft a text and put it in force. In force already, nothing changes. Raises what `save_draft` does."""
    version = save_draft(group, document, actor=actor, at=at, comment=comment, after=after)
    if not is_in_force(version):
        apply_version(version, actor=actor, at=at, comment=comment)
    return version


@transaction.atomic
def pause(policy: Policy, *, actor: Actor, at: datetime, reason: str = "") -> None:
    """Let the policy act on nothing, its waiting tasks included. It still finds drift.

    Raises TransitionError.
    """
    ledger.hold(policy.group_id)
    _move(policy, Status.PAUSED, Action.POLICY_PAUSED, actor=actor, at=at, reason=reason)
    withdrawals.withdraw(policy, actor=actor, at=at)


@transaction.atomic
def resume(policy: Policy, *, actor: Actor, at: datetime, reason: str = "") -> None:
    """Let a paused policy act again; the rollbacks that it was paused for end. Raises TransitionError."""
    if policy.status != Status.PAUSED:
        raise TransitionError(policy, Status.ACTIVE)
    ledger.hold(policy.group_id)
    _move(policy, Status.ACTIVE, Action.POLICY_RESUMED, actor=actor, at=at, reason=reason)
    rows = Rollback.objects.filter(group=policy.group).in_force(at)
    for rollback in rows.that_paused(policy.name):
        _end(rollback, actor=actor, at=at, reason=f"{policy} acts again.")


@transaction.atomic
def retire(policy: Policy, *, actor: Actor, at: datetime, reason: str = "") -> None:
    """Let the policy bind no longer; its drift is over. Raises TransitionError."""
    ledger.hold(policy.group_id)
    take_out_of_force(policy, actor=actor, at=at, reason=reason)
    settle(policy.group, actor=actor, at=at, policy_ids=[policy.pk])


def diff(older: PolicyVersion, newer: PolicyVersion) -> list[documents.Change]:
    """Where two versions differ, the profile that each was made with included."""
    return [
        *documents.changes(older.document, newer.document),
        *documents.changes(older.profile, newer.profile, "profile"),
    ]


def is_in_force(version: PolicyVersion) -> bool:
    """Whether the version binds, paused or not."""
    return version.policy.current_id == version.pk and version.policy.status in {Status.ACTIVE, Status.PAUSED}


def draft_version(
    group: Group, document: Document, *, actor: Actor, at: datetime, comment: str = ""
) -> PolicyVersion:
    """The version with this text, checked by the caller; made if the newest one says something else."""
    return _version(group, document, actor=actor, at=at, comment=comment)[0]


def put_in_force(version: PolicyVersion, *, actor: Actor, at: datetime, comment: str = "") -> None:
    """Make a version the current one and compile it. The caller settles what follows from it."""
    policy = version.policy
    ledger.hold(policy.group_id)  # releases that a catalogue brings meanwhile would be left out
    before = policy.current
    bind(version, at=at)
    changes = [change.as_json() for change in diff(before, version)] if before else []
    data = {
        "version": version.number,
        "previous": before.number if before else None,
        "digest": version.digest,
        "profile": version.profile_name,
        "comment": comment or version.comment,
        "changes": changes,
    }
    ledger.record(Action.POLICY_APPLIED, subject=policy, actor=actor, at=at, data=data)


def bind(version: PolicyVersion, *, at: datetime) -> None:
    """Let a version bind, with nothing written down about it: also what a simulation does, and takes back."""
    policy = version.policy
    kind, title = version.document["kind"], version.document.get("title", "")
    Policy.objects.filter(pk=policy.pk).update(current=version, kind=kind, title=title)
    policy.current, policy.kind, policy.title = version, kind, title
    if policy.status in {Status.DRAFT, Status.RETIRED}:
        advance(policy, to=Status.ACTIVE)
    compilation.compile_version(version, at=at)


def take_out_of_force(policy: Policy, *, actor: Actor, at: datetime, reason: str = "") -> None:
    """Retire a policy. The caller settles what follows from it."""
    _move(policy, Status.RETIRED, Action.POLICY_RETIRED, actor=actor, at=at, reason=reason)
    withdrawals.withdraw(policy, actor=actor, at=at)


def settle(
    group: Group, *, actor: Actor, at: datetime, policy_ids: Collection[int] | None = None
) -> drift.DriftResult:
    """Find the drift that changed policies make or end, and decide anew what to do about it."""
    found = drift.detect(group, at=at, actor=actor, policy_ids=policy_ids)
    decisions.evaluate(group, at=at, actor=actor)
    return found


def _end(rollback: Rollback, *, actor: Actor, at: datetime, reason: str) -> None:
    """Let a rollback bind no longer, so that what it wants and what a policy wants never fight."""
    baseline = rollback.baseline
    if baseline is not None and baseline.status in {Status.ACTIVE, Status.PAUSED}:
        take_out_of_force(baseline, actor=actor, at=at, reason=reason)
    granted = Exemption.objects.filter(group=rollback.group, name__startswith=f"{rollback.name}-")
    exemptions.revoke_many(granted, actor=actor, at=at, comment=reason)
    Rollback.objects.filter(pk=rollback.pk).update(ended_at=at)
    settle(rollback.group, actor=actor, at=at)
    ledger.record(Action.ROLLBACK_ENDED, subject=rollback, actor=actor, at=at, data={"reason": reason})


def _version(
    group: Group, document: Document, *, actor: Actor, at: datetime, comment: str
) -> tuple[PolicyVersion, bool]:
    document = {**document, "kind": document.get("kind", Policy.Kind.POLICY)}
    policy = _policy(group, document)
    profile = profiles.content(group, document.get("profile", ""))
    digest = documents.digest([document, profile])
    newest = policy.versions.order_by("-number").first()
    for known in (policy.current, newest):
        if known is not None and known.digest == digest:
            return known, False
    version = PolicyVersion(
        policy=policy,
        number=newest.number + 1 if newest else 1,
        document=document,
        profile=profile,
        digest=digest,
        profile_name=document.get("profile", ""),
        author_name=actor.name,
        comment=comment,
        created_at=at,
    )
    version.save()
    return version, True


def _refuse_if_overtaken(group: Group, document: Document, after: int) -> None:
    rows = PolicyVersion.objects.filter(policy__group=group, policy__name=document["name"], number__gt=after)
    newest = rows.order_by("-number").first()
    if newest is not None and as_written(newest.document) != as_written(document):
        raise Overtaken(newest)


def _policy(group: Group, document: Document) -> Policy:
    """The policy of that name, locked, so that versions are numbered one after the other."""
    policy, _ = Policy.objects.get_or_create(
        group=group,
        name=document["name"],
        defaults={"kind": document["kind"], "title": document.get("title", "")},
    )
    locked = Policy.objects.select_for_update(of=("self",), no_key=True)
    return locked.select_related("group", "current").get(pk=policy.pk)


def _move(policy: Policy, to: Status, action: Action, *, actor: Actor, at: datetime, reason: str) -> None:
    advance(policy, to=to)
    ledger.record(action, subject=policy, actor=actor, at=at, data={"reason": reason} if reason else {})
