"""Exemptions asked for, granted by someone else, and ended; the record of each stays."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from audit import ledger
from audit.actions import Action
from audit.ledger import Record
from config import queue
from config.access import SYSTEM, Actor, ActorKind, Permission
from config.lifecycle import advance
from governance import announcements, drift
from governance.models import Exemption, Plugin, Policy, Rule
from tenants import directory
from tenants.models import Group, Membership, Tenant, User
from tenants.models.membership import ROLE_PERMISSIONS

Status = Exemption.Status


class FourEyes(Exception):
    """Who asked for an exemption can't grant it."""

    def __init__(self, exemption: Exemption) -> None:
        self.exemption = exemption
        super().__init__("Someone else than the person who asked for the exemption has to decide about it.")


class ExemptionRefused(ValueError):
    """An exemption can't be as it was asked for; `field` says in which point."""

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        self.reason = reason
        super().__init__(reason)


@transaction.atomic
def request(
    tenant: Tenant,
    policy: Policy,
    *,
    reason: str,
    expires_at: datetime,
    actor: Actor,
    at: datetime,
    rule_key: str = "",
    plugin: Plugin | None = None,
    starts_at: datetime | None = None,
) -> Exemption:
    """Ask to let a tenant break a policy, or one rule of it, perhaps for one plugin only, until a time.

    Who asks for the very same again while nobody has decided has pressed twice: it is asked for once.
    Raises ExemptionRefused.
    """
    exemption = Exemption(
        group_id=tenant.group_id,
        tenant=tenant,
        policy=policy,
        rule_key=rule_key,
        plugin=plugin,
        reason=reason.strip(),
        starts_at=starts_at or at,
        expires_at=expires_at,
        requested_by_id=actor.id if actor.kind == ActorKind.PERSON else None,
        requested_by_name=actor.name,
        requested_at=at,
    )
    _check(exemption, at)
    ledger.hold(exemption.group_id)  # no two at once, neither would see the other
    if starts_at is None and (asked := _asked_already(exemption)) is not None:
        return asked
    exemption.save()
    ledger.record(
        Action.EXEMPTION_REQUESTED, subject=exemption, actor=actor, at=at, data=as_document(exemption)
    )
    announcements.exemption_changed(exemption, _deciders(exemption), at=at)
    return exemption


def _asked_already(exemption: Exemption) -> Exemption | None:
    same = ("tenant", "policy", "rule_key", "plugin", "reason", "expires_at", "requested_by_id")
    if exemption.requested_by_id is None:
        return None
    rows = Exemption.objects.filter(
        status=Status.REQUESTED, **{name: getattr(exemption, name) for name in same}
    )
    return rows.order_by("requested_at").first()


@transaction.atomic
def approve(exemption: Exemption, *, actor: Actor, at: datetime, comment: str = "") -> None:
    """Grant an exemption that someone else asked for; what it covers is accepted from its start on.

    Raises FourEyes if the actor is the requester, TransitionError if it was decided meanwhile, and
    ExemptionRefused if its time is over.
    """
    if actor.kind == ActorKind.PERSON and actor.id == exemption.requested_by_id:
        raise FourEyes(exemption)
    if exemption.expires_at <= at:
        raise ExemptionRefused("expires_at", "Its time is over already.")
    _decide(exemption, Status.APPROVED, Action.EXEMPTION_APPROVED, actor=actor, at=at, comment=comment)


@transaction.atomic
def reject(exemption: Exemption, *, actor: Actor, at: datetime, comment: str = "") -> None:
    """Turn a request down. Raises TransitionError if it was decided meanwhile."""
    _decide(exemption, Status.REJECTED, Action.EXEMPTION_REJECTED, actor=actor, at=at, comment=comment)


@transaction.atomic
def revoke(exemption: Exemption, *, actor: Actor, at: datetime, comment: str = "") -> None:
    """End an exemption before its time, or take a request back; what it covered is drift again.

    Raises TransitionError if it has ended.
    """
    _decide(exemption, Status.REVOKED, Action.EXEMPTION_REVOKED, actor=actor, at=at, comment=comment)


@transaction.atomic
def revoke_many(rows: QuerySet[Exemption], *, actor: Actor, at: datetime, comment: str) -> int:
    """End granted exemptions of one group before their time, and say how many. The caller judges anew."""
    ended = list(rows.filter(status=Status.APPROVED).select_related("tenant", "policy").order_by("pk"))
    if not ended:
        return 0
    decided: dict[str, Any] = {"decided_by_id": actor.id, "decided_by_name": actor.name, "decided_at": at}
    Exemption.objects.filter(pk__in=[row.pk for row in ended], status=Status.APPROVED).update(
        status=Status.REVOKED, decision_comment=comment, **decided
    )
    records = [_record(Action.EXEMPTION_REVOKED, row) for row in ended]
    ledger.record_many(records, group_id=ended[0].group_id, actor=actor, at=at)
    return len(ended)


@transaction.atomic
def expire_due(group: Group, *, at: datetime, actor: Actor = SYSTEM) -> int:
    """End the exemptions whose time is over, and say how many; what they covered is drift with a new SLA."""
    over = Exemption.objects.filter(group=group, status=Status.APPROVED, expires_at__lte=at)
    if not over.exists():
        return 0
    ledger.hold(group.pk)
    expired = list(
        over.select_for_update(of=("self",))
        .select_related("group", "tenant", "policy", "plugin")
        .order_by("expires_at", "pk")
    )
    Exemption.objects.filter(pk__in=[exemption.pk for exemption in expired]).update(status=Status.EXPIRED)
    drift.detect(group, at=at, actor=actor, tenant_ids={exemption.tenant_id for exemption in expired})
    records = [_record(Action.EXEMPTION_EXPIRED, exemption) for exemption in expired]
    ledger.record_many(records, group_id=group.pk, actor=actor, at=at)
    admins = directory.told(group.pk, {exemption.tenant_id for exemption in expired}, at=at).tenants
    for exemption in expired:
        exemption.status = Status.EXPIRED
        announcements.exemption_changed(exemption, admins.get(exemption.tenant_id, []), at=at)
    return len(expired)


def as_document(exemption: Exemption) -> dict[str, str | None]:
    """What an exemption is about, for the ledger."""
    return {
        "tenant": exemption.tenant.key,
        "policy": exemption.policy.name,
        "rule": exemption.rule_key or None,
        "plugin": exemption.plugin.name if exemption.plugin else None,
        "starts_at": exemption.starts_at.isoformat(),
        "expires_at": exemption.expires_at.isoformat(),
        "reason": exemption.reason,
    }


def _decide(
    exemption: Exemption, to: Status, action: Action, *, actor: Actor, at: datetime, comment: str
) -> None:
    ledger.hold(exemption.group_id)  # before the row, as whoever ends those whose time is over does
    decided: dict[str, Any] = {"decided_by_id": actor.id, "decided_by_name": actor.name, "decided_at": at}
    advance(exemption, to=to, decision_comment=comment, **decided)
    if to != Status.REJECTED:
        _judge(exemption, actor=actor, at=at)
    data = {**as_document(exemption), "comment": comment}
    ledger.record(action, subject=exemption, actor=actor, at=at, data=data)
    asked_by = exemption.requested_by_id
    # A service's number is no person's.
    if asked_by is not None and not (actor.kind == ActorKind.PERSON and asked_by == actor.id):
        requester = User.objects.filter(pk=asked_by, is_active=True)
        announcements.exemption_changed(exemption, requester, at=at)


def _deciders(exemption: Exemption) -> QuerySet[User]:
    """Who may decide about it: everybody with the permission but the person who asked."""
    roles = [role for role, held in ROLE_PERMISSIONS.items() if Permission.EXEMPTION_DECIDE in held]
    memberships = Membership.objects.valid().filter(group_id=exemption.group_id, role__in=roles)
    deciders = User.objects.filter(pk__in=memberships.values("user")).order_by("username")
    if exemption.requested_by_id is None:
        return deciders
    return deciders.exclude(pk=exemption.requested_by_id)


def _judge(exemption: Exemption, *, actor: Actor, at: datetime) -> None:
    """Find what the exemption covers or no longer does, and have decided anew what to do about the rest."""
    found = drift.detect(exemption.group, at=at, actor=actor, tenant_ids=[exemption.tenant_id])
    concerned = found.concerns([exemption.tenant_id])
    queue.enqueue(
        "governance.jobs.evaluate_tenants",
        group_id=exemption.group_id,
        tenant_ids=None if concerned is None else sorted(concerned),
    )


def _record(action: Action, exemption: Exemption) -> Record:
    return Record(
        action=action,
        subject_kind="exemption",
        subject_id=str(exemption.pk),
        subject_label=str(exemption),
        tenant_id=exemption.tenant_id,
        data=as_document(exemption),
    )


def _check(exemption: Exemption, at: datetime) -> None:
    policy, plugin = exemption.policy, exemption.plugin
    if not exemption.reason:
        raise ExemptionRefused("reason", "Say why.")
    if policy.group_id != exemption.group_id:
        raise ExemptionRefused("policy", "The tenant's group has no such policy.")
    if plugin is not None and plugin.group_id != exemption.group_id:
        raise ExemptionRefused("plugin", "The tenant's group has no such plugin.")
    rules = Rule.objects.filter(policy=policy, version_id=policy.current_id, key=exemption.rule_key)
    if exemption.rule_key and not rules.exists():
        raise ExemptionRefused("rule_key", f"The policy {policy} has no rule “{exemption.rule_key}”.")
    if exemption.expires_at <= max(exemption.starts_at, at):
        raise ExemptionRefused("expires_at", "It must expire after it starts, and in the future.")
