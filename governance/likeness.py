"""Tenants that are alike: the same is installed there, under the same rules and exemptions.

What is to be done depends on nothing else, so that it is asked about one of them for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from governance.violations import EXEMPTIONS, installed_condition

Exempt = tuple[tuple[int, str, int | None], ...]  # policy, rule's key or "" for all, plugin or None for all


@dataclass(frozen=True, slots=True)
class Likeness:
    """Tenants that are alike, the first of them standing for all.

    `selections` are those of the rules that choose them. `complete` is False where the newest manifest may
    leave plugins unnamed.
    """

    tenant_ids: tuple[int, ...]
    selections: tuple[int, ...]
    exempt: Exempt
    complete: bool

    @property
    def example(self) -> int:
        """The tenant that stands for all."""
        return self.tenant_ids[0]


@dataclass(frozen=True, slots=True)
class Question:
    """About which tenants, rules and state to ask."""

    group_id: int
    at: datetime
    selections: Collection[int]
    tenant_ids: Collection[int] | None = None
    snapshot: int | None = None


def likenesses(asked: Question) -> list[Likeness]:
    """The tenants that some of the selections choose, those that are alike together."""
    exempt = _exemptions(asked)
    found: list[Likeness] = []
    for tenant_ids, selections, complete in _rows(asked):
        apart: dict[Exempt, list[int]] = defaultdict(list)
        for tenant_id in sorted(tenant_ids):
            apart[exempt.get(tenant_id, ())].append(tenant_id)
        found += [Likeness(tuple(ids), tuple(selections), key, complete) for key, ids in apart.items()]
    return sorted(found, key=lambda one: one.example)


def _rows(asked: Question) -> Iterator[tuple[list[int], list[int], bool]]:
    parameters: dict[str, Any] = {"group": asked.group_id, "selections": list(asked.selections)}
    some = {"s": "", "i": ""}
    if asked.tenant_ids is not None:
        some = {alias: f"AND {alias}.tenant_id = ANY (%(tenants)s::bigint[])" for alias in some}
        parameters["tenants"] = list(asked.tenant_ids)
    if asked.snapshot is not None:
        parameters["snapshot"] = asked.snapshot
    statement = _ALIKE.format(
        installed=installed_condition("i", asked.snapshot),
        some_members=some["s"],
        some_installations=some["i"],
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        yield from cursor.fetchall()


def _exemptions(asked: Question) -> Mapping[int, Exempt]:
    some = "" if asked.tenant_ids is None else "AND e.tenant_id = ANY (%(tenants)s::bigint[])"
    parameters: dict[str, Any] = {"group": asked.group_id, "at": asked.at}
    if asked.tenant_ids is not None:
        parameters["tenants"] = list(asked.tenant_ids)
    found: dict[int, set[tuple[int, str, int | None]]] = defaultdict(set)
    with connection.cursor() as cursor:
        cursor.execute(EXEMPTIONS.format(some=some), parameters)
        for _, tenant_id, policy_id, key, plugin_id, _ in cursor.fetchall():
            found[tenant_id].add((policy_id, key, plugin_id))
    return {tenant_id: tuple(sorted(one, key=repr)) for tenant_id, one in found.items()}


# What is installed is told apart by two hashes over the releases' ids, whatever their order: 128 bits that
# nobody outside has a hand in.
_ALIKE = """
WITH chosen AS MATERIALIZED (
    SELECT s.tenant_id, array_agg(s.selection_id ORDER BY s.selection_id) AS selections
    FROM governance_selectiontenant s
    WHERE s.selection_id = ANY (%(selections)s::bigint[]) {some_members}
    GROUP BY s.tenant_id
),
installed AS MATERIALIZED (
    SELECT i.tenant_id, count(*) AS size,
        bit_xor(hashint8extended(i.release_id, 1)) AS one, bit_xor(hashint8extended(i.release_id, 2)) AS other
    FROM governance_installation i
    WHERE i.group_id = %(group)s AND {installed} {some_installations}
    GROUP BY i.tenant_id
)
SELECT array_agg(chosen.tenant_id), chosen.selections, coalesce(newest.complete, true)
FROM chosen
LEFT JOIN installed ON installed.tenant_id = chosen.tenant_id
LEFT JOIN LATERAL (
    SELECT m.complete FROM governance_manifest m WHERE m.tenant_id = chosen.tenant_id
    ORDER BY m.observed_at DESC, m.inventory_id DESC LIMIT 1
) AS newest ON true
GROUP BY installed.size, installed.one, installed.other, chosen.selections, newest.complete
"""
