"""The Jenkins catalogue: plugins, the host, and the security warnings on them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from demo import sources

HOST = "jenkins"
SCHEME = "jenkins"
_LTS = re.compile(r"2\.\d+\.\d+")


def documents() -> list[dict[str, Any]]:
    """The whole catalogue as governance.catalogue.load takes it."""
    warnings = _warnings()
    plugins = [
        {
            "plugin": plugin["plugin"],
            "scheme": plugin["scheme"],
            "releases": [_release(release) for release in plugin["releases"]],
            "advisories": warnings.get(plugin["plugin"], []),
        }
        for plugin in sources.catalogue()
    ]
    return [_host(), *plugins]


def _release(release: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in release.items() if name != "src"}


def _warnings() -> dict[str, list[dict[str, Any]]]:
    """The warnings by plugin. `range_equals_pattern` tells those whose affected releases are certain."""
    found: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
    for warning in sources.warnings():
        if warning["range_equals_pattern"] and warning["affected_releases"]:
            seen = found[warning["plugin"]].setdefault(
                warning["id"], {"id": warning["id"], "title": warning["message"], "affects": []}
            )
            seen["affects"] = sorted({*seen["affects"], *warning["affected_releases"]})
    return {plugin: list(warnings.values()) for plugin, warnings in found.items()}


def _host() -> dict[str, Any]:
    """The host: weekly releases with their dates, and the long-term support releases that are known of."""
    weekly = [
        {"version": version, "released_at": f"{facts['at']}T00:00:00Z", "channel": "weekly"}
        for version, facts in sources.host_releases().items()
    ]
    supported = [{"version": version, "channel": "lts"} for version in sorted(set(_supported()))]
    return {
        "plugin": HOST,
        "scheme": SCHEME,
        "title": "Jenkins",
        "host": True,
        "releases": [*weekly, *supported],
    }


def _supported() -> Iterator[str]:
    """Long-term support releases that a plugin needs at least, or that a controller ran."""
    for plugin in sources.catalogue():
        for release in plugin["releases"]:
            if _LTS.fullmatch(release.get("host_min") or ""):
                yield release["host_min"]
    for tenant in sources.fleet():
        for state in tenant["snapshots"]:
            if _LTS.fullmatch(state.get("core") or ""):
                yield state["core"]
