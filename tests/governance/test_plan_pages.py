"""Plans in the console: listed, followed as they go, started, paused, resumed and cancelled."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client

from config.access import SYSTEM
from governance import drift, freezing
from governance.models import Plan, Run, UpgradeTask
from governance.models.snapshot import Trigger
from tenants.models import Group, Role
from tests import factories
from tests.factories import AT, World
from tests.governance.furnished import Furnished

LIST = "/g/acme/plans/"
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def owner(house: Furnished, client: Client) -> Client:
    client.force_login(house.world.owner)
    return client


def text(client: Client, path: str, target: str = "") -> str:
    response = client.get(path, headers={**PART, "HX-Target": target} if target else {})
    assert response.status_code == 200
    return response.content.decode()


def status(plan: Plan) -> str:
    plan.refresh_from_db()
    return plan.status


def test_the_list_tells_how_far_each_plan_has_got(house: Furnished, owner: Client) -> None:
    tasks = house.plan.tasks.count()
    UpgradeTask.objects.filter(pk=house.plan.tasks.all()[0].pk).update(status="given_up", finished_at=AT)
    page = text(owner, LIST)
    assert "not started" in page
    assert "<progress" not in page
    Plan.objects.update(started_at=AT)
    page = text(owner, LIST)
    assert "Plan 1" in page
    assert f'<progress class="progress" value="1" max="{tasks}"' in page
    assert "1 failed" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [("", 1), ("status=drafted", 1), ("status=running", 0), ("q=nothing", 0), ("sort=x", 1)],
)
def test_the_list_is_narrowed(house: Furnished, owner: Client, query: str, shown: int) -> None:
    assert len(re.findall(r">Plan \d+</a>", text(owner, f"{LIST}?{query}"))) == shown


def test_lists_cost_the_same_however_long_they_are(
    house: Furnished, owner: Client, django_assert_max_num_queries: Any
) -> None:
    detail = f"{LIST}{house.plan.pk}/"
    with django_assert_max_num_queries(60) as few:
        text(owner, LIST, "plans")
        text(owner, detail, "tasks")
    for number in range(2, 8):
        plan = Plan.objects.create(
            group=house.world.group,
            number=number,
            snapshot_number=1,
            inputs_digest="",
            created_by_name="x",
            created_at=AT,
        )
        for owned, key in ((plan, "p"), (house.plan, "h")):
            tenant = factories.tenant(house.world.group, f"site-{key}-{number}")
            UpgradeTask.objects.create(
                group=house.world.group,
                tenant=tenant,
                plan=owned,
                steps=[],
                situation_digest="",
                idempotency_key=f"{key}-{number}",
                created_at=AT,
            )
    with django_assert_max_num_queries(len(few)):
        text(owner, LIST, "plans")
        text(owner, detail, "tasks")


def test_a_plan_shows_its_tasks_with_their_steps(house: Furnished, owner: Client) -> None:
    page = text(owner, f"{LIST}{house.plan.pk}/")
    assert "tenant-a" in page
    assert "crm" in page
    assert "2.4.0" in page
    assert "Start</button>" in page


@pytest.mark.parametrize("part", ["tasks", "progress"])
def test_htmx_gets_only_the_part_that_it_asks_for(house: Furnished, owner: Client, part: str) -> None:
    assert text(owner, f"{LIST}{house.plan.pk}/", part).startswith(f'<div id="{part}"')


def test_once_a_plan_has_ended_it_is_offered_to_be_paused_no_more(house: Furnished, owner: Client) -> None:
    path = f"/g/acme/plans/{house.plan.pk}/"
    Plan.objects.update(status="running", started_at=AT)
    swapped = 'id="page-actions" hx-swap-oob="true"'
    assert swapped not in text(owner, path, "progress"), "somebody may be writing why it is paused"
    Plan.objects.update(status="completed")
    part = text(owner, path, "progress")
    assert swapped in part
    assert "Roll back" in part
    assert "Pause</button>" not in part


def test_a_freeze_in_force_is_said_where_plans_wait_for_its_end(house: Furnished, owner: Client) -> None:
    path = f"/g/acme/plans/{house.plan.pk}/"
    assert "The freeze" not in text(owner, path)
    document = {"name": "year-end", "from": "2026-03-01", "until": "2026-03-09", "reason": "Books close."}
    freezing.freeze(house.world.group, document, actor=SYSTEM, at=AT)
    for page in (path, "/g/acme/plans/", "/g/acme/plans/runs/start/"):
        assert "The freeze year-end is in force until" in text(owner, page)


def test_progress_renews_itself_only_while_there_is_some(house: Furnished, owner: Client) -> None:
    path = f"{LIST}{house.plan.pk}/"
    assert 'hx-trigger="every' not in text(owner, path, "progress")
    owner.post(f"{path}start/")
    assert 'hx-trigger="every' in text(owner, path, "progress")
    house.plan.tasks.update(status="succeeded")
    assert 'hx-trigger="every' not in text(owner, path, "progress")


def test_it_names_the_run_that_made_it_and_who_began_that(house: Furnished, owner: Client) -> None:
    path = f"{LIST}{house.plan.pk}/"
    house.plan.runs.all().delete()
    assert "began" not in text(owner, path)
    run = Run.objects.create(
        group=house.world.group,
        number=70,
        trigger=Trigger.HAND,
        plan=house.plan,
        started_by_name="jo",
        started_at=AT,
    )
    assert f'in <a href="/g/acme/plans/runs/{run.pk}/">Run 70</a>, which jo began' in text(owner, path)


def test_a_plan_is_started_paused_resumed_and_cancelled(house: Furnished, owner: Client) -> None:
    path = f"{LIST}{house.plan.pk}/"
    for verb, becomes in (
        ("start", "running"),
        ("pause", "paused"),
        ("resume", "running"),
        ("cancel", "cancelled"),
    ):
        assert f'action="{path}{verb}/"' in text(owner, path)
        assert owner.post(f"{path}{verb}/", {"reason": "Customers call."}).headers["Location"] == path
        assert status(house.plan) == becomes
    assert set(house.plan.tasks.values_list("status", flat=True)) == {"cancelled"}
    assert owner.post(f"{path}start/").status_code == 409


def test_a_plan_is_refused_once_the_world_has_moved(house: Furnished, owner: Client) -> None:
    factories.install(house.world.tenant_a, {"crm": "2.4.0", "host-app": "11.0.0", "erp": "1.0.0"})
    drift.detect(house.world.group, at=AT)
    answer = owner.post(f"{LIST}{house.plan.pk}/start/", follow=True)
    assert "something changed for tenant-a" in answer.content.decode()
    assert answer.content.decode().count("The next run makes a new plan") >= 2  # by whoever looks later, too
    assert status(house.plan) == "refused"


@pytest.mark.parametrize("verb", ["start", "resume"])
def test_nothing_is_handed_over_while_changes_are_switched_off(
    house: Furnished, owner: Client, verb: str
) -> None:
    Group.objects.filter(pk=house.world.group.pk).update(sync_enabled=False)
    Plan.objects.update(status="paused" if verb == "resume" else "drafted")
    answer = owner.post(f"{LIST}{house.plan.pk}/{verb}/", follow=True)
    assert "plugin-multi-tenant-sync is off" in answer.content.decode()


def test_only_operators_and_owners_operate(house: Furnished, client: Client) -> None:
    path = f"{LIST}{house.plan.pk}/"
    editor = factories.member(house.world.group, "editor", Role.EDITOR)
    for user in (house.world.viewer, editor):
        client.force_login(user)
        assert "Start</button>" not in text(client, path)
        assert client.post(f"{path}start/").status_code == 404
    client.force_login(factories.member(house.world.group, "operator", Role.OPERATOR))
    assert client.post(f"{path}start/").status_code == 303


def test_an_empty_group_is_told_where_plans_come_from(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "No plans yet" in text(client, LIST)
