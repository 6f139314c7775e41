"""Filling the database with the demo groups, through the same doors as everybody else's data."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings

from config.access import SYSTEM
from demo import accounts, fleet, jenkins, powerx
from governance import (
    catalogue,
    compliance,
    configuration,
    history,
    manifests,
    snapshots,
)
from governance.models import Installation, Manifest, ManifestSource, Release
from governance.models.snapshot import Trigger
from sandbox.state import FleetState, TenantState
from tenants import groups
from tenants.models import Group, Tenant

Tell = Callable[[str], None]
Stage = Callable[[Group, datetime, Tell], object]
SLUGS = ("eclipse", "powerx")


def load(slug: str, *, at: datetime, tell: Tell) -> dict[str, Any]:
    """Make one demo group whole; what is there of it stays. Returns what it holds, and the seconds."""
    group = Group.objects.filter(slug=slug).first() or _create(slug, at)
    seconds: dict[str, float] = {}
    for name, stage in _stages(slug):
        tell(name)
        begun = time.monotonic()
        stage(group, at, tell)
        seconds[name] = round(time.monotonic() - begun, 2)
    return {**figures(group), "seconds": seconds}


def _stages(slug: str) -> list[tuple[str, Stage]]:
    catalogued = {"eclipse": _load_jenkins, "powerx": _load_powerx}
    past = {"eclipse": _load_history, "powerx": _load_present}
    return [
        ("catalogue", catalogued[slug]),
        ("history", past[slug]),
        ("people", _add_people),
        ("policies", _put_policies_in_force),
        ("measure", lambda group, at, _: compliance.measure(group, at=at)),
    ]


def figures(group: Group) -> dict[str, Any]:
    """What a group holds, counted."""
    return {
        "tenants": Tenant.objects.filter(group=group).count(),
        "manifests": Manifest.objects.filter(group=group).count(),
        "snapshots": group.snapshots.count(),
        "installations": Installation.objects.current().filter(group=group).count(),
        "releases": Release.objects.filter(group=group).count(),
    }


def _create(slug: str, at: datetime) -> Group:
    named = {
        "eclipse": {"name": "Eclipse CI fleet", "default_scheme": jenkins.SCHEME, "host_name": jenkins.HOST},
        "powerx": {"name": "PowerX", "default_scheme": "semver", "host_name": powerx.HOST},
    }
    return groups.create_group(slug=slug, actor=SYSTEM, at=at, **named[slug])


def _load_jenkins(group: Group, at: datetime, tell: Tell) -> None:
    tell("catalogue: 2,246 plugins, 37,418 releases")
    catalogue.load(group, jenkins.documents(), actor=SYSTEM, at=at)


def _load_history(group: Group, at: datetime, tell: Tell) -> None:
    groups.add_tenants(group, fleet.tenants(), actor=SYSTEM, at=at)
    history.load(
        group,
        fleet.manifests(),
        actor=SYSTEM,
        at=at,
        progress=lambda done: tell(f"history: {done:,} of 3,509 manifests"),
    )
    Tenant.objects.filter(group=group, key__in=fleet.gone()).update(active=False)


def _load_powerx(group: Group, at: datetime, _tell: Tell) -> None:
    catalogue.load(group, powerx.documents(), actor=SYSTEM, at=at)


def _load_present(group: Group, at: datetime, _tell: Tell) -> None:
    groups.add_tenants(group, powerx.tenants(), actor=SYSTEM, at=at)
    if not Manifest.objects.filter(group=group).exists():
        manifests.ingest(group, powerx.manifests(at), actor=SYSTEM, at=at)
        snapshots.seal(group, trigger=Trigger.COMMAND, actor=SYSTEM, at=at)


def _add_people(group: Group, at: datetime, _tell: Tell) -> None:
    accounts.create(group, at=at)
    hand_to_sandbox(group)


def _put_policies_in_force(group: Group, at: datetime, _tell: Tell) -> None:
    files = configuration.load(settings.CONFIGURATION_DIR)
    configuration.apply(files, groups=[group.slug], actor=SYSTEM, at=at)


def hand_to_sandbox(group: Group) -> None:
    """Let the sandbox orchestrator run the group's tenants as they are now, unless it does already."""
    if not settings.USES_SANDBOX:
        return
    ManifestSource.objects.get_or_create(group=group, kind=ManifestSource.Kind.SANDBOX, address="")
    with FleetState(settings.DATA_DIR / "sandbox.sqlite3") as state:
        if not state.has_group(group.slug):
            state.put_many(_states(group))


def _states(group: Group) -> list[TenantState]:
    newest = (
        Manifest.objects.filter(group=group, tenant__active=True)
        .order_by("tenant_id", "-observed_at", "-inventory_id")
        .distinct("tenant_id")
        .values_list("tenant__key", "inventory__host_version", "inventory__plugins", "observed_at")
    )
    return [
        TenantState(group.slug, key, group.host_name, host_version, plugins, observed_at)
        for key, host_version, plugins, observed_at in newest
    ]
