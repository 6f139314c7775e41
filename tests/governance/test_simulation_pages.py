"""Simulations in the console."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config import queue
from config.access import SYSTEM
from governance import policies, profiles, simulation
from governance.models import Policy, Simulation
from tests import factories
from tests.factories import AT, World
from tests.ground import Kind

LIST = "/g/acme/simulations/"


def simulate(world: World, rule: dict[str, Any], title: str = "") -> Simulation:
    document = {"name": "core", "kind": "policy", "profile": "align", "tenants": "*"}
    rules = [{"name": "crm", "plugins": ["crm"], **rule}]
    what = [{**document, "rules": rules}]
    return simulation.simulate(world.group, policies=what, at=AT, actor=SYSTEM, title=title)


def simulate_stricter(world: World) -> Simulation:
    """What a policy would do that both tenants break."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    for tenant in (world.tenant_a, world.tenant_b):
        factories.install(tenant, {"crm": "2.3.0"})
    profiles.save(world.group, {"name": "align", "mode": "enforce"}, actor=SYSTEM, at=AT)
    return simulate(world, {"at_least": "2.4.0"}, "Stricter")


SCENE = Kind(simulate_stricter)


@pytest.fixture
def simulated(standing_scene: Simulation) -> Simulation:
    return standing_scene


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


def test_one_tells_what_changes_in_a_policy_that_is_in_force(
    world: World, simulated: Simulation, client: Client
) -> None:
    client.force_login(world.viewer)
    assert "What changes in" not in client.get(f"{LIST}{simulated.pk}/").content.decode()
    policies.apply(world.group, simulated.supposed["policies"][0], actor=SYSTEM, at=AT)
    for rule, told in (({"at_least": "2.3.0"}, "2.4.0 → 2.3.0"), ({"at_least": "2.4.0"}, "version 1")):
        page = client.get(f"{LIST}{simulate(world, rule).pk}/").content.decode()
        assert "What changes in core" in page
        assert told in page


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


def test_of_many_tenants_and_conflicts_a_page_shows_twenty_and_where_the_others_are(
    world: World, simulated: Simulation, client: Client
) -> None:
    keys = [f"many-{number:03}" for number in range(45)]
    outcome = simulated.outcome
    (change,) = outcome["actions"]
    conflict = {"plugin": "crm", "summary": "No way.", "new": True, "tenants": keys, "ways_out": []}
    outcome["actions"] = [{**change, "tenants": keys}]
    outcome["conflicts"] = [{**conflict, "summary": f"No way {number:03}."} for number in range(23)]
    outcome["solved"] = [{**conflict, "summary": f"Gone {number:03}."} for number in range(24)]
    Simulation.objects.filter(pk=simulated.pk).update(outcome=outcome)
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{simulated.pk}/").content.decode()
    assert "45 tenants" in page
    assert "many-019 and 25 more, in the CSV file" in page
    assert "many-019 and 25 more, in the JSON file" in page
    assert "many-020" not in page
    assert [len(re.findall(told, page)) for told in (r"No way \d+", r"Gone \d+")] == [20, 20]
    assert "And 3 more, in the JSON file." in page
    assert "And 4 more, in the JSON file." in page


def test_equal_questions_lead_to_each_other(world: World, simulated: Simulation, client: Client) -> None:
    again = simulate(world, {"at_least": "2.4.0"})
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{again.pk}/").content.decode()
    assert f'href="{LIST}{simulated.pk}/"' in page


def test_what_is_supposed_to_be_gone_is_named(world: World, simulated: Simulation, client: Client) -> None:
    factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])
    without = simulation.simulate(world.group, retired=["old"], at=AT, actor=SYSTEM)
    client.force_login(world.viewer)
    assert "without policy old" in client.get(f"{LIST}{without.pk}/").content.decode()


def test_while_it_is_worked_out_the_page_follows_by_itself(
    world: World, simulated: Simulation, client: Client
) -> None:
    client.force_login(world.owner)
    sent = client.post(f"{LIST}create/", {"text": "", "at": "in 9d", "title": "Next week"})
    asked = Simulation.objects.get(title="Next week")
    path = f"{LIST}{asked.pk}/"
    assert sent.headers["Location"] == path
    page = client.get(path).content.decode()
    assert f'hx-get="{path}" hx-target="#simulation"' in page
    assert "It waits for a worker" in page
    assert "Apply" not in page
    Simulation.objects.filter(pk=asked.pk).update(status="running", started_at=AT)
    assert "Under way for" in client.get(path).content.decode()
    Simulation.objects.filter(pk=asked.pk).update(status="queued")
    queue.run_pending()
    part = client.get(path, headers={"HX-Request": "true", "HX-Target": "simulation"}).content.decode()
    assert part.startswith('<div id="simulation"')
    assert "hx-trigger" not in part
    assert "the time in 9d" in part
    assert "what can&#x27;t be put in force: the time in 9d" in part


def test_ends_and_texts_are_asked_together(world: World, simulated: Simulation, client: Client) -> None:
    policy = factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])
    granted = factories.exemption(world.tenant_a, policy, until=timezone.now() + timedelta(days=9))
    client.force_login(world.owner)
    form = client.get(f"{LIST}create/?retired=old").content.decode()
    assert '<option value="old" selected>' in form
    text = "releases:\n  - {plugin: crm, version: 2.5.0}\n"
    sent = client.post(f"{LIST}create/", {"retired": ["old"], "ended": [str(granted.pk)], "text": text})
    assert sent.status_code == 303, sent.content.decode()
    asked = Simulation.objects.order_by("-number")[0]
    assert asked.supposed == {
        "retired": ["old"],
        "ended": [str(granted.pk)],
        "releases": [{"plugin": "crm", "version": "2.5.0"}],
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "Suppose something"),
        ({"text": "policies: ["}, "isn&#x27;t YAML"),
        ({"text": "- a\n- b\n"}, "is a mapping"),
        ({"text": "polices: []"}, "did you mean “policies”?"),
        ({"text": "withdrawn:\n  - {plugin: crm, version: 9.9.9}"}, "<strong>Line 2</strong>"),
        ({"at": "yesterday"}, "isn&#x27;t of the form"),
        ({"at": "2020-01-01"}, "lies in the past"),
        ({"snapshot": "77"}, "there is no snapshot 77"),
        ({"retired": ["none"]}, "not one of the available choices"),
    ],
)
def test_what_can_not_be_asked_is_told_beside_it(
    world: World, simulated: Simulation, client: Client, given: dict[str, Any], told: str
) -> None:
    factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])
    client.force_login(world.owner)
    answer = client.post(f"{LIST}create/", given)
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert Simulation.objects.count() == 1


def test_all_that_is_wrong_is_told_at_once(world: World, simulated: Simulation, client: Client) -> None:
    factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])
    client.force_login(world.owner)
    given = {"text": "polices: []", "at": "yesterday", "snapshot": "none", "retired": ["nobody"]}
    shown = client.post(f"{LIST}create/", given).content.decode()
    for told in ("did you mean “policies”?", "isn&#x27;t of the form", "whole number", "available choices"):
        assert told in shown


def test_one_is_applied_from_its_page_and_leads_to_its_plan(
    world: World, simulated: Simulation, client: Client
) -> None:
    client.force_login(world.owner)
    path = f"{LIST}{simulated.pk}/"
    assert "Put it in force" in client.get(path).content.decode()
    answer = client.post(f"{path}apply/", {"comment": "Agreed"}, follow=True)
    assert "It is in force, and Plan 1 is drafted." in answer.content.decode()
    page = client.get(path).content.decode()
    assert ">Plan 1</a>" in page
    assert "Put it in force" not in page
    again = client.post(f"{path}apply/")
    assert again.status_code == 409


def test_one_that_is_in_force_by_now_in_part_says_why_it_can_not_be_asked_again(
    world: World, simulated: Simulation, client: Client
) -> None:
    factories.policy(world.group, "old", [{"name": "r", "plugins": ["crm"], "at_least": "2.4.0"}])
    without = simulation.simulate(world.group, retired=["old"], at=AT, actor=SYSTEM)
    Policy.objects.filter(name="old").update(status="retired")
    client.force_login(world.owner)
    answer = client.post(f"{LIST}{without.pk}/repeat/", follow=True)
    assert "no policy in force “old”" in answer.content.decode()


def test_a_failed_one_tells_why(world: World, simulated: Simulation, client: Client) -> None:
    Simulation.objects.update(status="failed", error="Nothing came of it.")
    client.force_login(world.owner)
    page = client.get(f"{LIST}{simulated.pk}/").content.decode()
    assert "It could not be worked out: Nothing came of it." in page


@pytest.mark.parametrize("kind", ["json", "findings", "actions", "markdown"])
def test_its_files_are_downloaded(world: World, simulated: Simulation, client: Client, kind: str) -> None:
    client.force_login(world.viewer)
    answer = client.get(f"{LIST}{simulated.pk}/{kind}/")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="simulation-1')
    assert client.get(f"{LIST}{simulated.pk}/exe/").status_code == 404


def test_who_only_looks_can_not_ask_nor_apply(world: World, simulated: Simulation, client: Client) -> None:
    client.force_login(world.viewer)
    page = client.get(f"{LIST}{simulated.pk}/").content.decode()
    assert "Simulate it again" not in page
    assert "Those who may edit policies" in page
    assert client.get(f"{LIST}create/").status_code == 404
    for verb in ("apply", "repeat"):
        assert client.post(f"{LIST}{simulated.pk}/{verb}/").status_code == 404


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
