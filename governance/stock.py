"""Components as tenants have them, made from a group's catalogue and kept for as long as someone asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from governance.relations import Catalogue
from governance.resolution import NONE, Component, Release


class Stock:
    """What evaluations at one time make of one catalogue, loaded as they ask for it.

    It holds for as long as the catalogue does. What is equal is one object.
    """

    def __init__(self, group_id: int, at: datetime) -> None:
        self.group_id = group_id
        self.at = at
        self._components: dict[tuple[int, int | None, bool, bool], Component] = {}
        self._near: dict[int, frozenset[int]] = {}
        self._noted: set[int] = set()
        self._naming: dict[int, set[int]] = defaultdict(set)

    @cached_property
    def catalogue(self) -> Catalogue:
        """The catalogue, as far as it is loaded."""
        return Catalogue(self.group_id, self.at)

    def component(
        self, plugin_id: int, release_id: int | None, *, is_open: bool = False, related: bool = False
    ) -> Component:
        """A plugin of the catalogue as a tenant has it."""
        key = (plugin_id, release_id, is_open, related)
        if key not in self._components:
            plugin = self.catalogue.plugins[plugin_id]
            self._components[key] = Component(
                id=plugin_id,
                name=plugin.name,
                installed=self._release(release_id, whole=is_open or related),
                candidates=self.catalogue.candidates(plugin_id) if is_open else NONE,
                open=is_open,
                host=plugin.is_host,
            )
        return self._components[key]

    def neighbours(self, component: int) -> frozenset[int]:
        """Every component that some release of this one asks something of."""
        if component not in self._near:
            self._near[component] = frozenset(self.catalogue.candidates(component).asks)
        return self._near[component]

    def note(self, release_ids: Iterable[int]) -> None:
        """Take these loaded releases in, which are installed somewhere."""
        for release_id in set(release_ids) - self._noted:
            self._noted.add(release_id)
            for component in self.catalogue.named_by(release_id):
                self._naming[component].add(release_id)

    def naming(self, component: int) -> set[int]:
        """Those of the noted releases to which the component could matter."""
        return self._naming[component]

    def _release(self, release_id: int | None, *, whole: bool) -> Release | None:
        """What a bystander asks of others doesn't matter: nothing that it asks for may change."""
        if release_id is None:
            return None
        return self.catalogue.release(release_id) if whole else self.catalogue.bare(release_id)
