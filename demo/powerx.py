"""The scenario group: one plugin, two tenants, one of them a minor version behind."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from governance.manifests import ManifestDocument
from tenants.groups import NewTenant

PLUGIN = "powerx-crm-plugin"
HOST = "powerx"


def documents() -> list[dict[str, Any]]:
    """Its catalogue."""
    releases = [
        ("2.2.0", "2026-02-10"),
        ("2.3.0", "2026-05-12"),
        ("2.4.0", "2026-08-18"),
    ]
    return [
        {
            "plugin": HOST,
            "scheme": "semver",
            "title": "PowerX",
            "host": True,
            "releases": [{"version": "5.0.0", "released_at": "2026-01-15T00:00:00Z", "channel": "lts"}],
        },
        {
            "plugin": PLUGIN,
            "scheme": "semver",
            "title": "PowerX CRM",
            "releases": [
                {"version": version, "released_at": f"{day}T00:00:00Z", "channel": "lts", "host_min": "5.0.0"}
                for version, day in releases
            ],
        },
    ]


def tenants() -> list[NewTenant]:
    """Both."""
    return [
        NewTenant(key="tenant-a", name="Tenant A", labels={"ring": "pilot"}),
        NewTenant(key="tenant-b", name="Tenant B", labels={"ring": "broad"}),
    ]


def manifests(at: datetime) -> list[ManifestDocument]:
    """What both run now."""
    return [
        ManifestDocument(tenant, "5.0.0", {PLUGIN: version}, observed_at=at, source="file")
        for tenant, version in (("tenant-a", "2.4.0"), ("tenant-b", "2.3.0"))
    ]
