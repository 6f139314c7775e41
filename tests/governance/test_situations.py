"""Situations put together part by part, held to taking apart a whole one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governance.resolution import Outcome, Situation, decide, parts
from governance.situations import Setting, Situations
from tests.factories import World
from tests.governance.test_likeness import RolledBack, furnish, versions, wishes, worlds_apart


def whole(situations: Situations, example: int) -> Situation:
    """The situation with every plugin of the catalogue in it, each as it is installed."""
    setting, kind = situations.setting, situations.kinds[example]
    opened, installed = situations.opened[example], situations._installed[example]
    setting.catalogue.load_plugins(setting.catalogue.plugins)
    components = (
        setting.stock.component(pk, installed.get(pk), is_open=pk in opened, related=True)
        for pk in setting.catalogue.plugins
    )
    bindings = (b for pk in opened for b in setting.rulebook.binding(kind, pk, installed.get(pk)))
    return Situation(tuple(components), tuple(bindings), kind.complete)


@given(
    st.lists(st.tuples(versions, versions), min_size=5, max_size=5),
    wishes,
    st.sets(st.integers(0, 4)),
    st.booleans(),
)
@worlds_apart
def test_the_parts_are_those_of_the_whole_situation(
    world: World,
    rolled_back: RolledBack,
    installed: list[tuple[Any, Any]],
    wanted: list[tuple[Any, ...]],
    exempt: set[int],
    widely: bool,
) -> None:
    with rolled_back():
        for situations in Setting(furnish(world, installed, wanted, exempt)).slices():
            for example in situations.kinds:
                situations.prepare([example])
                if widely:
                    situations.open(example, (), widely=True)
                    situations.prepare([example])
                made = [situations.part(example, group) for group in situations.groups(example)]
                assert {part.digest for part in made} == {
                    part.digest for part in parts(whole(situations, example))
                }


def settled(situations: Situations, example: int) -> Outcome:
    """What is decided with all opened that is asked for."""
    while (outcome := decide(whole(situations, example))).beyond:
        situations.open(example, outcome.beyond, widely=outcome.widely)
        situations.setting.rulebook.load(situations.opened[example])
    return outcome


@given(st.lists(st.tuples(versions, versions), min_size=5, max_size=5), wishes, st.sets(st.integers(0, 4)))
@worlds_apart
def test_what_is_opened_beforehand_changes_no_decision(
    world: World,
    rolled_back: RolledBack,
    installed: list[tuple[Any, Any]],
    wanted: list[tuple[Any, ...]],
    exempt: set[int],
) -> None:
    with rolled_back():
        for situations in Setting(furnish(world, installed, wanted, exempt)).slices():
            for example in situations.kinds:
                offenders = {*situations.opened[example]}
                situations.prepare([example])
                beforehand = settled(situations, example)
                situations.opened[example] = offenders
                assert settled(situations, example) == beforehand


def test_who_moves_along_with_an_offender_is_opened_at_once(world: World) -> None:
    inputs = furnish(world, [("1.0.0", "1.0.0")], [("crm", "exactly", "3.0.0", True)], set())
    (situations,) = Setting(inputs).slices()
    (example,) = situations.kinds
    plugins = situations.setting.catalogue.plugins

    def opened() -> set[str]:
        return {plugins[component].name for component in situations.opened[example]}

    assert opened() == {"crm"}
    situations.prepare([example])
    assert opened() == {"crm", "core"}
