"""Simulations in the console."""

import re
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import profiles, simulation
from governance.models import Simulation
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/simulations/"


def simulate(world: World, rule: dict[str, Any], title: str = "") -> Simulation:
    document = {"name": "core", "kind": "policy", "profile": "align", "tenants": "*"}
    rules = [{"name": "crm", "plugins": ["crm"], **rule}]
    what = [{**document, "rules": rules}]
    return simulation.simulate(world.group, policies=what, at=AT, actor=SYSTEM, title=title)


@pytest.fixture
def simulated(world: World) -> Simulation:
    """What a policy would do that both tenants break."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    profiles.save(world.group, {"name": "align", "mode": "enforce"}, actor=SYSTEM, at=AT)
    return simulate(world, {"at_least": "2.4.0"}, "Stricter")


def test_the_list_tells_what_would_come_of_each(world: World, simulated: Simulation, client: Client) -> None:
    simulate(world, {"at_most": "9.0.0"})
    client.force_login(world.viewer)
    page = client.get(f"{LIST}?sort=-opened").content.decode()
    assert re.findall(r">(Simulation \d)</a>", page) == ["Simulation 1", "Simulation 2"]
    assert "Stricter" in page
    part = client.get(LIST, headers={"HX-Request": "true", "HX-Target": "simulations"}).content.decode()
    assert part.startswith('<div id="simulations"')


def test_one_tells_before_after_difference_and_actions(
    world: World, simulated: Simulation, client: Client
) -> None:
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{simulated.pk}/").content.decode()
    assert "(+2 −0)" in page
    assert "tenant-a, tenant-b" in page
    assert "at_least: 2.4.0" in page
    assert "It opens 2 findings and closes 0, touches 2 tenants." in page


def test_a_conflict_is_told_with_its_rules_and_ways_out(
    world: World, simulated: Simulation, client: Client
) -> None:
    factories.policy(world.group, "stay", [], kind="hold", plugins=["crm"])
    conflicting = simulate(world, {"at_least": "2.4.0"})
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{conflicting.pk}/").content.decode()
    assert "that would need a decision" in page
    assert "stay/hold" in page
    assert "core/crm" in page


def test_equal_questions_lead_to_each_other(world: World, simulated: Simulation, client: Client) -> None:
    again = simulate(world, {"at_least": "2.4.0"})
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{again.pk}/").content.decode()
    assert f'href="{LIST}{simulated.pk}/"' in page


def test_what_is_supposed_to_be_gone_is_named(world: World, simulated: Simulation, client: Client) -> None:
    factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])
    without = simulation.simulate(world.group, retired=["old"], at=AT, actor=SYSTEM)
    client.force_login(world.viewer)
    assert "no policy old" in client.get(f"{LIST}{without.pk}/").content.decode()


def test_they_are_for_those_who_reach_the_whole_group(
    world: World, simulated: Simulation, client: Client
) -> None:
    for user, status in ((world.viewer, 200), (world.tenant_admin, 404), (world.outsider, 404)):
        client.force_login(user)
        assert client.get(LIST).status_code == status
        assert client.get(f"{LIST}{simulated.pk}/").status_code == status


def test_the_list_costs_the_same_however_long_it_is(
    world: World, simulated: Simulation, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(world.owner)
    with django_assert_max_num_queries(50) as few:
        client.get(LIST)
    for _ in range(3):
        simulate(world, {"at_least": "2.4.0"})
    with django_assert_max_num_queries(len(few)):
        client.get(LIST)
