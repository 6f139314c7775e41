"""Tenants as they are at one time, read for the evaluations that go by that."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection

from governance.bindings import Broken, RuleRow
from governance.likeness import Likeness, Question, likenesses
from governance.models import Installation
from governance.violations import violations_query

Acting = frozenset[int] | None  # the ids of the rules to be acted on, None for all
Installed = dict[int, int]  # plugin: release
_Breaking = Mapping[int, Collection[tuple[int, int]]]  # by tenant, plugins and the rules that they break


class Sighting:
    """What is installed in which tenants, and what of it breaks the rules.

    What is `kept` needn't be read again by evaluations of the same tenants or some of them, in which fewer
    rules are acted on: the first one acts on all. Else it is read where it is wanted, and forgotten.
    """

    def __init__(
        self,
        group_id: int,
        at: datetime,
        rules: Collection[RuleRow],
        snapshot: int | None = None,
        *,
        kept: bool = False,
    ) -> None:
        self._group_id = group_id
        self._at = at
        self._rules = rules
        self._snapshot = snapshot
        self._kept = kept
        self.broken: Broken = {}  # as far as it was asked for, by the rulebooks
        self._kinds: list[Likeness] | None = None
        self._breaking: dict[int, Collection[tuple[int, int]]] = {}
        self._installed: dict[int, Installed] = {}

    def kinds(self, tenant_ids: Collection[int] | None, acting: Acting) -> list[Likeness]:
        """Those of the tenants that some rule is for, alike ones together."""
        if self._kinds is not None:
            return self._kinds if tenant_ids is None else list(_among(self._kinds, tenant_ids))
        assert acting is None or not self._kept, "what is kept is to answer for all rules"
        breaking: _Breaking | None = None
        if acting is not None:  # they may be few
            breaking = self._read_breaking(tenant_ids, acting)
            tenant_ids = breaking.keys()
        selections = {rule.selection_id for rule in self._rules}
        kinds = likenesses(Question(self._group_id, self._at, selections, tenant_ids, self._snapshot))
        if breaking is not None:
            self._breaking = {one.example: breaking[one.example] for one in kinds}
        if self._kept:
            self._kinds = kinds
        return kinds

    def offenders(self, tenant_ids: Collection[int], acting: Acting) -> dict[int, set[int]]:
        """By tenant, the components that break a rule to be acted on and are not exempt."""
        if missing := [tenant for tenant in tenant_ids if tenant not in self._breaking]:
            found = self._read_breaking(missing, acting)
            self._breaking.update((tenant, found.get(tenant, ())) for tenant in missing)
        take = self._breaking.__getitem__ if self._kept else self._breaking.pop
        return {
            tenant: plugins
            for tenant in tenant_ids
            if (plugins := {plugin for plugin, rule in take(tenant) if acting is None or rule in acting})
        }

    def installed(self, tenant_ids: Collection[int]) -> Mapping[int, Installed]:
        """What the tenants run."""
        found = {tenant: self._installed.get(tenant, {}) for tenant in tenant_ids}
        if missing := [tenant for tenant in tenant_ids if tenant not in self._installed]:
            found.update(self._read_installed(missing))
        if self._kept:
            self._installed.update(found)
        return found

    def _read_breaking(self, tenant_ids: Collection[int] | None, acting: Acting) -> _Breaking:
        rules = [rule.id for rule in self._rules if acting is None or rule.id in acting]
        query = violations_query(
            rules, tenant_ids, self._at, group_id=self._group_id, snapshot=self._snapshot
        )
        found: dict[int, list[tuple[int, int]]] = defaultdict(list)
        with connection.cursor() as cursor:
            cursor.execute(_BREAKING.format(found=query.text), query.parameters)
            for tenant_id, plugin_id, rule_id in cursor.fetchall():
                found[tenant_id].append((plugin_id, rule_id))
        return found

    def _read_installed(self, tenant_ids: Iterable[int]) -> dict[int, Installed]:
        rows = Installation.objects.filter(group_id=self._group_id, tenant_id__in=list(tenant_ids))
        rows = rows.current() if self._snapshot is None else rows.at(self._snapshot)
        gathered = rows.values_list("tenant_id").annotate(
            plugins=ArrayAgg("plugin_id"), releases=ArrayAgg("release_id")
        )
        return {tenant: dict(zip(plugins, releases, strict=True)) for tenant, plugins, releases in gathered}


def _among(kinds: Iterable[Likeness], tenant_ids: Collection[int]) -> Iterator[Likeness]:
    for kind in kinds:
        if left := tuple(tenant for tenant in kind.tenant_ids if tenant in tenant_ids):
            yield kind if len(left) == len(kind.tenant_ids) else replace(kind, tenant_ids=left)


_BREAKING = "SELECT tenant_id, plugin_id, rule_id FROM ({found}) AS found WHERE exemption_id IS NULL"
