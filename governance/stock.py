"""Components as tenants have them, made from a group's catalogue and kept for as long as someone asks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property, lru_cache

from governance.relations import Catalogue
from governance.resolution import NONE, Binding, Component, Frame, Relation, Release, Situation

_FRAMES = 20_000  # of parts, those that were asked for last
_UNIONS = 50_000  # of what several components ask of another


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
        self._joint: dict[int, tuple[frozenset[int], ...]] = {}
        self._bindings: dict[str, Binding] = {}
        self._frame = lru_cache(_FRAMES)(self._framed)
        self._unite = lru_cache(_UNIONS)(frozenset[Relation].union)

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

    def joint(self, release_id: int) -> tuple[frozenset[int], ...]:
        """The components of which a release asks something together."""
        if release_id not in self._joint:
            relations = self.catalogue.release(release_id).relations
            several = (one.components for one in relations if len(one.components) > 1)
            self._joint[release_id] = tuple(several)
        return self._joint[release_id]

    def binding(self, binding: Binding) -> Binding:
        """The one object that stands for equal bindings, whichever rules they were made from."""
        return self._bindings.setdefault(binding.digest, binding)

    def part(
        self,
        opened: tuple[tuple[int, int | None], ...],
        askers: frozenset[int],
        installed: Mapping[int, int],
        bindings: tuple[Binding, ...],
        *,
        complete: bool,
        why: bool,
    ) -> Situation:
        """A part of a tenant's situation, kept as far as tenants share it.

        `opened` are its open components with what is installed, `askers` the closed releases that ask
        something of these, `installed` all that the tenant has by component, and `bindings` are of here.
        """
        frame, known = self._frame(opened, askers)
        # By identity: what is equal is one object, and what is kept keeps its own alive.
        bound = (*map(id, bindings), complete, why)
        part = known.get(here := (*bound, *map(installed.get, frame.asked)))
        if part is None:
            bystanders = tuple(
                self.component(component, installed.get(component)).bystander.like(asked)
                for component, asked in frame.asked.items()
            )
            alike = (*bound, *(one.installed and one.installed.id for one in bystanders))
            part = known.get(alike) or frame.filled(bystanders, bindings, complete=complete, why=why)
            known[here] = known[alike] = part
        return part

    def _framed(
        self, opened: tuple[tuple[int, int | None], ...], askers: frozenset[int]
    ) -> tuple[Frame, dict[tuple[object, ...], Situation]]:
        """A frame of parts, and those parts that were made of it."""
        mine = (self.component(*one, is_open=True) for one in opened)
        near = (self.component(self.catalogue.component_of(pk), pk, related=True) for pk in sorted(askers))
        return Frame(tuple(mine), tuple(near), self._unite), {}

    def _release(self, release_id: int | None, *, whole: bool) -> Release | None:
        """What a bystander asks of others doesn't matter: nothing that it asks for may change."""
        if release_id is None:
            return None
        return self.catalogue.release(release_id) if whole else self.catalogue.bare(release_id)
