"""What tenants are in, put together for resolution from what is installed, the catalogue and the rules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from governance.bindings import Rulebook, RuleRow
from governance.likeness import Likeness
from governance.resolution import OPENED, Company, Rule, Situation, together
from governance.sighting import Sighting
from governance.stock import Stock

Aside = tuple[frozenset[Rule], frozenset[int]]  # rules that don't bind these components
SLICE = 150  # kinds of tenants that are looked at together


@dataclass(frozen=True)
class Inputs:
    """What an evaluation goes by: the real one and a simulation's differ in nothing else.

    `rules` are those that bind, `acting` the ids of those to be acted on (None for all). `snapshot` asks of
    that snapshot instead of now. `why` is False where nobody asks why what is unsettled has no way. `stock`
    is what is known of the catalogue at that time, for evaluations one after the other; `sighting` what is
    known of the tenants, for those that differ in what is acted on alone.
    """

    group_id: int
    at: datetime
    rules: tuple[RuleRow, ...]
    tenant_ids: frozenset[int] | None = None
    acting: frozenset[int] | None = None
    snapshot: int | None = None
    why: bool = True
    stock: Stock | None = field(default=None, compare=False)
    sighting: Sighting | None = field(default=None, compare=False)


class Setting:
    """What the situations of one evaluation have in common; it gives them out slice by slice."""

    def __init__(self, inputs: Inputs) -> None:
        self.inputs = inputs
        self.stock = inputs.stock or Stock(inputs.group_id, inputs.at)
        self.catalogue = self.stock.catalogue
        self.sighting = inputs.sighting or Sighting(inputs.group_id, inputs.at, inputs.rules, inputs.snapshot)
        self.rulebook = Rulebook(inputs.rules, self.stock, inputs.acting, self.sighting.broken)
        # By what is true of tenants alike, then by a component with what is installed of it.
        self.companies: dict[tuple[object, ...], dict[tuple[int, int | None], Company]] = defaultdict(dict)

    def slices(self) -> Iterator[Situations]:
        """All tenants that some rule is for, so many kinds of them at a time."""
        kinds = self.sighting.kinds(self.inputs.tenant_ids, self.inputs.acting)
        for begin in range(0, len(kinds), SLICE):
            yield Situations(self, kinds[begin : begin + SLICE])


class Situations:
    """The situations of tenants in which something breaks a rule to be acted on, by the example of each kind.

    A situation begins with the components that break a rule; what else resolution asks for is opened then. It
    is put together in the parts that are decided one by one, of which tenants share nearly all.
    """

    def __init__(self, setting: Setting, kinds: Iterable[Likeness]) -> None:
        self.setting = setting
        by_example = {kind.example: kind for kind in kinds}
        self.opened = setting.sighting.offenders(by_example.keys(), setting.inputs.acting)
        self.kinds = {example: by_example[example] for example in sorted(self.opened)}
        self._installed = setting.sighting.installed(self.opened.keys())
        self._prepared: set[int] = set()
        self._asking: dict[int, dict[int, frozenset[int]]] = {example: {} for example in self.kinds}
        self._there = {example: frozenset(here.values()) for example, here in self._installed.items()}
        there = frozenset[int]().union(*self._there.values())
        setting.catalogue.load_releases(there)
        setting.stock.note(there)

    def open(self, example: int, components: Iterable[int], *, widely: bool = False) -> None:
        """Let these components change too, `widely` with all that they have to do with."""
        opened = self.opened[example]
        opened |= set(components)
        if widely:
            self._open_around(example, opened)

    def _open_around(self, example: int, opened: set[int]) -> None:
        """Open what the open ones ask something of or are asked something by, and so on."""
        catalogue, latest = self.setting.catalogue, set(opened)
        while latest:
            catalogue.load_plugins(latest)
            near = {catalogue.component_of(pk) for c in latest for pk in self._askers(example, c)}
            latest = near.union(*map(self.setting.stock.neighbours, latest)) - opened
            opened |= latest

    def prepare(self, examples: Iterable[int]) -> None:
        """Load at once what the parts of these are made of.

        The first time, whoever is seen to move along with what breaks a rule is opened too; what else has to
        be open is asked for.
        """
        examples = list(examples)
        self.load({example: self.opened[example] for example in examples})
        latest = {example: self.opened[example] for example in examples if example not in self._prepared}
        self._prepared.update(latest)
        while latest := {e: along for e, some in latest.items() if (along := self._open_along(e, some))}:
            self.load(latest)

    def load(self, opened: Mapping[int, Collection[int]]) -> None:
        """Load what the parts are made of that have these open, by example."""
        components = frozenset[int]().union(*opened.values())
        self.setting.catalogue.load_plugins(components)
        self.setting.rulebook.load(components)
        named: set[int] = set()
        for example, mine in opened.items():
            installed = self._installed[example]
            named.update(installed[c] for c in mine & installed.keys())
            named.update(*(self._askers(example, c) for c in mine))
        self.setting.catalogue.load_named(named)

    def _open_along(self, example: int, moving: Collection[int]) -> set[int]:
        """Open who moves along with these, wherever they go; those that weren't open before."""
        setting, kind, installed = self.setting, self.kinds[example], self._installed[example]
        companies = setting.companies[kind.selections, kind.exempt, kind.complete]
        along = set[int]()
        for component in moving:
            have = component, installed.get(component)
            if have not in companies:
                bindings = setting.rulebook.binding(kind, *have)
                companies[have] = setting.stock.company(*have, bindings, complete=kind.complete)
            askers = self._askers(example, component)
            along |= companies[have].of(installed, askers, setting.catalogue.release)
        opened = self.opened[example]
        along -= opened
        if len(opened) + len(along) > OPENED:  # so many are left to the decision, which knows what to do then
            return set()
        opened |= along
        return along

    def groups(self, example: int) -> list[frozenset[int]]:
        """The open components of each part."""
        opened, installed, stock = self.opened[example], self._installed[example], self.setting.stock
        askers = frozenset[int]().union(*(self._askers(example, c) for c in opened))
        return together(
            {c: stock.component(c, installed.get(c), is_open=True).named & opened for c in opened},
            (components & opened for components in stock.joint(askers)),
        )

    def part(self, example: int, group: frozenset[int], aside: Iterable[Aside] = ()) -> Situation:
        """One part of that kind's situation, without what is set aside."""
        setting, kind, installed = self.setting, self.kinds[example], self._installed[example]
        opened = tuple((component, installed.get(component)) for component in sorted(group))
        askers = frozenset[int]().union(*(self._askers(example, component) for component in group))
        found = (b for one in opened for b in setting.rulebook.binding(kind, *one))
        bindings = tuple(
            b for b in found if not any(b.rule in rules and b.component in c for rules, c in aside)
        )
        return setting.stock.part(
            opened,
            askers.difference(release_id for _, release_id in opened),
            installed,
            bindings,
            complete=kind.complete,
            why=setting.inputs.why,
        )

    def _askers(self, example: int, component: int) -> frozenset[int]:
        """The releases there that ask something of the component."""
        known = self._asking[example]
        if component not in known:
            known[component] = self._there[example] & self.setting.stock.naming(component)
        return known[component]
