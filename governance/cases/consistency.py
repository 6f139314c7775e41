"""Cases of what goes together: a host, plugins at versions, and what upstream says of the set.

Asked are the verdict, the plugins that can't run, also because of others that can't, and the direct facts.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from governance.cases.format import Questions
from governance.cases.world import Named, World
from governance.replaying import Case
from governance.resolution import Reason, troubles

Fact = list[Any]
Facts = Callable[
    [World, Reason, str], Iterator[Fact]
]  # a direct reason and the host's version in upstream's words


def questions(cases: Iterable[Case], world: World, host: str, facts: Facts) -> Questions:
    """The questions of a file whose cases name their host in the field `host`."""
    asked = [{**case, "expect": _expected(case)} for case in cases]
    return Questions(asked, lambda case: _answer(world, case[host], case["pins"], facts))


def pinned(cases: Iterable[Case]) -> Named:
    """The versions of every plugin that the cases name."""
    found: dict[str, set[str]] = defaultdict(set)
    for case in cases:
        for plugin, version in case["pins"].items():
            found[plugin].add(version)
    return found


def _expected(case: Case) -> dict[str, Any]:
    expect = case["expect"]
    return _as_answer(expect["ok"], expect["uninstallable"], expect["facts"])


def _answer(world: World, host: str, pins: dict[str, str], facts: Facts) -> dict[str, Any]:
    installed = [world.release(plugin, version) for plugin, version in pins.items()]
    found = troubles(installed, host=world.host(host))
    direct = (reason for trouble in found for reason in trouble.reasons if reason.direct)
    return _as_answer(
        not found,
        [world.name(trouble.release) for trouble in found if not trouble.usable],
        [fact for reason in direct for fact in facts(world, reason, host)],
    )


def _as_answer(verdict: bool, unusable: Iterable[str], facts: Iterable[Fact]) -> dict[str, Any]:
    """Neither plugins nor facts have an order."""
    in_order = sorted(facts, key=lambda fact: json.dumps(fact, sort_keys=True))
    return {"verdict": verdict, "unusable": sorted(unusable), "facts": in_order}
