"""Fleets generated for the benchmark: real situations, in any size, drifting as wanted."""

from __future__ import annotations

import pytest
from django.db import connection

from config.access import SYSTEM
from demo import jenkins
from demo.benchmarks import filling, stages, yardstick
from demo.benchmarks.fleet import Fleet, Size
from demo.benchmarks.world import AT, World
from governance import drift
from governance.models import Exemption, Installation, Policy
from tenants.models import Group

SIZE = Size(tenants=60, plugins=150, policies=50, drift=0.12)


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return Fleet(SIZE)


def fleet_like(fleet: Fleet, size: Size) -> Fleet:
    """Another fleet of the same catalogue and the same real states, which take a while to read."""
    other = Fleet(size)
    other.world = fleet.world
    other.inventories._found = fleet.inventories._found
    return other


def test_every_tenant_has_so_many_installations_with_the_host(fleet: Fleet) -> None:
    for member in fleet.members():
        installed = fleet.installed(member)
        assert len(installed) == SIZE.plugins
        assert jenkins.HOST in installed


def test_a_smaller_size_takes_plugins_away(fleet: Fleet) -> None:
    small = fleet_like(fleet, Size(tenants=5, plugins=40, policies=10, drift=0.1))
    for member in small.members():
        state = small.inventories.states[member.state]
        assert small.inventories.grown(member.state).items() <= state.items()
        assert len(small.installed(member)) == 40


def test_what_is_added_goes_with_what_is_there(fleet: Fleet) -> None:
    for member in fleet.members():
        grown = fleet.inventories.grown(member.state)
        added = grown.keys() - fleet.inventories.states[member.state].keys()
        assert added
        for name in added:
            for need in fleet.world.line(name).needs[grown[name]]:
                assert need.optional or need.plugin in grown
                assert grown.get(need.plugin, need.lowest) >= need.lowest


def test_the_drift_is_what_is_wanted(fleet: Fleet) -> None:
    drifting = sum(fleet.drift(member, fleet.installed(member)) for member in fleet.members())
    assert drifting / (SIZE.tenants * SIZE.plugins) == pytest.approx(SIZE.drift, rel=0.1)


def test_the_same_size_makes_the_same_fleet_whatever_is_asked_for_first(fleet: Fleet) -> None:
    again = fleet_like(fleet, SIZE)
    for member in reversed(list(fleet.members())):
        assert again.member(member.number) == member
        assert again.installed(member) == fleet.installed(member)
    assert again.policies == fleet.policies


def test_distinct_tenants_are_all_unlike_each_other(fleet: Fleet) -> None:
    distinct = fleet_like(fleet, Size(SIZE.tenants, SIZE.plugins, SIZE.policies, SIZE.drift, distinct=True))
    contents = {tuple(sorted(distinct.installed(member).items())) for member in distinct.members()}
    assert len(contents) == SIZE.tenants


def test_a_version_that_the_catalogue_lacks_has_no_place() -> None:
    world = World([{"plugin": "git", "releases": [{"version": "1.1"}, {"version": "1.0"}]}])
    assert (world.place("git", "1.0"), world.place("git", "1.1"), world.place("git", "1.05")) == (0, 1, None)


@pytest.mark.django_db
def test_a_filled_database_holds_the_fleet_and_its_drift(fleet: Fleet) -> None:
    few = fleet_like(fleet, Size(tenants=8, plugins=150, policies=50, drift=0.12))
    filling.catalogue_and_group(few)
    assert filling.tenants(few) == {"tenants": 8, "installations": 8 * 150}
    filling.rules(few)
    group = Group.objects.get(slug=filling.SLUG)
    assert (Policy.objects.filter(group=group).count(), Exemption.objects.count()) == (50, 1)

    drift.detect(group, at=AT, actor=SYSTEM)

    found = stages.detect(few)
    assert found["installations"] == Installation.objects.current().count() == 8 * 150
    expected = sum(few.drift(member, few.installed(member)) for member in few.members())
    assert found["drift_share"] == pytest.approx(expected / (8 * 150), abs=0.03)


@pytest.mark.django_db
def test_the_yardstick_merges_every_row_and_leaves_nothing_behind() -> None:
    for _ in range(2):  # its tables can be made again
        figures = yardstick.measure(rows=5_001, sums=1_000)
        assert figures["seconds"] == pytest.approx(
            figures["copy"] + figures["merge"] + figures["python_loop"], abs=0.002
        )
    assert not {"yardstick", "sent"} & set(connection.introspection.table_names())
