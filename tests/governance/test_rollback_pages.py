"""Rolling back in the console: asked on a snapshot's or a plan's page, looked at, put in force."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from config.access import SYSTEM
from governance import policies, simulation
from governance.models import Exemption, Plan, Rollback, UpgradeTask
from tenants.models import Role, User
from tests import factories
from tests.factories import AT
from tests.governance.furnished import Furnished
from tests.ground import Kind

CREATE = "/g/acme/rollbacks/create/"
ASK = {"snapshot": "1", "way": "exempt", "until": "2026-03-20", "reason": "Customers call."}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def moved_on(house: Furnished) -> Furnished:
    """tenant-a has moved on to erp 1.1.0 since snapshot 1."""
    world = house.world
    world.tenant_a.group.refresh_from_db()
    factories.install(world.tenant_a, {"crm": "2.3.0", "host-app": "10.0.0", "erp": "1.1.0"})
    factories.policy(
        world.group,
        "modern",
        [{"name": "erp", "plugins": ["erp"], "at_least": "1.1.0"}],
        tenants={"keys": ["tenant-a"]},
    )
    policies.settle(world.group, actor=SYSTEM, at=AT)
    return house


SCENE = Kind(moved_on, on="standing_house")


@pytest.fixture
def house(standing_scene: Furnished) -> Furnished:
    return standing_scene


@pytest.fixture
def owner(house: Furnished, client: Client) -> Client:
    client.force_login(house.world.owner)
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def answered() -> Rollback:
    row = Rollback.objects.get(number=2)
    simulation.run(row.simulation_id, at=AT)
    return Rollback.objects.get(number=2)


def test_a_snapshot_leads_to_it_and_so_does_a_plan_that_was_started(house: Furnished, owner: Client) -> None:
    assert f"{CREATE}?snapshot=1" in text(owner, "/g/acme/snapshots/1/")
    plan = f"/g/acme/plans/{house.plan.pk}/"
    assert CREATE not in text(owner, plan)
    Plan.objects.update(started_at=AT, status="running")
    assert f"{CREATE}?plan=1" in text(owner, plan)


def test_before_anything_is_asked_it_says_what_would_go_back_and_what_stands_against_it(
    owner: Client,
) -> None:
    page = text(owner, f"{CREATE}?snapshot=1")
    assert "1 installation in 1 tenant would go back." in page
    assert "modern" in page
    assert "wants erp 1.1.0 or newer" in page


def test_tenants_under_way_are_named_at_the_form_on_its_page_and_when_it_is_applied(
    house: Furnished, owner: Client
) -> None:
    house.plan.tasks.update(status="running", dispatched_at=AT)
    key = house.plan.tasks.get().tenant.key
    told = f"1 tenant is under way, and what still changes there is not part of it: {key}."
    assert told in text(owner, f"{CREATE}?snapshot=1")
    owner.post(CREATE, ASK)
    answered()
    assert told in text(owner, "/g/acme/rollbacks/2/")
    assert told in owner.post("/g/acme/rollbacks/2/apply/", follow=True).content.decode()
    page = text(owner, "/g/acme/rollbacks/2/")
    assert told not in page
    assert "Plan 1 is under way there; roll back once more when it is done" in page


def test_where_nothing_differs_it_says_so(house: Furnished, owner: Client) -> None:
    factories.install(house.world.tenant_a, {"crm": "2.3.0", "host-app": "10.0.0", "erp": "1.0.0"})
    assert "nothing to restore" in text(owner, f"{CREATE}?snapshot=1")
    answer = owner.post(CREATE, ASK)
    assert answer.status_code == 422
    assert "nothing to restore" in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"snapshot": ""}, "Name either a snapshot or a plan."),
        ({"snapshot": "9"}, "There is no snapshot 9."),
        ({"snapshot": "", "plan": "9"}, "There is no plan 9."),
        ({"until": "2020-01-01"}, "Exemptions end in the future"),
        ({"until": "9999-12-31"}, "Name an earlier day."),
        ({"reason": ""}, "This field is required."),
    ],
)
def test_what_is_wrong_is_said_at_the_form(owner: Client, changes: dict[str, str], told: str) -> None:
    answer = owner.post(CREATE, {**ASK, **changes})
    assert answer.status_code == 422
    assert told in answer.content.decode()
    assert Rollback.objects.count() == 1


def test_it_is_looked_at_and_then_put_in_force(house: Furnished, owner: Client) -> None:
    answer = owner.post(CREATE, ASK)
    page = "/g/acme/rollbacks/2/"
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert 'hx-trigger="every 2s"' in text(owner, page)
    answered()
    shown = text(owner, page)
    for told in ("In this order", "Before and after", "modern", "Roll back", "Customers call."):
        assert told in shown
    done = owner.post(f"{page}apply/")
    plan = Plan.objects.get(title__startswith="Rollback 2")
    assert done.headers["Location"] == f"/g/acme/plans/{plan.pk}/"
    assert Exemption.objects.filter(policy__name="modern", tenant=house.world.tenant_a).exists()
    assert "Applied" in text(owner, page)
    assert "Rollback 2" in text(owner, "/g/acme/rollbacks/")
    assert "Simulation" in text(owner, f"/g/acme/plans/{plan.pk}/")


def test_before_the_first_one_the_list_says_where_they_begin(owner: Client) -> None:
    Rollback.objects.all().delete()
    assert "No rollbacks yet" in text(owner, "/g/acme/rollbacks/")


def test_when_the_world_moved_it_is_refused_with_the_reason(house: Furnished, owner: Client) -> None:
    owner.post(CREATE, ASK)
    answered()
    factories.tenant(house.world.group, "tenant-z")
    answer = owner.post("/g/acme/rollbacks/2/apply/", follow=True)
    assert "can’t be applied" in answer.content.decode().replace("&#x27;", "’")
    assert not Plan.objects.filter(title__startswith="Rollback").exists()


def test_what_is_out_of_date_is_asked_for_again_with_the_same_choice(house: Furnished, owner: Client) -> None:
    owner.post(CREATE, {**ASK, "way": "pause", "until": "2026-03-20"})
    answered()
    factories.tenant(house.world.group, "tenant-z")
    refused = owner.post("/g/acme/rollbacks/2/apply/")
    assert refused.headers["Location"] == f"{CREATE}?again=2"
    form = owner.get(refused.headers["Location"]).context["form"]
    assert {name: form[name].value() for name in ("snapshot", "plan", "tenants", "way", "reason")} == {
        "snapshot": 1,
        "plan": None,
        "tenants": "tenant-a",
        "way": "pause",
        "reason": "Customers call.",
    }
    assert f"{CREATE}?again=2" in text(owner, "/g/acme/rollbacks/2/")
    assert owner.get(f"{CREATE}?again=9").status_code == 404


def test_asked_for_again_each_policy_gives_way_as_it_was_chosen_for_it(
    house: Furnished, owner: Client
) -> None:
    owner.post(CREATE, ASK)
    Rollback.objects.filter(number=2).update(
        way="mixed", policies=[{**Rollback.objects.get(number=2).policies[0], "way": "pause"}]
    )
    page = text(owner, f"{CREATE}?again=2")
    assert '<option value="pause" selected>' in page
    assert 'value="2026-03-20"' in page


def test_plans_are_linked_both_ways(house: Furnished, owner: Client) -> None:
    other = Plan.objects.create(
        group=house.world.group,
        number=2,
        snapshot_number=1,
        inputs_digest="",
        created_by_name="x",
        created_at=AT,
        rolls_back=house.plan,
    )
    assert f"/g/acme/plans/{house.plan.pk}/" in text(owner, f"/g/acme/plans/{other.pk}/")
    assert f"/g/acme/plans/{other.pk}/" in text(owner, f"/g/acme/plans/{house.plan.pk}/")


@pytest.mark.parametrize("who", ["viewer", "outsider", "tenant_admin", "operator", "editor", "approver"])
def test_only_owners_take_tenants_back(house: Furnished, client: Client, who: str) -> None:
    owner = Client()
    owner.force_login(house.world.owner)
    owner.post(CREATE, ASK)
    answered()
    people: dict[str, User] = {
        role.value: factories.member(house.world.group, f"an-{role.value}", role)
        for role in (Role.OPERATOR, Role.EDITOR, Role.APPROVER)
    }
    client.force_login(people[who] if who in people else getattr(house.world, who))
    reads = who not in {"outsider", "tenant_admin"}
    for path in ("", "2/"):
        answer = client.get(f"/g/acme/rollbacks/{path}")
        assert answer.status_code == (200 if reads else 404)
        assert "rollbacks/create/" not in answer.content.decode()
        assert "Roll back</button>" not in answer.content.decode()
    assert client.get(CREATE).status_code == 404
    assert client.post(CREATE, ASK).status_code == 404
    assert client.post("/g/acme/rollbacks/2/apply/").status_code == 404
    assert Rollback.objects.get(number=2).simulation.status == "ready"
    if reads:
        assert CREATE not in client.get("/g/acme/snapshots/1/").content.decode()


def test_the_list_costs_the_same_however_long_it_is(
    house: Furnished, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(20):
        assert "Rollback 1" in text(owner, "/g/acme/rollbacks/")
    for _ in range(4):
        owner.post(CREATE, ASK)
    with django_assert_max_num_queries(20):
        assert "Rollback 5" in text(owner, "/g/acme/rollbacks/")
    with django_assert_max_num_queries(25):
        text(owner, "/g/acme/rollbacks/2/")


def test_a_plan_is_simulated_on_its_page_and_keeps_that(house: Furnished, owner: Client) -> None:
    path = f"/g/acme/plans/{house.plan.pk}/"
    answer = owner.post(f"{path}simulate/")
    house.plan.refresh_from_db()
    assert house.plan.status == "drafted"
    pk = answer.headers["Location"].rstrip("/").rsplit("/", 1)[1]
    kept = simulation.run(pk, at=AT)
    assert kept.status == "ready", kept.error
    house.plan.refresh_from_db()
    assert (house.plan.status, house.plan.simulation_digest) == ("simulated", kept.inputs_digest)
    assert str(kept) in text(owner, path)
    UpgradeTask.objects.update(status="cancelled")
    Plan.objects.update(status="cancelled")
    assert "cancelled already" in owner.post(f"{path}simulate/", follow=True).content.decode()


def test_each_policy_that_stands_against_it_may_give_way_otherwise(house: Furnished, owner: Client) -> None:
    assert 'name="way-of-modern"' in text(owner, f"{CREATE}?snapshot=1")
    kept = owner.post(CREATE, {**ASK, "reason": "", "way-of-modern": "pause"})
    assert kept.status_code == 422
    refused = owner.post(CREATE, {**ASK, "way-of-other": "pause"})
    assert "other doesn’t stand against it" in refused.content.decode()
    owner.post(CREATE, {**ASK, "way-of-modern": "pause"})
    answered()
    page = text(owner, "/g/acme/rollbacks/2/")
    assert "modern paused until someone resumes it" in page
    assert "Paused with it: modern." in page
    assert "<td>paused</td>" in page
    owner.post("/g/acme/rollbacks/2/apply/")
    assert "They are paused" in text(owner, "/g/acme/rollbacks/")
