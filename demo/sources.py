"""The facts in demo/facts, read as they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent / "facts"


def fleet() -> list[dict[str, Any]]:
    """The tenants: `{"tenant", "snapshots": [{"at", "core", "resolved"} or {"at", "removed"}]}`."""
    tenants: list[dict[str, Any]] = _read("fleet-eclipse")["tenants"]
    return tenants


def catalogue() -> list[dict[str, Any]]:
    """The plugins in the form that governance.catalogue takes."""
    plugins: list[dict[str, Any]] = _read("catalogue-jenkins")
    return plugins


def host_releases() -> dict[str, dict[str, str]]:
    """The host's weekly releases: `{version: {"at": date}}`."""
    releases: dict[str, dict[str, str]] = _read("jenkins-extra")["core_releases"]
    return releases


def warnings() -> list[dict[str, Any]]:
    """The plugins' security warnings: `{"id", "plugin", "message", "affected_releases"}`."""
    listed: list[dict[str, Any]] = _read("security-denials-jenkins")
    return listed


def _read(name: str) -> Any:
    with gzip.open(FACTS / f"{name}.json.gz", "rt", encoding="utf-8") as file:
        return json.load(file)
