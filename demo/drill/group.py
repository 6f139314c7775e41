"""The group of a drill: tenants that are all behind, a few of which no orchestrator can bring up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from config.access import SYSTEM
from governance import catalogue, configuration, manifests, webhooks
from governance.manifests import ManifestDocument
from governance.models import ManifestSource
from governance.pipeline import receive
from sandbox.state import FleetState, TenantState
from tenants import groups
from tenants.models import Group, Role, Tenant, User

SLUG, HOST, HOST_VERSION = "drill", "platform", "5.0.0"
BEHIND, WANTED = "1.0.0", "2.0.0"
PLUGINS = ("calendar", "mail")
STRANGER_EVERY = 50  # one tenant of so many isn't known to the orchestrator, so its upgrade can't succeed
ADMIN_EVERY = 10  # one of so many has an admin who is told
PROFILE: dict[str, Any] = {
    "name": "drill",
    "title": "Brought up whatever goes wrong",
    "mode": "enforce",
    "prefer": "newest",
    "failure_budget": 100,  # nobody is here to resume a plan that pauses
    "retries": {"attempts": 5, "delays": ["0min"]},
    "rings": [{"name": "pilot", "share": 10}, {"name": "broad"}],
    "notify": {"tenant_admins": True, "owners": True},
    "auto_start": True,
}
BASELINES = {
    "version": 1,
    "groups": {
        SLUG: {
            "baselines": [
                {
                    "name": "current",
                    "title": "Both plugins at their current release",
                    "profile": "drill",
                    "tenants": "*",
                    "versions": {name: {"at_least": WANTED} for name in PLUGINS},
                }
            ]
        }
    },
}


def fill(
    tasks: int,
    *,
    at: datetime,
    profile: Mapping[str, Any] = PROFILE,
    webhook: str = "",
    strangers: bool = False,
) -> None:
    """Make the group, its tenants, the people who are told, and the orchestrator's idea of it."""
    group = groups.create_group(slug=SLUG, name="Drill", host_name=HOST, actor=SYSTEM, at=at)
    catalogue.load(group, _catalogue(), actor=SYSTEM, at=at)
    installed = {_key(number): _installed(number) for number in range(tasks)}
    groups.add_tenants(group, [groups.NewTenant(key=key) for key in installed], actor=SYSTEM, at=at)
    _add_people(group, at)
    if webhook:
        webhooks.subscribe(group, name="drill", url=webhook, actor=SYSTEM, at=at)
    ManifestSource.objects.create(group=group, kind=ManifestSource.Kind.SANDBOX, address="")
    known = {key: runs for key, runs in installed.items() if not (strangers and is_stranger(key))}
    _hand_to_sandbox(known, at)
    receive(group, [_manifest(key, plugins, at) for key, plugins in installed.items()], actor=SYSTEM, at=at)
    _put_in_force(profile, at)


def state_file() -> Path:
    """What the sandbox orchestrator keeps."""
    path: Path = settings.DATA_DIR / "sandbox.sqlite3"
    return path


def is_stranger(key: str) -> bool:
    """Whether the orchestrator doesn't know the tenant."""
    return int(key.rpartition("-")[2]) % STRANGER_EVERY == STRANGER_EVERY - 1


def is_current(plugins: Mapping[str, str]) -> bool:
    """Whether nothing is left to be done for a tenant."""
    return BEHIND not in plugins.values()


def _key(number: int) -> str:
    return f"tenant-{number:05}"


def _installed(number: int) -> dict[str, str]:
    """Two plugins in most, which can be half upgraded; one in the others."""
    return dict.fromkeys(PLUGINS if number % 3 else PLUGINS[:1], BEHIND)


def _manifest(key: str, plugins: Mapping[str, str], at: datetime) -> manifests.ManifestDocument:
    return ManifestDocument(key, HOST_VERSION, dict(plugins), observed_at=at, source="file")


def _catalogue() -> list[dict[str, Any]]:
    released = {"released_at": "2026-01-15T00:00:00Z"}
    host = {"plugin": HOST, "scheme": "semver", "host": True}
    return [
        {**host, "releases": [{"version": HOST_VERSION, **released}]},
        *(
            {
                "plugin": name,
                "scheme": "semver",
                "releases": [{"version": version, **released} for version in (BEHIND, WANTED)],
            }
            for name in PLUGINS
        ),
    ]


def _add_people(group: Group, at: datetime) -> None:
    owner = User.objects.create(username="drill-owner", email="owner@drill.example")
    groups.add_member(group, owner, Role.OWNER, actor=SYSTEM, at=at)
    for tenant in Tenant.objects.filter(group=group).order_by("key")[::ADMIN_EVERY]:
        admin = User.objects.create(username=f"{tenant.key}-admin", email=f"{tenant.key}@drill.example")
        groups.add_member(group, admin, Role.TENANT_ADMIN, tenant=tenant, actor=SYSTEM, at=at)


def _hand_to_sandbox(installed: Mapping[str, Mapping[str, str]], at: datetime) -> None:
    with FleetState(state_file()) as state:
        state.put_many(
            TenantState(SLUG, key, HOST, HOST_VERSION, plugins, at) for key, plugins in installed.items()
        )


def _put_in_force(profile: Mapping[str, Any], at: datetime) -> None:
    folder = settings.DATA_DIR / "drill"
    folder.mkdir()
    profiles = {"version": 1, "profiles": [profile]}
    for name, document in (("policy_profiles", profiles), ("multi_tenant_baselines", BASELINES)):
        (folder / f"{name}.yaml").write_text(json.dumps(document))  # JSON is YAML
    configuration.apply_folder(folder, actor=SYSTEM, at=at, groups=[SLUG])
