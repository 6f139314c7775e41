"""Simulations that the world has left behind: told on their pages, and asked again."""

from typing import Any

import pytest
from django.test import Client

from config import queue
from config.access import SYSTEM
from governance import profiles, simulation, snapshots
from governance.models import Simulation
from governance.models.snapshot import Trigger
from tests import factories
from tests.factories import AT, World
from tests.ground import Kind

LIST = "/g/acme/simulations/"


def simulate_stricter(world: World) -> Simulation:
    """What a policy would do that both tenants break."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    profiles.save(world.group, {"name": "align", "mode": "enforce"}, actor=SYSTEM, at=AT)
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    core = {"name": "core", "kind": "policy", "profile": "align", "tenants": "*", "rules": [rule]}
    return simulation.simulate(world.group, policies=[core], at=AT, actor=SYSTEM)


SCENE = Kind(simulate_stricter)


@pytest.fixture
def simulated(standing_scene: Simulation) -> Simulation:
    return standing_scene


def test_one_that_is_outdated_is_asked_again(world: World, simulated: Simulation, client: Client) -> None:
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    client.force_login(world.owner)
    path = f"{LIST}{simulated.pk}/"
    answer = client.post(f"{path}apply/", follow=True)
    assert "what the tenants run changed" in answer.content.decode()
    again = client.post(f"{path}repeat/")
    asked = Simulation.objects.order_by("-number")[0]
    assert again.headers["Location"] == f"{LIST}{asked.pk}/"
    assert asked.supposed == simulated.supposed
    queue.run_pending()
    asked.refresh_from_db()
    assert asked.outcome["after"]["drift"] == 1


def test_one_that_is_outdated_says_what_moved_and_is_not_offered_for_applying(
    world: World, simulated: Simulation, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(world.owner)
    path = f"{LIST}{simulated.pk}/"
    with django_assert_max_num_queries(50):
        page = client.get(path).content.decode()
    assert "until the world moves" in page
    assert "Put it in force" in page
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    page = client.get(path).content.decode()
    assert ">Outdated</span>" in page
    assert "Since it was worked out, what the tenants run changed." in page
    assert page.count("Simulate it again") == 1
    for told in (">Ready</span>", "until the world moves", "Put it in force"):
        assert told not in page


def test_who_only_looks_is_told_too_that_it_is_outdated(
    world: World, simulated: Simulation, client: Client
) -> None:
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{simulated.pk}/").content.decode()
    assert "Since it was worked out, what the tenants run changed." in page
    assert "Simulate it again" not in page


def test_time_alone_outdates_one_on_its_page(world: World, simulated: Simulation, client: Client) -> None:
    Simulation.objects.update(holds_until=AT)
    client.force_login(world.owner)
    page = client.get(f"{LIST}{simulated.pk}/").content.decode()
    assert "what the time makes of the rules changed" in page


def test_one_on_a_past_snapshot_is_not_outdated_by_what_the_tenants_run_since(
    world: World, simulated: Simulation, client: Client
) -> None:
    snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    what = simulation.Supposition(snapshot=1)
    past = simulation.simulate_what(world.group, what, at=AT, actor=SYSTEM)
    factories.install(world.tenant_a, {"crm": "2.4.0"})
    client.force_login(world.owner)
    assert ">Outdated</span>" not in client.get(f"{LIST}{past.pk}/").content.decode()
