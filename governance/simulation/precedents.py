"""Recorded decisions that apply to tenants on one side of a simulation and not on the other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from governance import conflict_wording
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
    """Those that apply here alone, told apart by tenant, the most tenants first."""
    found = defaultdict[str, dict[str, Unsettled]](dict)  # by the conflict, then by the tenant's key
    said: dict[str, str] = {}
    for tenant, judgement in here.items():
        known = _settled(there.get(tenant))
        for fingerprint, (conflict, by_whom) in _settled(judgement).items():
            if fingerprint not in known:
                found[fingerprint][names.tenants[tenant]] = conflict
                said[fingerprint] = by_whom
    ordered = sorted(found.items(), key=lambda one: (-len(one[1]), one[0]))
    return [_told(tenants, said[fingerprint], names) for fingerprint, tenants in ordered]


def _told(tenants: Mapping[str, Unsettled], said: str, names: Names) -> dict[str, Any]:
    """The conflict as it is in all of its tenants."""
    tellings = {id(one): one for _, one in sorted(tenants.items())}
    one = conflict_wording.in_common(list(tellings.values()))
    return {
        "fingerprint": one.fingerprint,
        "plugin": names.plugins[one.component],
        "summary": one.summary,
        "said": said,
        "tenants": sorted(tenants),
    }


def _settled(judgement: Judgement | None) -> dict[str, tuple[Unsettled, str]]:
    """What recorded decisions settle, and by whom, when and why, by the conflict's fingerprint."""
    if judgement is None or judgement.whole is None:
        return {}
    said = judgement.whole.said
    return {one.fingerprint: (one, said[one.fingerprint]) for one in judgement.whole.decided}
