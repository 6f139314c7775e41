"""Worlds small enough to enumerate: plugins and hosts whose versions are numbers from 1.

`{"plugins", "versions", "hosts", "releases": {"A@1": {"host_min", "host_max", "requires": [{"plugin", "lo",
"hi", "optional"}]}}, "tenants": [{"host", "installed": {plugin: version}}], "policies": [{"type", "tenant":
place or null, ...}], "expect": {"satisfiable", "minimal_conflicts", "min_changes"?}}`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from governance.cases import planning
from governance.cases.format import Format, Questions
from governance.cases.planning import Planning, Wish, at_least, between
from governance.cases.shelf import Shelf
from governance.cases.world import Document, World, host_document
from governance.replaying import Case

HOST = "host"
SCHEME = "generic"


def _questions(document: Mapping[str, Any], _: Shelf) -> Questions:
    return planning.questions(document["cases"], _planning)


def _planning(case: Case) -> Planning:
    hosts = map(str, range(1, case["hosts"] + 1))
    wishes = [_wish(policy) for policy in case["policies"]]
    # What only policies name has no release.
    plugins = list(dict.fromkeys([*case["plugins"], *(w.plugin for w in wishes if w.plugin != HOST)]))
    return Planning(
        world=World([host_document(HOST, SCHEME, hosts), *_documents(case, plugins)]),
        plugins=plugins,
        host=HOST,
        tenants=[
            {HOST: str(tenant["host"]), **{p: str(v) for p, v in tenant["installed"].items()}}
            for tenant in case["tenants"]
        ],
        wishes=wishes,
    )


def _documents(case: Case, plugins: Iterable[str]) -> Iterator[Document]:
    for plugin in plugins:
        names = {str(version): f"{plugin}@{version}" for version in range(1, case["versions"] + 1)}
        told = case["releases"]
        releases = [_release(version, told[name]) for version, name in names.items() if name in told]
        yield {"plugin": plugin, "scheme": SCHEME, "releases": releases}


def _release(version: str, told: Mapping[str, Any]) -> Document:
    requires = [
        {
            "plugin": one["plugin"],
            "range": f">={one['lo']} <={one['hi']}",
            "optional": bool(one.get("optional")),
        }
        for one in told["requires"]
    ]
    host = {"host_min": str(told["host_min"]), "host_max": str(told["host_max"])}
    return {"version": version, **host, "requires": requires}


def _wish(policy: Mapping[str, Any]) -> Wish:
    plugin, tenant = policy.get("plugin", HOST), policy.get("tenant")
    match policy["type"]:
        case "range":
            return Wish("range", plugin, tenant, between(str(policy["lo"]), str(policy["hi"])))
        case "host_min":
            return Wish("range", HOST, tenant, at_least(str(policy["host"])))
        case "host_fix":
            return Wish("hold", HOST, tenant)
        case _:
            return planning.wish(policy, HOST)


FORMAT = Format("smallworlds", frozenset({"tenants", "releases", "policies"}), _questions)
