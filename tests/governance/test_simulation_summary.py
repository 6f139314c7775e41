"""A simulation's summary for a review: what it tells, and what it leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from config.access import SYSTEM
from governance import conflict_wording, policies, profiles, simulation
from governance.models import Simulation
from governance.simulation.figures import percent
from tests import factories
from tests.factories import AT, World
from tests.ground import Kind

CORE = {
    "name": "core",
    "profile": "acts",
    "tenants": "*",
    "rules": [{"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}],
}
HOLD = {"name": "hold", "kind": "hold", "plugins": ["crm"], "tenants": {"keys": ["tenant-b"]}}
WEEK = {**HOLD, "until": "in 9 days", "reason": "r"}


def behind(world: World) -> World:
    """Both tenants run an older crm."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    profiles.save(world.group, {"name": "acts", "mode": "enforce"}, actor=SYSTEM, at=AT)
    return world


SCENE = Kind(behind)


@pytest.fixture
def acme(standing_scene: World) -> World:
    return standing_scene


def simulate(world: World, *documents: dict[str, Any], **more: Any) -> Simulation:
    return simulation.simulate(world.group, policies=documents, at=AT, actor=SYSTEM, **more)


def test_the_summary_for_a_review_tells_what_matters(acme: World) -> None:
    kept = simulate(
        acme,
        CORE,
        WEEK,
        title="A | <b>stricter</b> core",
    )
    text = simulation.markdown(kept)
    assert text.startswith("## A \\| \\<b>stricter\\</b> core\n")
    assert "It opens 2 findings and closes 0, touches 2 tenants, makes 1 conflict that a person" in text
    assert "2 of 2 tenants are in line now, 0 would be." in text
    assert "| tenants in line | 2 of 2 (100.0 %) | 0 of 2 (0.0 %) | 1 of 2 (50.0 %) |" in text
    assert "| core | +2 | −0 |" in text
    assert "| crm | 2.3.0 | 2.4.0 | tenant-a |" in text
    assert "### New conflicts" in text
    assert "way out:" in text


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({"complete": True, "proved": True, "sets": [1]}, ""),
        ({}, ""),  # as simulations of before have it
        (
            {"complete": False, "proved": True, "sets": [1]},
            "There may be more such sets: the search stopped at its bound.",
        ),
        (
            {"complete": True, "proved": False, "sets": [1]},
            "The search was given up: that there is no way isn’t proved.",
        ),
        (
            {"complete": False, "proved": False, "sets": []},
            "The search was given up before it found which rules can’t hold together: that there is no way "
            "isn’t proved.",
        ),
    ],
)
def test_what_the_search_left_open_is_told_in_the_summary(
    acme: World, found: dict[str, Any], told: str
) -> None:
    kept = simulate(acme, CORE)
    conflict = {"summary": "No way.", "new": True, "new_tenants": [], "tenants": ["tenant-a"], "ways_out": []}
    kept.outcome["conflicts"] = [{**conflict, **found}]
    assert conflict_wording.extent(found) == told
    assert told in simulation.markdown(kept)


def test_the_summary_tells_no_ways_out_of_a_solved_conflict(acme: World) -> None:
    for document in (CORE, WEEK):
        policies.apply(acme.group, document, actor=SYSTEM, at=AT)
    text = simulation.markdown(simulate(acme, retired=["hold"]))
    assert "### Solved conflicts" in text
    assert "way out:" not in text


@pytest.mark.parametrize(("share", "told"), [(1 - 0.9, "10.0 %"), (0.99999, "99.9 %"), (1, "100.0 %")])
def test_a_share_is_rounded_down_in_a_summary(share: float, told: str) -> None:
    assert percent(share) == told


def test_a_summary_of_no_difference_says_so(acme: World) -> None:
    policies.apply(acme.group, CORE, actor=SYSTEM, at=AT)
    text = simulation.markdown(simulate(acme, CORE))
    assert "It makes no difference to any tenant." in text
    assert "### " not in text


def test_what_changes_in_a_text_in_force_is_told_place_by_place(acme: World) -> None:
    policies.apply(acme.group, CORE, actor=SYSTEM, at=AT)
    rules = [
        {"name": "crm", "plugins": ["crm"], "at_least": "2.3.0"},
        {"name": "old", "plugins": ["crm"], "present": True},
    ]
    kept = simulate(acme, {**CORE, "rules": rules}, {**WEEK, "tenants": "*"})
    lower = "rules[crm].at_least: 2.4.0 → 2.3.0"
    added = 'rules[old]: {"name": "old", "plugins": ["crm"], "present": true}'
    assert kept.outcome["edits"] == [{"policy": "core", "version": 1, "changes": [lower, added]}]
    text = simulation.markdown(kept)
    assert (
        "What changes in core, of which version 1 is in force:\n\n- rules\\[crm\\].at\\_least: 2.4.0" in text
    )
    assert "What changes in hold" not in text


def test_a_long_summary_is_cut_with_a_word_about_it(acme: World) -> None:
    for number in range(25):
        name = f"plugin-{number:02}"
        factories.plugin(acme.group, name, ["1.0.0", "2.0.0"])
    both = {f"plugin-{number:02}": "1.0.0" for number in range(25)}
    factories.install(acme.tenant_a, both)
    rules = [{"name": name, "plugins": [name], "at_least": "2.0.0"} for name in both]
    kept = simulate(acme, {"name": "many", "profile": "acts", "tenants": "*", "rules": rules})
    assert "And 5 more." in simulation.markdown(kept)
