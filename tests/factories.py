"""The smallest worlds that tests stand in, made by the product's own functions wherever these exist."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from config.access import SYSTEM, Access
from governance import compilation
from governance.models import Exemption, Installation, Plugin, Policy, PolicyVersion, Release
from tenants import groups, reach
from tenants.models import Group, Role, Tenant, User

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class World:
    """A group with two tenants, seen by its owner, by someone who only looks, and by someone of elsewhere."""

    group: Group
    owner: User
    viewer: User
    outsider: User
    tenant_admin: User  # of tenant_a alone
    tenant_a: Tenant
    tenant_b: Tenant
    at: datetime = AT

    def access(self, user: User) -> Access:
        """What the person reaches in the group."""
        access = reach.access_of_person(user, self.group.slug)
        assert access is not None, f"{user} is no member of {self.group}"
        return access


def group(slug: str = "acme", **fields: str) -> Group:
    """A group without tenants."""
    return groups.create_group(slug=slug, name=slug.title(), actor=SYSTEM, at=AT, **fields)


def tenant(group: Group, key: str, *, tier: str = "standard", **labels: str) -> Tenant:
    """A tenant; what isn't its tier is a label."""
    new = groups.NewTenant(key=key, name=key.replace("-", " ").title(), tier=tier, labels=labels)
    return groups.add_tenants(group, [new], actor=SYSTEM, at=AT)[0]


def person(username: str) -> User:
    """Someone who can sign in with PASSWORD."""
    return User.objects.create_user(username, f"{username}@example.org", PASSWORD)


def member(group: Group, username: str, role: Role, *, of: Tenant | None = None) -> User:
    """A person with a role in the group."""
    user = person(username)
    groups.add_member(group, user, role, tenant=of, actor=SYSTEM, at=AT)
    return user


def plugin(group: Group, name: str, versions: Sequence[str] = (), *, host: bool = False) -> Plugin:
    """A plugin of the catalogue; its releases, given lowest first, are ten days apart."""
    made = Plugin.objects.create(group=group, name=name, scheme=group.default_scheme, is_host=host)
    Release.objects.bulk_create(
        Release(
            group=group,
            plugin=made,
            version=version,
            rank=rank,
            released_at=AT - timedelta(days=10 * (len(versions) - rank + 1)),
        )
        for rank, version in enumerate(versions, start=1)
    )
    return made


def release(plugin: Plugin, version: str) -> Release:
    """The plugin's release of that version."""
    return Release.objects.get(plugin=plugin, version=version)


def install(tenant: Tenant, plugins: Mapping[str, str]) -> None:
    """Let a tenant run exactly these plugins at these versions of the catalogue."""
    number = tenant.group.open_snapshot
    current = Installation.objects.filter(tenant=tenant, until__isnull=True)
    wanted = {
        release.plugin_id: release.pk
        for name, version in plugins.items()
        for release in Release.objects.filter(group=tenant.group, plugin__name=name, version=version)
    }
    assert len(wanted) == len(plugins), f"not all of {plugins} are in the catalogue"
    present = dict(current.values_list("plugin_id", "release_id"))
    gone = current.exclude(release_id__in=wanted.values())
    gone.filter(since=number).delete()
    gone.update(until=number)
    Installation.objects.bulk_create(
        Installation(group=tenant.group, tenant=tenant, plugin_id=plugin, release_id=release, since=number)
        for plugin, release in wanted.items()
        if present.get(plugin) != release
    )


def policy(
    group: Group,
    name: str,
    rules: Sequence[Mapping[str, Any]],
    *,
    tenants: Any = "*",
    kind: str = "policy",
    profile: Mapping[str, Any] | None = None,
    at: datetime = AT,
    **fields: Any,
) -> Policy:
    """A policy in force, compiled; a new version if there is one of that name. Nothing is detected by it."""
    policy, _ = Policy.objects.get_or_create(group=group, name=name, defaults={"kind": kind})
    version = PolicyVersion.objects.create(
        policy=policy,
        number=policy.versions.count() + 1,
        document={"name": name, "kind": kind, "tenants": tenants, "rules": list(rules), **fields},
        profile=dict(profile or {}),
        digest="",
        profile_name="test",
        author_name="test",
        created_at=at,
    )
    policy.current, policy.status = version, Policy.Status.ACTIVE
    policy.save()
    compilation.compile_version(version, at=at)
    return policy


def exemption(tenant: Tenant, policy: Policy, *, until: datetime, **fields: Any) -> Exemption:
    """An exemption that was granted. Nothing is detected by it."""
    granted = {"status": Exemption.Status.APPROVED, "requested_by_name": "test", "reason": "test"}
    return Exemption.objects.create(
        group=tenant.group,
        tenant=tenant,
        policy=policy,
        expires_at=until,
        **{"starts_at": AT, "requested_at": AT, "decided_at": AT, **granted, **fields},
    )


def world() -> World:
    """See World. Another group, the outsider's own, has a tenant of the same key."""
    acme, elsewhere = group("acme"), group("elsewhere")
    tenant_a, tenant_b = tenant(acme, "tenant-a"), tenant(acme, "tenant-b")
    tenant(elsewhere, "tenant-a")
    return World(
        group=acme,
        owner=member(acme, "owner", Role.OWNER),
        viewer=member(acme, "viewer", Role.AUDITOR),
        outsider=member(elsewhere, "outsider", Role.OWNER),
        tenant_admin=member(acme, "tenant-admin", Role.TENANT_ADMIN, of=tenant_a),
        tenant_a=tenant_a,
        tenant_b=tenant_b,
    )
