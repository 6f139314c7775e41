"""How a conflict is told: why it is one, which holds for all of its tenants, and where each would go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from governance.resolution import Saying, Unsettled, WayOut
from governance.resolution.links import Link, Place, Stands
from governance.resolution.outcome import ConflictingSet

Names = Mapping[int, str]  # of the components
Goes = Mapping[str, Mapping[str, Any]]  # by way out, where one tenant's plugins go then: {"says", "to"}

_SHOWN_CASES = 3
_SHOWN_TENANTS = 3


def explanation(unsettled: Unsettled, names: Names) -> dict[str, Any]:
    """Why there is no way, as a conflict keeps it."""
    return {
        "summary": unsettled.summary,
        "stuck": [names[component] for component in unsettled.stuck],
        "rules": [_said(saying, names) for saying in unsettled.rules],
        "chain": list(unsettled.chain),
        "sets": [
            {
                "rules": [_said(saying, names) for saying in one.rules],
                "chain": list(one.chain),
                "links": [link.as_json() for link in one.links],
            }
            for one in unsettled.sets
        ],
        "complete": unsettled.complete,
        "proved": unsettled.proved,
    }


def _said(saying: Saying, names: Names) -> dict[str, Any]:
    return {
        "policy": saying.policy,
        "key": saying.key,
        "kind": saying.kind,
        "plugin": names[saying.component],
        "says": saying.says,
        "weight": saying.weight,
    }


def extent(conflict: Mapping[str, Any]) -> str:
    """What the search for a conflict's sets left open, in words; empty where they are all and proved."""
    unproved = "that there is no way isn’t proved"
    if not conflict.get("proved", True) and not conflict.get("sets"):
        return f"The search was given up before it found which rules can’t hold together: {unproved}."
    told = []
    if not conflict.get("complete", True):
        told.append("There may be more such sets: the search stopped at its bound.")
    if not conflict.get("proved", True):
        told.append(f"The search was given up: {unproved}.")
    return " ".join(told)


def in_common(tellings: Sequence[Unsettled]) -> Unsettled:
    """The conflict as it is in all of its tenants: at which version a plugin is, they needn't share."""
    first, *others = tellings
    if not others:
        return first
    stands: dict[tuple[str, ...], list[tuple[Stands, ...]]] = defaultdict(list)
    for link in (link for one in others for link in _links(one)):
        stands[_demanded(link)].append(link.stands)
    # What keeps something back in one tenant needn't in another.
    everywhere = set(stands).intersection(*(map(_demanded, _links(one)) for one in others))
    summary, sets = f"{first.summary}; ", list[ConflictingSet]()
    for one in first.sets:
        links = {link: _shared(link, stands[_demanded(link)]) for link in one.links}
        kept = {before: after for before, after in links.items() if _demanded(before) in everywhere}
        for before in links:
            summary = summary.replace(f"; {before}; ", f"; {kept[before]}; " if before in kept else "; ")
        sets.append(replace(one, links=tuple(kept.values())))
    return replace(
        first,
        summary=summary.removesuffix("; "),
        sets=tuple(sets),
        complete=all(one.complete for one in tellings),
        proved=all(one.proved for one in tellings),
    )


def _links(one: Unsettled) -> Iterator[Link]:
    return (link for some in one.sets for link in some.links)


def _demanded(link: Link) -> tuple[str, ...]:
    return (link.plugin, link.version, link.says)


def _shared(link: Link, others: Iterable[tuple[Stands, ...]]) -> Link:
    there = [one for other in others for one in other]
    alike = (_alike(one, [other for other in there if other.plugin == one.plugin]) for one in link.stands)
    return replace(link, stands=tuple(alike))


def _alike(stands: Stands, others: Sequence[Stands]) -> Stands:
    """Where a component is in all of the tenants."""
    if all(other == stands for other in others):
        return stands
    sorts = {_sort(one) for one in (stands, *others)}
    would = any(one.would for one in (stands, *others))
    return replace(stands, at=sorts.pop() if len(sorts) == 1 else Place.VARIES, would=would)


def _sort(stands: Stands) -> Place:
    """Where a component is, without the version."""
    if isinstance(stands.at, Place):
        return stands.at
    return Place.SUCH if stands.such else Place.ANOTHER


def ways_out(unsettled: Unsettled, names: Names) -> list[dict[str, Any]]:
    """What could be set aside, as a conflict keeps it."""
    return [
        {
            "kind": "set_aside",
            "rule": "/".join(way.rules[0]),
            "policy": way.rules[0][0],
            "key": way.rules[0][1],
            "set_aside": [{"policy": policy, "key": key} for policy, key in way.rules],
            "rules": _aside(way, names),
            "says": way.says,
            "weight": way.weight,
        }
        for way in unsettled.ways_out
    ]


def _aside(way: WayOut, names: Names) -> list[dict[str, Any]]:
    """Each rule that a way out sets aside, with the plugins concerned."""
    rules: dict[tuple[str, str], dict[str, Any]] = {}
    for saying in way.aside:
        about = {"policy": saying.policy, "key": saying.key, "kind": saying.kind, "plugins": []}
        rules.setdefault(saying.rule, about)["plugins"].append({"plugin": names[saying.component]})
    return list(rules.values())


def goes(unsettled: Unsettled, names: Names) -> Goes:
    """Where the plugins of one tenant's conflict go or stay, way by way, as the conflict keeps it there."""
    return {
        _name(way.rules): {
            "says": way.where,
            "to": {
                names[component]: to.version if to is not None else None for component, to in way.goes.items()
            },
        }
        for way in unsettled.ways_out
    }


def _name(rules: Iterable[tuple[str, str]]) -> str:
    """How a way out is told from the conflict's others."""
    return " + ".join("/".join(rule) for rule in rules)


def told(ways: Iterable[Mapping[str, Any]], tenants: Mapping[str, Goes]) -> list[dict[str, Any]]:
    """The ways out of a conflict with where they lead in these tenants, by key: `where`, and in words.

    `where`: [{"says": text, "to": {plugin's name: version, null where it is gone}, "tenants": [key]}], the
    most tenants first.
    """
    found = []
    for way in ways:
        where = _where(_name((rule["policy"], rule["key"]) for rule in way["set_aside"]), tenants)
        found.append({**way, "says": _in_words(way["says"], where), "where": where})
    return found


def _where(name: str, tenants: Mapping[str, Goes]) -> list[dict[str, Any]]:
    cases: dict[str, dict[str, Any]] = {}
    for tenant, going in sorted(tenants.items()):
        if name in going:
            cases.setdefault(str(going[name]), {**going[name], "tenants": []})["tenants"].append(tenant)
    return sorted(cases.values(), key=lambda case: (-len(case["tenants"]), case["says"]))


def by_words(where: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """What is told of where a way out leads, each with the tenants of which it is told, the most first."""
    found: dict[str, list[str]] = defaultdict(list)
    for case in where:
        found[case["says"]] += case["tenants"]
    told = [(says, sorted(tenants)) for says, tenants in found.items()]
    return sorted(told, key=lambda one: (-len(one[1]), one[0]))


def _in_words(says: str, where: Iterable[Mapping[str, Any]]) -> str:
    cases = by_words(where)
    if len(cases) <= 1:
        return f"{says}: {cases[0][0]}" if cases else says
    told = [f"{leads} in {listed(tenants, _SHOWN_TENANTS)}" for leads, tenants in cases]
    more = len(told) - _SHOWN_CASES
    rest = f"; and elsewhere otherwise, in {more:,} more {'way' if more == 1 else 'ways'}" if more > 0 else ""
    return f"{says}: {'; '.join(told[:_SHOWN_CASES])}{rest}"


def listed(texts: Sequence[str], shown: int) -> str:
    """The first of them, and how many more there are."""
    more = len(texts) - shown
    return ", ".join(texts[:shown]) + (f" and {more:,} more" if more > 0 else "")
