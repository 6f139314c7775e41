"""Drift in the console."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from governance.models import Conflict, Finding
from tenants.models import Preferences, Role
from tests import factories
from tests.factories import AT, World
from tests.governance.furnished import Furnished

LIST = "/g/acme/drift/"


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def owner(house: Furnished, client: Client) -> Client:
    client.force_login(house.world.owner)
    return client


def rows(client: Client, query: str = "", target: str = "findings") -> list[tuple[str, str]]:
    """Tenant and plugin of each row of the table."""
    response = client.get(f"{LIST}?{query}", headers={"HX-Request": "true", "HX-Target": target})
    assert response.status_code == 200
    page = response.content.decode()
    assert page.startswith('<div id="findings"')
    found = r">(tenant-\w)</a></td>\s*<td>(?:<a [^>]*>)?([\w-]+)"
    return re.findall(found, page)


A_CRM, A_HOST = ("tenant-a", "crm"), ("tenant-a", "host-app")
B_CRM, B_HOST = ("tenant-b", "crm"), ("tenant-b", "host-app")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("sort=tenant", [A_CRM, A_HOST, B_CRM, B_HOST]),
        ("sort=-plugin", [B_HOST, A_HOST, B_CRM, A_CRM]),
        ("sort=tenant&shows=outstanding", [A_CRM, A_HOST, B_CRM]),
        ("status=accepted", [B_HOST]),
        ("status=needs_decision", [B_CRM]),
        ("severity=high&sort=tenant", [A_CRM, B_CRM]),
        ("plugin=host-app&tenant=tenant-a", [A_HOST]),
        ("policy=core&q=tenant-b+crm", [B_CRM]),
        ("shows=closed", []),
        ("shows=overdue", []),
    ],
)
def test_the_list_is_narrowed_and_sorted(
    house: Furnished, owner: Client, query: str, shown: list[tuple[str, str]]
) -> None:
    assert rows(owner, query) == shown


def test_what_is_past_its_date_is_found(house: Furnished, owner: Client) -> None:
    Finding.objects.filter(tenant=house.world.tenant_a, plugin=house.crm).update(
        due_at=AT - timedelta(hours=1)
    )
    assert rows(owner, "shows=overdue") == [A_CRM]


def test_each_finding_tells_installed_target_status_and_reason(house: Furnished, owner: Client) -> None:
    page = owner.get(LIST).content.decode()
    assert "2.3.0" in page
    assert "2.4.0" in page
    assert "Accepted (exempt)" in page
    assert "Needs a decision" in page
    assert "Open findings by status" in page
    assert f'href="/g/acme/policies/{house.core.pk}/"' in page


def test_the_list_costs_the_same_however_long_it_is(
    house: Furnished, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(50) as few:
        owner.get(LIST)
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
        owner.get(LIST)


def test_each_person_sees_the_findings_within_reach(house: Furnished, client: Client) -> None:
    client.force_login(house.world.viewer)
    assert len(rows(client)) == 4
    client.force_login(house.world.tenant_admin)
    assert set(rows(client)) == {A_CRM, A_HOST}
    assert "/g/acme/policies/" not in client.get(LIST).content.decode()
    client.force_login(house.world.outsider)
    assert client.get(LIST).status_code == 404


def test_those_who_only_look_are_not_offered_an_exemption(house: Furnished, client: Client) -> None:
    ask = "/g/acme/exemptions/request/"
    client.force_login(house.world.viewer)
    assert ask not in client.get(LIST).content.decode()
    client.force_login(house.world.tenant_admin)
    assert ask in client.get(LIST).content.decode()


def test_a_group_in_line_is_told_so(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "No drift" in client.get(LIST).content.decode()


SAID = {"until": (AT + timedelta(days=2)).date().isoformat(), "reason": "The vendor is away"}


def finding_of(house: Furnished, tenant: str, plugin: str) -> Finding:
    return Finding.objects.get(tenant__key=tenant, tenant__group=house.world.group, plugin__name=plugin)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_finding_is_said_to_be_snoozed_until_the_day_that_was_asked_for_wherever_that_is(
    house: Furnished, client: Client, language: str
) -> None:
    wants = {"time_zone": "Asia/Shanghai", "language": language}
    Preferences.objects.update_or_create(user=house.world.tenant_admin, defaults=wants)
    client.force_login(house.world.tenant_admin)
    client.post(f"{LIST}{finding_of(house, *A_HOST).pk}/snooze/", SAID)
    assert ">4 Mar 2026</time>" in client.get(LIST).content.decode()


def test_what_a_decision_set_aside_says_so_and_cannot_be_snoozed(house: Furnished, client: Client) -> None:
    finding = finding_of(house, *A_HOST)
    Finding.objects.filter(pk=finding.pk).update(status="set_aside", target=None, due_at=None)
    client.force_login(house.world.tenant_admin)
    listed = client.get(LIST).content.decode()
    assert "Set aside by a decision" in listed
    assert "left as it is" in listed
    assert "Snooze it" not in client.get(f"{LIST}{finding.pk}/").content.decode()


def test_a_finding_that_waits_for_a_decision_leads_to_its_conflict(house: Furnished, client: Client) -> None:
    path = f"{LIST}{finding_of(house, *B_CRM).pk}/"
    conflict = Conflict.objects.standing().get(touched__tenant=house.world.tenant_b)
    link = f'<a href="/g/acme/decisions/{conflict.pk}/">'
    client.force_login(house.world.viewer)
    assert link in client.get(path).content.decode()
    assert link not in client.get(f"{LIST}{finding_of(house, *A_CRM).pk}/").content.decode()


def test_a_tenants_own_people_are_led_to_no_conflict(house: Furnished, client: Client) -> None:
    finding = finding_of(house, *B_CRM)
    own = factories.member(house.world.group, "ben", Role.TENANT_ADMIN, of=house.world.tenant_b)
    client.force_login(own)
    page = client.get(f"{LIST}{finding.pk}/").content.decode()
    assert "/decisions/" not in page.split("<main")[1]


def test_a_finding_is_snoozed_on_its_page_and_says_so_in_the_list(house: Furnished, client: Client) -> None:
    client.force_login(house.world.tenant_admin)
    path = f"{LIST}{finding_of(house, *A_HOST).pk}/"
    assert "Snooze it" in client.get(path).content.decode()
    assert client.post(f"{path}snooze/", SAID).status_code == 303
    assert "The vendor is away" in client.get(path).content.decode()
    assert ">4 Mar 2026</time>" in client.get(LIST).content.decode()
    assert rows(client, "shows=quiet") == [A_HOST]
    assert client.post(f"{path}unsilence/").status_code == 303
    assert rows(client, "shows=quiet") == []


def test_a_finding_is_acknowledged_with_a_reason_or_not_at_all(house: Furnished, client: Client) -> None:
    client.force_login(house.world.tenant_admin)
    path = f"{LIST}{finding_of(house, *A_HOST).pk}/"
    assert client.post(f"{path}acknowledge/").status_code == 422
    assert client.post(f"{path}acknowledge/", SAID).status_code == 303
    assert "acknowledged by you" in client.get(LIST).content.decode()


def test_a_snooze_past_the_due_date_is_refused_in_the_form(house: Furnished, owner: Client) -> None:
    path = f"{LIST}{finding_of(house, *A_HOST).pk}/"
    answer = owner.post(f"{path}snooze/", {**SAID, "until": "2027-01-01"})
    assert answer.status_code == 422
    assert "It can be put off until" in answer.content.decode()


def test_what_one_says_another_does_not_see(house: Furnished, owner: Client) -> None:
    path = f"{LIST}{finding_of(house, *A_HOST).pk}/"
    owner.post(f"{path}snooze/", SAID)
    owner.force_login(house.world.tenant_admin)
    assert "snoozed until" not in owner.get(LIST).content.decode()


def test_a_finding_of_another_tenant_is_not_there(house: Furnished, client: Client) -> None:
    client.force_login(house.world.tenant_admin)
    path = f"{LIST}{finding_of(house, *B_CRM).pk}/"
    assert client.get(path).status_code == 404
    for verb in ("snooze/", "acknowledge/", "unsilence/"):
        assert client.post(f"{path}{verb}", SAID).status_code == 404


def test_who_only_looks_is_offered_nothing_to_say(house: Furnished, client: Client) -> None:
    client.force_login(house.world.viewer)
    path = f"{LIST}{finding_of(house, *A_HOST).pk}/"
    assert "Snooze it" not in client.get(path).content.decode()
    assert client.post(f"{path}snooze/", SAID).status_code == 404


def test_the_page_of_a_finding_takes_a_fixed_number_of_queries(
    house: Furnished, owner: Client, django_assert_max_num_queries: Any
) -> None:
    path = f"{LIST}{finding_of(house, *A_HOST).pk}/"
    with django_assert_max_num_queries(30) as few:
        owner.get(path)
    enough = len(few)
    for _ in range(3):
        owner.post(f"{path}acknowledge/", SAID)
    with django_assert_max_num_queries(enough):
        owner.get(path)
