"""Recorded decisions that apply to tenants on one side of a simulation and not on the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from governance.outcomes import TenantOutcome
from governance.resolution import Unsettled
from governance.simulation.judging import Judgement, Judgements, Names


def told(before: Judgements, after: Judgements, names: Names) -> dict[str, list[dict[str, Any]]]:
    """Those that `begin` to apply, so that nobody is asked again, and those that `end` to."""
    return {"begin": _only_in(after, before, names), "end": _only_in(before, after, names)}


def in_words(decisions: Mapping[str, list[dict[str, Any]]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What is said of each, and the conflict that it is about."""
    for one in decisions.get("begin", ()):
        yield "A recorded decision would apply", one
    for one in decisions.get("end", ()):
        yield "A recorded decision would no longer apply", one


def _only_in(here: Judgements, there: Judgements, names: Names) -> list[dict[str, Any]]:
    """Those that hold here alone, told apart by tenant, the most tenants first."""
    tenants, found = defaultdict[str, list[str]](list), dict[str, tuple[Unsettled, TenantOutcome]]()
    for tenant, judgement in here.items():
        known = set(_settled(there.get(tenant)))
        for fingerprint, settled in _settled(judgement).items():
            if fingerprint not in known:
                tenants[fingerprint].append(names.tenants[tenant])
                found.setdefault(fingerprint, settled)
    ordered = sorted(found, key=lambda fingerprint: (-len(tenants[fingerprint]), fingerprint))
    return [
        {
            "fingerprint": fingerprint,
            "plugin": names.plugins[found[fingerprint][0].component],
            "summary": found[fingerprint][0].summary,
            "said": found[fingerprint][1].said[fingerprint],
            "tenants": sorted(tenants[fingerprint]),
        }
        for fingerprint in ordered
    ]


def _settled(judgement: Judgement | None) -> dict[str, tuple[Unsettled, TenantOutcome]]:
    """What recorded decisions settle, by the conflict's fingerprint."""
    if judgement is None or judgement.whole is None:
        return {}
    return {one.fingerprint: (one, judgement.whole) for one in judgement.whole.decided}
