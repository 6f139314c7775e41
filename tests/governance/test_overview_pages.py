"""The overview."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from governance.models import Exemption, Finding, Snapshot
from tenants.models import Role
from tests import factories
from tests.factories import AT, World
from tests.governance.furnished import Furnished

PAGE = "/g/acme/"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def text(client: Client, path: str = PAGE) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_it_tells_what_needs_a_person(house: Furnished, client: Client) -> None:
    asked = Exemption.Status.REQUESTED
    factories.exemption(house.world.tenant_a, house.core, until=AT + timedelta(days=99), status=asked)
    client.force_login(house.world.owner)
    page = text(client)
    assert '<a href="/g/acme/decisions/?status=open">1 conflict</a> to decide' in page
    assert '<a href="/g/acme/exemptions/?status=requested">1 exemption</a> asked for' in page
    assert "1 exemption</a> about to expire" in page


def test_it_tells_compliance_and_where_the_drift_is(house: Furnished, client: Client) -> None:
    client.force_login(house.world.viewer)
    page = text(client)
    assert "0 of 2 tenants in line now" in page
    assert "Outstanding drift by plugin" in page
    assert 'href="/g/acme/drift/?plugin=crm"' in page
    assert 'href="/g/acme/drift/?tenant=tenant-a"' in page
    assert "Run 1" in page


def test_it_tells_of_tenants_that_only_a_decision_keeps_out_of_line(house: Furnished, client: Client) -> None:
    client.force_login(house.world.owner)
    assert "what a decision set aside" not in text(client)
    Finding.objects.filter(tenant=house.world.tenant_b).update(status=Finding.Status.SET_ASIDE)
    assert '<a href="/g/acme/drift/?status=set_aside">1 more</a> only breaks' in text(client)


def test_the_countdown_tells_what_is_due_when(house: Furnished, client: Client) -> None:
    Finding.objects.filter(tenant=house.world.tenant_a).update(due_at=AT - timedelta(days=1))
    client.force_login(house.world.viewer)
    assert '<a class="due-overdue" href="/g/acme/drift/?shows=overdue">2</a>' in text(client)


def test_the_trend_is_drawn_once_there_are_two_measured_snapshots(house: Furnished, client: Client) -> None:
    client.force_login(house.world.viewer)
    assert "Compliance, snapshot by snapshot" not in text(client)
    counts = {"tenants": 2, "installations": 2, "opened": 0, "closed": 0, "compliant_tenants": 1}
    for number in (2, 3):
        Snapshot.objects.create(
            group=house.world.group,
            number=number,
            sealed_at=AT,
            trigger="hand",
            actor_name="x",
            digest="",
            **counts,
        )
    assert "Compliance, snapshot by snapshot" in text(client)


def test_it_costs_the_same_however_large_the_group_is(
    house: Furnished, client: Client, django_assert_max_num_queries: Any
) -> None:
    client.force_login(house.world.owner)
    with django_assert_max_num_queries(80) as few:
        text(client)
    for number in range(20):
        Finding.objects.create(
            group=house.world.group,
            tenant=factories.tenant(house.world.group, f"site-{number}"),
            plugin=house.crm,
            policy=house.core,
            rule_key="crm",
            opened_at=AT,
            opened_snapshot=1,
        )
    with django_assert_max_num_queries(len(few)):
        text(client)


def test_it_is_for_those_who_reach_the_whole_group(house: Furnished, client: Client) -> None:
    for user, code in ((house.world.tenant_admin, 302), (house.world.outsider, 404)):
        client.force_login(user)
        assert client.get(PAGE).status_code == code


def test_a_fresh_group_is_told_how_to_begin(client: Client, world: World) -> None:
    client.force_login(factories.member(factories.group("fresh"), "founder", Role.OWNER))
    assert "No tenants yet" in text(client, "/g/fresh/")
