"""What a plan waits for before it is approved or started: told alike by page, list, endpoint and command."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import conflicts, plans, policies, presenters
from governance.models import Conflict, Plan
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import shell
from tests.governance.disputed import PROFILE, dispute

pytestmark = pytest.mark.django_db
LIST = "/g/acme/plans/"


@pytest.fixture
def conflict(world: World) -> Conflict:
    """tenant-b can't follow crm's policy; host is something else, which both tenants shall change."""
    found = dispute(world)
    factories.plugin(world.group, "erp", ["1.0.0", "1.1.0"])
    factories.install(world.tenant_a, {"crm": "2.4.0", "erp": "1.0.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0", "erp": "1.0.0"})
    rule = {"name": "erp", "plugins": ["erp"], "at_least": "1.1.0"}
    document = {"name": "floor", "kind": "policy", "profile": PROFILE["name"], "tenants": "*"}
    policies.apply(world.group, {**document, "rules": [rule]}, actor=SYSTEM, at=AT)
    return found


@pytest.fixture
def plan(world: World, conflict: Conflict) -> Plan:
    drafted = plans.draft(world.group, at=AT, actor=SYSTEM)
    assert drafted is not None
    return drafted


def decide(world: World, conflict: Conflict) -> None:
    give_way = [{"policy": "freeze", "key": "freeze"}]
    rules = [
        {"policy": rule["policy"], "key": rule["key"]}
        for rule in conflict.explanation["rules"]
        if rule["policy"] == give_way[0]["policy"]
    ]
    actor = world.access(world.owner).actor
    conflicts.decide(conflict, set_aside=rules, reason="Books are closed.", actor=actor, at=AT)


def numbers(client: Client, query: str) -> bool:
    return b">Plan 1</a>" in client.get(f"{LIST}?{query}").content


def test_it_needs_a_decision_while_one_of_its_tenants_waits_for_one(
    world: World, conflict: Conflict, plan: Plan, client: Client
) -> None:
    client.force_login(world.owner)
    page = client.get(f"{LIST}{plan.pk}/").content.decode()
    assert "Waits for a decision" in page
    assert f'href="/g/acme/decisions/{conflict.pk}/"' in page
    assert (numbers(client, "status=needs_decision"), numbers(client, "status=ready")) == (True, False)
    told = presenters.plan(plan)
    assert told["standing"] == "needs_decision"
    assert told["waits_for"] == [{"conflict": str(conflict.pk), "summary": str(conflict)}]


def test_it_is_ready_once_a_person_has_decided(
    world: World, conflict: Conflict, plan: Plan, client: Client
) -> None:
    decide(world, conflict)
    client.force_login(world.owner)
    assert "Waits for a decision" not in client.get(f"{LIST}{plan.pk}/").content.decode()
    assert (numbers(client, "status=needs_decision"), numbers(client, "status=ready")) == (False, True)
    assert (presenters.plan(plan)["standing"], presenters.plan(plan)["waits_for"]) == ("ready", [])


def test_a_conflict_in_a_tenant_that_is_no_part_of_it_does_not_hold_it_up(
    world: World, conflict: Conflict, plan: Plan
) -> None:
    plan.tasks.filter(tenant=world.tenant_b).delete()
    assert plan.standing == Plan.Standing.READY


@pytest.mark.usefixtures("conflict")
def test_once_started_it_waits_for_nothing_any_more(world: World, plan: Plan, client: Client) -> None:
    plans.start(plan, actor=SYSTEM, at=AT)
    assert (plan.status, plan.standing) == ("running", None)
    client.force_login(world.owner)
    assert (numbers(client, "status=needs_decision"), numbers(client, "status=ready")) == (False, False)


@pytest.mark.usefixtures("plan")
def test_the_command_names_what_it_waits_for(
    conflict: Conflict, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    command: Any = shell(capsys, monkeypatch, "plan")
    assert "needs a decision" in command("list").out
    assert str(conflict)[:40] in command("show", 1).out
