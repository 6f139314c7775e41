"""Situations put together part by part, held to taking apart a whole one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance import decisions
from governance.models import Release
from governance.outcomes import evaluate_outcomes
from governance.resolution import Binding, Outcome, Situation, decide, parts
from governance.situations import Setting, Situations
from tests import factories
from tests.factories import AT, World
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
def test_what_is_opened_beforehand_comes_to_the_same_decisions(
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


def test_all_that_move_along_one_after_the_other_are_opened_and_no_others(world: World) -> None:
    for name, asked in {"a": ["b", "d"], "b": ["c"], "c": [], "d": []}.items():
        plugin = factories.plugin(world.group, name, ["1.0.0", "2.0.0"])
        needs = [{"plugin": one, "range": ">=1.0.0" if one == "d" else ">=2.0.0"} for one in asked]
        Release.objects.filter(plugin=plugin, version="2.0.0").update(requires=needs)
    factories.install(world.tenant_a, dict.fromkeys("abcd", "1.0.0"))
    rule = {"name": "rule", "plugins": ["a"], "exactly": "2.0.0"}
    factories.policy(world.group, "floor", [rule], profile={"mode": "enforce"})
    (situations,) = Setting(decisions.current_inputs(world.group, at=AT)).slices()
    (example,) = situations.kinds
    situations.prepare([example])
    plugins = situations.setting.catalogue.plugins
    assert {plugins[component].name for component in situations.opened[example]} == {"a", "b", "c"}


def test_more_than_a_decision_opens_is_left_to_the_decision(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("governance.situations.OPENED", 1)
    inputs = furnish(world, [("1.0.0", "1.0.0")], [("crm", "exactly", "3.0.0", True)], set())
    (situations,) = Setting(inputs).slices()
    situations.prepare(situations.kinds)
    assert [len(opened) for opened in situations.opened.values()] == [1]


def test_an_exemption_frees_what_goes_along_in_its_tenant_alone(world: World) -> None:
    """Only the exemption tells the two tenants apart, and it is about the plugin that breaks nothing yet."""
    wanted = [("core", "at_most", "1.0.0", True), ("crm", "exactly", "3.0.0", True)]
    found = evaluate_outcomes(furnish(world, [("1.0.0", "1.0.0")] * 2, wanted, {0}), {})
    assert [len(result.outcome.changes) for _, result in sorted(found.items())] == [2, 0]
    assert [len(result.outcome.unsettled) for _, result in sorted(found.items())] == [0, 1]


def test_a_stock_knows_who_goes_along_by_the_rules_and_by_what_is_known_to_be_missing(world: World) -> None:
    inputs = furnish(world, [("1.0.0", "1.0.0")], [("crm", "exactly", "3.0.0", True)], set())
    (situations,) = Setting(inputs).slices()
    (example,) = situations.kinds
    situations.prepare([example])
    setting, (crm, core) = situations.setting, sorted(situations.opened[example])
    here = situations._installed[example]
    bindings = setting.rulebook.binding(situations.kinds[example], crm, here[crm])

    def along(bindings: tuple[Binding, ...], *, complete: bool) -> frozenset[int]:
        company = setting.stock.company(crm, here[crm], bindings, complete=complete)
        return company.of({}, frozenset(), setting.catalogue.release)

    assert along(bindings, complete=True) == {core}
    assert along(bindings, complete=False) == frozenset()
    assert along((), complete=True) == frozenset()
