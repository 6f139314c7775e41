"""The Eclipse Foundation's fleet: its tenants, and what each ran when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from demo import sources
from governance.manifests import ManifestDocument
from tenants.groups import NewTenant

# Those that the foundation itself runs, and two projects that are close to it, go first.
PILOT = ("foundation-internal.", "technology.cbi", "technology.simrel", "technology.packaging", "eclipse.")
# Controllers that releases of many others are built on.
CRITICAL = ("eclipse.", "foundation-internal.simrel", "technology.simrel", "tools.cdt", "technology.egit")


def tenants() -> list[NewTenant]:
    """The controllers; rings and tiers are ours, projects are in the names."""
    return [
        NewTenant(
            key=one["tenant"],
            tier="critical" if one["tenant"].startswith(CRITICAL) else "standard",
            labels={
                "project": one["tenant"].split(".")[0],
                "ring": "pilot" if one["tenant"].startswith(PILOT) else "broad",
            },
        )
        for one in sources.fleet()
    ]


def gone() -> set[str]:
    """The controllers that were switched off in the end."""
    return {one["tenant"] for one in sources.fleet() if one["snapshots"][-1].get("removed")}


def manifests() -> Iterator[ManifestDocument]:
    """Every dated state. A controller that was switched off runs nothing from then on."""
    for one in sources.fleet():
        for state in one["snapshots"]:
            yield ManifestDocument(
                tenant=one["tenant"],
                host_version=state.get("core") or "",
                plugins=state.get("resolved") or {},
                observed_at=datetime.fromisoformat(state["at"]),
                source="history",
            )
