"""Situations put together part by part, held to taking apart a whole one."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from governance.resolution import Situation, parts
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
