"""Plans for Jenkins: tenants, policies, and whether, how cheaply and why not they can all be met.

`{"tenants": [{"name", "core", "installed": {plugin: version}}], "universe": {plugin: [version]}, "cores",
"policies": [{"type", "tenant": place or null, "plugin"?, "version"?, "versions"?}],
"expect": {"satisfiable", "min_changes" or "minimal_conflicts", ...}}`
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from governance.cases import pinned, planning
from governance.cases.format import Format, Questions
from governance.cases.planning import Planning, Wish, at_least, at_most, exactly
from governance.cases.shelf import Shelf
from governance.cases.world import World
from governance.replaying import Case


def _questions(document: Mapping[str, Any], shelf: Shelf) -> Questions:
    cases = document["cases"]
    cores = {core for case in cases for core in case["cores"]}
    everything = pinned.world(shelf, sorted(cores), _universe(cases))
    return planning.questions(cases, lambda case: _planning(everything, case))


def _universe(cases: list[Case]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        for plugin, versions in case["universe"].items():
            found[plugin].update(versions)
    return found


def _planning(everything: World, case: Case) -> Planning:
    wishes = [_wish(policy) for policy in case["policies"]]
    # What policies are about and the universe leaves out has no release.
    wanted = {one.plugin: () for one in wishes if one.plugin != pinned.HOST}
    universe = {**wanted, **case["universe"]}
    return Planning(
        world=everything.restricted(universe, case["cores"]),
        plugins=list(universe),
        host=pinned.HOST,
        tenants=[{**tenant["installed"], pinned.HOST: tenant["core"]} for tenant in case["tenants"]],
        wishes=wishes,
    )


def _wish(policy: Mapping[str, Any]) -> Wish:
    plugin, tenant = policy.get("plugin", pinned.HOST), policy.get("tenant")
    match policy["type"]:
        case "min" | "core-min":
            return Wish("range", plugin, tenant, at_least(policy["version"]))
        case "max":
            return Wish("range", plugin, tenant, at_most(policy["version"]))
        case "core":
            return Wish("range", plugin, tenant, exactly(policy["version"]))
        case _:
            return planning.wish(policy, pinned.HOST)


FORMAT = Format("plan", frozenset({"tenants", "universe", "policies"}), _questions)
