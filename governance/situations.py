"""What tenants are in, put together for resolution from what is installed, the catalogue and the rules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from governance.bindings import Rulebook, RuleRow
from governance.likeness import Likeness
from governance.resolution import Rule, Situation, together
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
        """Load at once what the parts of these are made of."""
        examples = list(examples)
        opened = {component for example in examples for component in self.opened[example]}
        self.setting.catalogue.load_plugins(opened)
        self.setting.rulebook.load(opened)
        named: set[int] = set()
        for example in examples:
            installed = self._installed[example]
            named.update(installed[c] for c in self.opened[example] & installed.keys())
            named.update(*(self._askers(example, c) for c in self.opened[example]))
        self.setting.catalogue.load_named(named)

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
