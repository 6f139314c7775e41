"""A snapshot restored as the wanted state of what a policy is about."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from audit import ledger
from audit.actions import Action
from config.access import Actor
from governance import policies, policy_documents
from governance.models import Exemption, Installation, Policy, PolicyVersion, SelectionTenant, Snapshot
from tenants.models import Tenant

# By then the group has settled what it wants instead; exemptions end, they never just stay.
_REASSESS_WITHIN = timedelta(days=30)


class NothingToRestore(Exception):
    """Everything that the policy is about is as it was in that snapshot."""

    def __init__(self, policy: Policy, number: int) -> None:
        super().__init__(f"What {policy} is about is as it was in snapshot {number}; nothing to restore.")


@dataclass(frozen=True, slots=True)
class Restoration:
    """What brings the tenants back: a baseline of what was, and the old policy out of its way there.

    `left_out` are plugins (by tenant) that were removed since: a version can't be wanted of what isn't there.
    """

    policy: Policy
    snapshot: Snapshot
    document: dict[str, Any]
    tenants: tuple[str, ...]
    left_out: tuple[str, ...]

    def exemptions(self) -> list[dict[str, Any]]:
        """The tenants' exemptions from the policy whose effect is taken back, as in the YAML."""
        return [
            {
                "name": "",
                "tenant": key,
                "policy": self.policy.name,
                "reason": self.reason,
                "until": "in 30 days",
            }
            for key in self.tenants
        ]

    @property
    def reason(self) -> str:
        """Why, in words."""
        return f"Taken back to snapshot {self.snapshot.number}."


def prepare(policy: Policy, number: int, tenant_keys: Collection[str] = ()) -> Restoration:
    """What would restore the snapshot for the tenants that the policy selects, or those that are named.

    Raises Snapshot.DoesNotExist, and NothingToRestore.
    """
    snapshot = Snapshot.objects.get(group_id=policy.group_id, number=number)
    tenants = _tenants(policy, tenant_keys)
    then = _versions(_about(policy, tenants).at(number))
    now = _versions(_about(policy, tenants).current())
    moved = {key for key in then.keys() | now.keys() if then.get(key) != now.get(key)}
    changed = {plugin for tenant, plugin in moved if (tenant, plugin) in now}
    concerned = {tenant for tenant, plugin in moved if (tenant, plugin) in now}
    if not concerned:
        raise NothingToRestore(policy, number)
    rules: list[dict[str, Any]] = []
    for plugin in sorted(changed):
        key = policy_documents.free_key(plugin, {rule["name"] for rule in rules})
        rules.append({"name": key, "plugins": [plugin], **_rule(plugin, concerned, then, now)})
    document = {
        "kind": Policy.Kind.BASELINE,
        "name": f"restore-{policy.name}"[:100],
        "title": f"{policy.name} taken back to snapshot {number}",
        "profile": policy.current.profile_name if policy.current else "",
        "tenants": {"keys": sorted(concerned)},
        "rules": rules,
    }
    left_out = sorted(f"{plugin} in {tenant}" for tenant, plugin in moved - now.keys())
    return Restoration(policy, snapshot, document, tuple(sorted(concerned)), tuple(left_out))


@transaction.atomic
def draft(restoration: Restoration, *, actor: Actor, at: datetime) -> PolicyVersion:
    """Keep the baseline as a draft, so that what was looked at can be applied later."""
    group = restoration.policy.group
    comment = restoration.reason
    return policies.save_draft(group, restoration.document, actor=actor, at=at, comment=comment)


@transaction.atomic
def apply(restoration: Restoration, *, actor: Actor, at: datetime) -> Policy:
    """Want the snapshot's state: the policy is paused, its tenants are exempt from it, the baseline binds.

    Without the exemption the two would pull the tenants to and fro, or stand against each other. Raises
    ConfigurationError, and FlagOff while governance is off.
    """
    policy = restoration.policy
    if policy.status == Policy.Status.ACTIVE:
        policies.pause(policy, actor=actor, at=at, reason=restoration.reason)
    _exempt(restoration, actor=actor, at=at)
    version = policies.apply(
        policy.group, restoration.document, actor=actor, at=at, comment=restoration.reason
    )
    policies.settle(policy.group, actor=actor, at=at)
    data = {"policy": policy.name, "baseline": version.policy.name, "tenants": list(restoration.tenants)}
    ledger.record(Action.SNAPSHOT_RESTORED, subject=restoration.snapshot, actor=actor, at=at, data=data)
    return version.policy


def _tenants(policy: Policy, keys: Collection[str]) -> list[int]:
    selections = policy.rules.filter(version=policy.current).values("selection")
    chosen = SelectionTenant.objects.filter(selection__in=selections).values("tenant")
    rows = Tenant.objects.filter(pk__in=chosen)
    return list((rows.filter(key__in=list(keys)) if keys else rows).values_list("pk", flat=True))


def _about(policy: Policy, tenants: Collection[int]) -> Any:
    """The installations that the policy's rules speak of."""
    rows = Installation.objects.filter(group_id=policy.group_id, tenant_id__in=list(tenants))
    named: set[int] = set()
    for plugins in policy.rules.filter(version=policy.current).values_list("plugins", flat=True):
        if not plugins:
            return rows.filter(plugin__is_host=False)
        named |= set(plugins)
    return rows.filter(plugin_id__in=named)


def _versions(rows: Any) -> dict[tuple[str, str], str]:
    return {
        (tenant, plugin): version
        for tenant, plugin, version in rows.values_list("tenant__key", "plugin__name", "release__version")
    }


def _rule(
    plugin: str,
    concerned: Collection[str],
    then: Mapping[tuple[str, str], str],
    now: Mapping[tuple[str, str], str],
) -> dict[str, Any]:
    """What each tenant had of the plugin: what most had, and variants for the others."""
    groups: dict[str | None, list[str]] = defaultdict(list)
    for tenant in sorted(concerned):
        if (tenant, plugin) in then or (tenant, plugin) in now:
            groups[then.get((tenant, plugin))].append(tenant)
    most = Counter({version: len(keys) for version, keys in groups.items()}).most_common(1)[0][0]
    variants = [
        {"name": f"v{place}", "tenants": {"keys": keys}, **_had(version)}
        for place, (version, keys) in enumerate(sorted(groups.items(), key=str), start=1)
        if version != most
    ]
    rule = {**_had(most), "severity": "high"}
    return rule | ({"variants": variants} if variants else {})


def _had(version: str | None) -> dict[str, Any]:
    return {"absent": True} if version is None else {"exactly": version}


def _exempt(restoration: Restoration, *, actor: Actor, at: datetime) -> None:
    policy = restoration.policy
    tenants = Tenant.objects.filter(group=policy.group, key__in=restoration.tenants).order_by("key")
    have = Q(status=Exemption.Status.APPROVED, rule_key="", plugin=None, expires_at__gt=at)
    exempt = set(policy.exemptions.filter(have).values_list("tenant", flat=True))
    rows = Exemption.objects.bulk_create(
        Exemption(
            group=policy.group,
            tenant=tenant,
            policy=policy,
            reason=restoration.reason,
            status=Exemption.Status.APPROVED,
            starts_at=at,
            expires_at=at + _REASSESS_WITHIN,
            requested_by_id=actor.id,
            requested_by_name=actor.name,
            requested_at=at,
            decided_by_name="rollback",
            decided_at=at,
        )
        for tenant in tenants
        if tenant.pk not in exempt
    )
    for row in rows:
        data = {"reason": row.reason, "expires_at": row.expires_at.isoformat()}
        ledger.record(Action.EXEMPTION_APPROVED, subject=row, actor=actor, at=at, data=data)
