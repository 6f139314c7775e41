"""How fast the loop is on this machine, on the real fleet, measured from outside as its users see it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx

from demo import sources
from demo.throwaway import Throwaway, throwaway

TENANT = "eclipse.jdt"
PLUGIN = "git"
VERSION = "5.6.0"  # a release that the demo's policy core-plugins doesn't want
GIVE_UP = 30.0


def measure(tell: Callable[[str], None]) -> dict[str, Any]:
    """Load the fleet, push a manifest, build a report and run the loop twice; seconds and row counts."""
    with throwaway() as product:
        tell("loading the fleet and its history")
        loaded = product.json("load_demo", "--only", "eclipse")["eclipse"]
        with product.running():
            tell("pushing a manifest that drifts")
            seen = _manifest_to_finding(product)
            tell("building the compliance report")
            report = _report(product)
        tell("running the loop")
        first, second = _loop(product), _loop(product)
    return {"loaded": loaded, "manifest_to_finding": seen, "report": report, "loop": first, "again": second}


def _manifest_to_finding(product: Throwaway) -> dict[str, float]:
    """Seconds from sending a tenant's changed manifest to its answer, and to the finding on the page."""
    [state] = [one["snapshots"][-1] for one in sources.fleet() if one["tenant"] == TENANT]
    manifest = {
        "tenant": TENANT,
        "host_version": state["core"],
        "plugins": {**state["resolved"], PLUGIN: VERSION},
        "observed_at": datetime.now(tz=UTC).isoformat(),
    }
    page = f"/g/eclipse/drift/?tenant={TENANT}&plugin={PLUGIN}"
    with (
        product.service("eclipse", "manifest.push") as service,
        closing(product.person("eclipse-owner")) as owner,
    ):
        assert VERSION not in owner.get(page).raise_for_status().text, "the finding isn't there yet"
        begun = time.monotonic()
        service.post("/internal/version/governance/manifest", json=manifest).raise_for_status()
        answered = time.monotonic() - begun
        while VERSION not in owner.get(page).text:
            if time.monotonic() - begun > GIVE_UP:
                raise TimeoutError("The finding didn't appear.")
        return {"answered": round(answered, 3), "visible": round(time.monotonic() - begun, 3)}


def _report(product: Throwaway) -> dict[str, Any]:
    with product.service("eclipse", "report.build") as service:
        begun = time.monotonic()
        answer = _created(service.post("/internal/version/policy/report", json={}))
        seconds = round(time.monotonic() - begun, 3)
    return {"seconds": seconds, "bytes": {file["format"]: file["size"] for file in answer["files"]}}


def _created(response: httpx.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.raise_for_status().json()
    assert answer["status"] == "ready", answer
    return answer


def _loop(product: Throwaway) -> dict[str, Any]:
    begun = time.monotonic()
    outcome = product.json("version_policy_sync", "--group", "eclipse")
    run = outcome["groups"]["eclipse"]
    seconds = {name: stage["seconds"] for name, stage in run["figures"].items() if isinstance(stage, dict)}
    return {
        "seconds": round(time.monotonic() - begun, 3),
        "status": run["status"],
        "changed": run["changed"],
        "stages": seconds,
        "tasks": run["figures"]["verify"].get("tasks", 0),
    }
