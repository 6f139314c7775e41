"""Components as tenants have them, made from a group's catalogue and kept for as long as someone asks."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property, lru_cache

from django.db import connection

from governance.relations import Catalogue
from governance.resolution import NONE, Binding, Company, Component, Frame, Release, Situation

_FRAMES = 15_000  # of parts, those that were asked for last; each takes some 25 KB with the parts made of it
_COMPANIES = 20_000  # the same
_PARTS = 40_000  # that one stock makes before it is begun anew
_GROUPS = 2  # whose stock is kept: of those asked about last

State = tuple[int | None, ...]
_kept: OrderedDict[int, tuple[State, Stock]] = OrderedDict()


@contextmanager
def lent(group_id: int, at: datetime) -> Iterator[Stock]:
    """What evaluations make of the group's catalogue, what was made of it before among it.

    Whoever has it has it alone. It is kept for the next one if the catalogue is still what it was, for which
    that of this transaction counts.
    """
    state = state_of_catalogue(group_id, at)
    known, stock = _kept.pop(group_id, (None, None))
    if stock is None or known != state:
        stock = Stock(group_id, at)
    yield stock
    if stock.parts_made <= _PARTS and state_of_catalogue(group_id, at) == state:
        _kept[group_id] = state, stock
        while len(_kept) > _GROUPS:
            _kept.popitem(last=False)


def state_of_catalogue(group_id: int, at: datetime) -> State:
    """What is equal as long as no row of the catalogue was written, and no release has come out by time."""
    with connection.cursor() as cursor:
        cursor.execute(_STATE, {"group": group_id, "at": at})
        state: State = cursor.fetchone()
        return state


# Whatever writes a row makes a version of it, which is told from all others by its place and by the number of
# the transaction that wrote it.
_STATE = """
SELECT bit_xor(hashtidextended(ctid, xmin::text::bigint)), count(*),
    count(*) FILTER (WHERE released_at > %(at)s),
    (SELECT bit_xor(hashtidextended(ctid, xmin::text::bigint)) FROM governance_plugin
     WHERE group_id = %(group)s)
FROM governance_release WHERE group_id = %(group)s
"""


class Stock:
    """What evaluations at one time make of one catalogue, loaded as they ask for it.

    It holds for as long as the catalogue does. What is equal is one object.
    """

    def __init__(self, group_id: int, at: datetime) -> None:
        self.group_id = group_id
        self.at = at
        self.parts_made = 0
        self._components: dict[tuple[int, int | None, bool, bool], Component] = {}
        self._near: dict[int, frozenset[int]] = {}
        self._noted: set[int] = set()
        self._naming: dict[int, set[int]] = defaultdict(set)
        self._joint: dict[int, tuple[frozenset[int], ...]] = {}  # of the few releases that have any
        self._without_joint: set[int] = set()
        self._bindings: dict[str, Binding] = {}
        self._frame = lru_cache(_FRAMES)(self._framed)
        self._company = lru_cache(_COMPANIES)(self._company_of)

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

    def joint(self, release_ids: frozenset[int]) -> Iterator[frozenset[int]]:
        """The components of which one of these releases asks something together."""
        for release_id in release_ids - self._without_joint - self._joint.keys():
            relations = self.catalogue.release(release_id).relations
            if several := tuple(one.components for one in relations if len(one.components) > 1):
                self._joint[release_id] = several
            else:
                self._without_joint.add(release_id)
        for release_id in sorted(release_ids & self._joint.keys()):
            yield from self._joint[release_id]

    def binding(self, binding: Binding) -> Binding:
        """The one object that stands for equal bindings, whichever rules they were made from."""
        return self._bindings.setdefault(binding.digest, binding)

    def company(
        self, plugin_id: int, release_id: int | None, bindings: tuple[Binding, ...], *, complete: bool
    ) -> Company:
        """Who moves along with a plugin that a tenant has so, under bindings of here."""
        return self._company(plugin_id, release_id, bindings, complete)

    def _company_of(
        self, plugin_id: int, release_id: int | None, bindings: tuple[Binding, ...], complete: bool
    ) -> Company:
        component = self.component(plugin_id, release_id, is_open=True)
        return Company(component, bindings, complete=complete)

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
        frame, known = self._frame(opened, tuple(sorted(askers)))  # a set takes four times as much memory
        # By identity: what is equal is one object, and what is kept keeps its own alive.
        bound = (*map(id, bindings), complete, why)
        part = known.get(here := (*bound, *map(installed.get, frame.asked)))
        if part is None:
            bystanders = tuple(
                self.component(component, installed.get(component)).bystander.like(asked)
                for component, asked in frame.asked.items()
            )
            alike = (*bound, *(one.installed and one.installed.id for one in bystanders))
            part = known.get(alike)
            if part is None:
                part = frame.filled(bystanders, bindings, complete=complete, why=why)
                self.parts_made += 1
            known[here] = known[alike] = part
        return part

    def _framed(
        self, opened: tuple[tuple[int, int | None], ...], askers: tuple[int, ...]
    ) -> tuple[Frame, dict[tuple[object, ...], Situation]]:
        """A frame of parts, and those parts that were made of it."""
        mine = (self.component(*one, is_open=True) for one in opened)
        near = (self.component(self.catalogue.component_of(pk), pk, related=True) for pk in askers)
        return Frame(tuple(mine), tuple(near)), {}

    def _release(self, release_id: int | None, *, whole: bool) -> Release | None:
        """What a bystander asks of others doesn't matter: nothing that it asks for may change."""
        if release_id is None:
            return None
        return self.catalogue.release(release_id) if whole else self.catalogue.bare(release_id)
