"""What tenants are in, put together for resolution from what is installed, the catalogue and the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from governance.bindings import Rulebook, RuleRow
from governance.models import Installation, Manifest
from governance.relations import Catalogue
from governance.resolution import Component, Release, Situation
from governance.violations import SupposedExemption, violations_query

Installed = dict[int, int]  # plugin: release


@dataclass(frozen=True)
class Inputs:
    """What an evaluation goes by: the real one and a simulation's differ in nothing else.

    `rules` are those that bind, `acting` the ids of those to be acted on (None for all). `snapshot` asks of
    that snapshot instead of now.
    """

    group_id: int
    at: datetime
    rules: tuple[RuleRow, ...]
    tenant_ids: frozenset[int] | None = None
    acting: frozenset[int] | None = None
    snapshot: int | None = None
    supposed: tuple[SupposedExemption, ...] = ()


class Situations:
    """Builds the situations of the tenants in which something breaks a rule to be acted on.

    A situation begins with the components that break a rule; what else resolution asks for is opened then.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.opened = self._offenders()
        self.catalogue = Catalogue(inputs.group_id, inputs.at)
        self.rulebook = Rulebook(
            inputs.rules, self.catalogue, self.opened.keys(), inputs.supposed, inputs.acting
        )
        self.installed = self._installed()
        self._incomplete = self._incomplete_tenants()
        self.catalogue.load_releases(pk for releases in self.installed.values() for pk in releases.values())
        self._naming = self._index()
        self._components: dict[tuple[int, int | None, bool, bool], Component] = {}
        self._near: dict[int, frozenset[int]] = {}

    def open(self, tenant_id: int, components: Iterable[int], *, widely: bool = False) -> None:
        """Let these components of the tenant change too, `widely` with all that they have to do with."""
        opened = self.opened[tenant_id]
        opened |= set(components)
        if widely:
            self._open_around(tenant_id, opened)

    def _open_around(self, tenant_id: int, opened: set[int]) -> None:
        """Open what the open ones ask something of or are asked something by, and so on."""
        latest = set(opened)
        while latest:
            self.catalogue.load_plugins(latest)
            near = {self.catalogue.release(pk).component for pk in self._dependents(tenant_id)}
            latest = near.union(*(self._neighbours(component) for component in latest)) - opened
            opened |= latest

    def prepare(self, tenant_ids: Iterable[int]) -> None:
        """Load at once what the next situations of these tenants are made of."""
        tenants = list(tenant_ids)
        opened = {component for tenant_id in tenants for component in self.opened[tenant_id]}
        self.catalogue.load_plugins(opened)
        self.rulebook.load(opened)
        named = {pk for tenant_id in tenants for pk in self._dependents(tenant_id)}
        self.catalogue.load_named(named | {self.installed[t][c] for t in tenants for c in self._there(t)})

    def build(self, tenant_id: int) -> Situation:
        """The situation that the tenant is in, as far as it is open."""
        opened = self.opened[tenant_id]
        installed = self.installed[tenant_id]
        dependents = self._dependents(tenant_id)
        around: set[int] = set()
        for component in opened:
            around |= self._neighbours(component)
        for pk in dependents:
            release = self.catalogue.release(pk)
            around.add(release.component)
            around.update(*(r.components for r in release.relations if not r.components.isdisjoint(opened)))
        related = {self.catalogue.release(pk).component for pk in dependents}
        parts = [self._component(c, installed.get(c), is_open=True) for c in sorted(opened)]
        parts += [self._component(c, installed.get(c), related=c in related) for c in sorted(around - opened)]
        bindings = [b for c in opened for b in self.rulebook.binding(tenant_id, c, installed.get(c))]
        return Situation(tuple(parts), tuple(bindings), tenant_id not in self._incomplete)

    def _there(self, tenant_id: int) -> set[int]:
        return self.opened[tenant_id] & self.installed[tenant_id].keys()

    def _component(
        self, plugin_id: int, release_id: int | None, *, is_open: bool = False, related: bool = False
    ) -> Component:
        key = (plugin_id, release_id, is_open, related)
        if key not in self._components:
            plugin = self.catalogue.plugins[plugin_id]
            self._components[key] = Component(
                id=plugin_id,
                name=plugin.name,
                installed=self._release(release_id, whole=is_open or related),
                candidates=self.catalogue.candidates(plugin_id) if is_open else (),
                open=is_open,
                host=plugin.is_host,
            )
        return self._components[key]

    def _release(self, release_id: int | None, *, whole: bool) -> Release | None:
        """What a bystander asks of others doesn't matter: nothing that it asks for may change."""
        if release_id is None:
            return None
        return self.catalogue.release(release_id) if whole else self.catalogue.bare(release_id)

    def _neighbours(self, component: int) -> frozenset[int]:
        """Every component that some release of this one asks something of."""
        if component not in self._near:
            candidates = self.catalogue.candidates(component)
            asked = (relation.components for release in candidates for relation in release.relations)
            self._near[component] = frozenset[int]().union(*asked)
        return self._near[component]

    def _dependents(self, tenant_id: int) -> list[int]:
        """The tenant's releases that ask something of an open component."""
        installed = self.installed[tenant_id]
        return [
            release_id
            for component in self.opened[tenant_id]
            for plugin_id, release_id in self._naming.get(component, ())
            if installed.get(plugin_id) == release_id
        ]

    def _index(self) -> dict[int, set[tuple[int, int]]]:
        """By component, the installed releases (and their plugins) that name it."""
        found: dict[int, set[tuple[int, int]]] = defaultdict(set)
        pairs = {pair for releases in self.installed.values() for pair in releases.items()}
        for plugin_id, release_id in pairs:
            for named in self.catalogue.named_by(release_id):
                found[named].add((plugin_id, release_id))
        return found

    def _offenders(self) -> dict[int, set[int]]:
        """By tenant, the components that break a rule to be acted on and are not exempt."""
        inputs = self.inputs
        acting = [rule.id for rule in inputs.rules if inputs.acting is None or rule.id in inputs.acting]
        query = violations_query(
            acting,
            inputs.tenant_ids,
            inputs.at,
            group_id=inputs.group_id,
            snapshot=inputs.snapshot,
            supposed=inputs.supposed,
        )
        found: dict[int, set[int]] = defaultdict(set)
        with connection.cursor() as cursor:
            cursor.execute(query.text, query.parameters)
            for tenant_id, plugin_id, _, _, exemption_id in cursor.fetchall():
                if exemption_id is None:
                    found[tenant_id].add(plugin_id)
        return found

    def _installed(self) -> dict[int, Installed]:
        rows = Installation.objects.filter(group_id=self.inputs.group_id, tenant_id__in=self.opened.keys())
        rows = rows.current() if self.inputs.snapshot is None else rows.at(self.inputs.snapshot)
        found: dict[int, Installed] = {tenant_id: {} for tenant_id in self.opened}
        for tenant_id, plugin_id, release_id in rows.values_list("tenant_id", "plugin_id", "release_id"):
            found[tenant_id][plugin_id] = release_id
        return found

    def _incomplete_tenants(self) -> Collection[int]:
        """Tenants whose newest manifest may leave plugins unnamed."""
        newest = (
            Manifest.objects.filter(tenant_id__in=self.opened.keys())
            .order_by("tenant_id", "-observed_at", "-inventory_id")
            .distinct("tenant_id")
        )
        return {row.tenant_id for row in newest.only("tenant_id", "complete") if not row.complete}
