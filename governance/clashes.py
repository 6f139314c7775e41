"""What the rules of a conflict want, as facts from which messages are written in any language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import F

from governance.messages.conflicts import Clash, Demand
from governance.models import Conflict, Rule

_Facts = tuple[Mapping[str, Any], datetime | None]
_UNKNOWN: _Facts = ({}, None)


def of(group_id: int, conflicts: Iterable[Conflict]) -> dict[UUID, Clash]:
    """What each of the conflicts is, by its id."""
    rows = list(conflicts)
    policies = {rule["policy"] for row in rows for rule in row.explanation.get("rules", [])}
    facts = _facts(group_id, policies)
    return {row.pk: _clash(row, facts) for row in rows}


def _facts(group_id: int, policies: set[str]) -> dict[tuple[str, str], _Facts]:
    """What the rules of these policies say now; of one that has variants only what all of them do."""
    rules = Rule.objects.filter(group=group_id, policy__name__in=policies, version=F("policy__current"))
    found: dict[tuple[str, str], _Facts] = {}
    for policy, key, spec, until in rules.values_list("policy__name", "key", "spec", "effective_until"):
        told = (spec, until)
        found[policy, key] = told if found.get((policy, key), told) == told else _UNKNOWN
    return found


def _clash(conflict: Conflict, facts: Mapping[tuple[str, str], _Facts]) -> Clash:
    sets = conflict.sets
    simplest = sets[0] if sets else {"rules": conflict.explanation.get("rules", []), "chain": []}
    return Clash(
        demands=tuple(_demand(rule, facts) for rule in simplest.get("rules", []) if "kind" in rule),
        links=tuple(simplest.get("links", ())),
        untold=0 if "links" in simplest else len(simplest.get("chain", [])),
        others=max(len(sets) - 1, 0),
        proved=conflict.explanation.get("proved", True),
    )


def _demand(rule: Mapping[str, Any], facts: Mapping[tuple[str, str], _Facts]) -> Demand:
    spec, until = facts.get((rule["policy"], rule["key"]), _UNKNOWN)
    return Demand(rule["policy"], rule["key"], rule["kind"], rule.get("plugin", ""), spec, until)
