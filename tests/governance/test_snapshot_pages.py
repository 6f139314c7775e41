"""Snapshots in the console: listed, sealed by hand, and compared."""

import re
from typing import Any

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import snapshots
from governance.models import Snapshot
from governance.models.snapshot import Trigger
from tenants.models import Group, Preferences, Role
from tests import factories
from tests.factories import AT, World
from tests.ground import Kind

LIST = "/g/acme/snapshots/"
COMPARE = f"{LIST}compare/"


def seal(world: World) -> Snapshot:
    world.group.refresh_from_db()
    sealed = snapshots.seal(world.group, trigger=Trigger.HAND, actor=SYSTEM, at=AT)
    for tenant in (world.tenant_a, world.tenant_b):
        tenant.refresh_from_db()
    return sealed


def seal_twice(world: World) -> World:
    """#1: crm 2.3.0 in both; #2: tenant-a has 2.4.0 and one plugin more, tenant-b nothing any longer."""
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    factories.plugin(world.group, "odd", ["1.0.0"])
    factories.install(world.tenant_a, {"crm": "2.3.0"})
    factories.install(world.tenant_b, {"crm": "2.3.0"})
    seal(world)
    factories.install(world.tenant_a, {"crm": "2.4.0", "odd": "1.0.0"})
    factories.install(world.tenant_b, {})
    seal(world)
    return world


SCENE = Kind(seal_twice)


@pytest.fixture
def sealed(standing_scene: World) -> World:
    return standing_scene


@pytest.fixture
def owner(sealed: World, client: Client) -> Client:
    client.force_login(sealed.owner)
    return client


def text(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def changes(page: str) -> list[tuple[str, str, str]]:
    """Tenant, plugin and kind of each row."""
    row = r">(tenant-\w)</a></td>\s*<td><a [^>]*>(\w+)</a></td>\s*<td><span class=\"state [^>]*>(\w+)"
    return re.findall(row, page)


def test_the_list_shows_the_newest_first(owner: Client) -> None:
    page = text(owner, LIST)
    assert re.findall(rf'href="{LIST}(\d+)/"', page) == ["2", "1"]
    assert "Seal now" in page


def test_when_it_was_sealed_is_by_the_readers_clock(owner: Client, sealed: World) -> None:
    Preferences.objects.create(user=sealed.owner, time_zone="Asia/Shanghai")
    for path in (LIST, f"{LIST}2/", f"{COMPARE}?from=1&to=2"):
        assert ">2026-03-02 17:00 (Asia/Shanghai)</time>" in text(owner, path)


@pytest.mark.parametrize(
    ("query", "shown"),
    [("trigger=schedule", []), ("changes=some&sort=number", ["1", "2"]), ("sort=x", ["2", "1"])],
)
def test_the_list_is_narrowed_and_sorted(owner: Client, query: str, shown: list[str]) -> None:
    assert re.findall(rf'href="{LIST}(\d+)/"', text(owner, f"{LIST}?{query}")) == shown


def test_a_snapshot_tells_what_changed_since_the_one_before(owner: Client) -> None:
    page = text(owner, f"{LIST}2/")
    assert changes(page) == [
        ("tenant-a", "crm", "Upgraded"),
        ("tenant-a", "odd", "Added"),
        ("tenant-b", "crm", "Removed"),
    ]
    assert "What changed since #1" in page


def test_the_first_snapshot_tells_what_it_began_with(owner: Client) -> None:
    page = text(owner, f"{LIST}1/")
    assert changes(page) == [("tenant-a", "crm", "Added"), ("tenant-b", "crm", "Added")]
    assert "What it began with" in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("older=1&newer=2&kind=added", [("tenant-a", "odd", "Added")]),
        ("older=1&newer=2&tenant=tenant-b", [("tenant-b", "crm", "Removed")]),
        ("older=1&newer=2&plugin=odd", [("tenant-a", "odd", "Added")]),
        ("older=1&newer=2&q=odd", [("tenant-a", "odd", "Added")]),
        (
            "older=2&newer=1&sort=-kind",
            [("tenant-a", "odd", "Removed"), ("tenant-a", "crm", "Downgraded"), ("tenant-b", "crm", "Added")],
        ),
        ("older=2&newer=2", []),
    ],
)
def test_any_two_are_compared(owner: Client, query: str, shown: list[tuple[str, str, str]]) -> None:
    assert changes(text(owner, f"{COMPARE}?{query}")) == shown


def test_the_last_two_are_compared_unless_others_are_asked_for(owner: Client) -> None:
    assert len(changes(text(owner, COMPARE))) == 3


@pytest.mark.parametrize("query", ["older=0&newer=2", "older=1&newer=3", "older=x&newer=2", "older=1"])
def test_snapshots_that_are_not_there_are_not_compared(owner: Client, query: str) -> None:
    answer = owner.get(f"{COMPARE}?{query}")
    assert answer.status_code == 422
    assert b"field-error" in answer.content


def test_filters_keep_the_two_that_are_compared(owner: Client) -> None:
    page = text(owner, f"{COMPARE}?older=1&newer=2&kind=added")
    assert 'name="older" value="1" form="changes-form"' in page
    assert "older=1&amp;newer=2" in page
    part = owner.get(
        f"{COMPARE}?older=1&newer=2", headers={"HX-Request": "true", "HX-Target": "changes"}
    ).content.decode()
    assert part.startswith('<div id="changes"')


def test_comparing_costs_the_same_however_much_differs(
    sealed: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(50) as few:
        owner.get(f"{COMPARE}?older=1&newer=2")
    for number in range(10):
        factories.plugin(sealed.group, f"p{number}", ["1.0.0"])
    factories.install(sealed.tenant_b, {f"p{number}": "1.0.0" for number in range(10)})
    seal(sealed)
    with django_assert_max_num_queries(len(few)):
        owner.get(f"{COMPARE}?older=1&newer=3")


def test_sealing_by_hand_makes_a_measured_snapshot(sealed: World, owner: Client) -> None:
    factories.install(sealed.tenant_b, {"odd": "1.0.0"})
    answer = owner.post(f"{LIST}seal/")
    assert answer.headers["Location"] == f"{LIST}3/"
    made = Snapshot.objects.get(number=3)
    assert (made.trigger, made.actor_name, made.compliant_tenants) == (Trigger.HAND, "owner", 2)


def test_sealing_what_has_not_changed_makes_no_snapshot(owner: Client) -> None:
    answer = owner.post(f"{LIST}seal/", follow=True)
    assert "Nothing has changed since snapshot #2" in answer.content.decode()
    assert Snapshot.objects.count() == 2


def test_sealing_is_refused_while_governance_is_off(sealed: World, owner: Client) -> None:
    Group.objects.filter(pk=sealed.group.pk).update(governance_enabled=False)
    answer = owner.post(f"{LIST}seal/", follow=True)
    assert "plugin-version-governance is off" in answer.content.decode()


def test_only_those_who_may_seal(sealed: World, client: Client) -> None:
    approver = factories.member(sealed.group, "approver", Role.APPROVER)
    for user in (sealed.viewer, approver, sealed.tenant_admin, sealed.outsider):
        client.force_login(user)
        assert client.post(f"{LIST}seal/").status_code == 404
    client.force_login(sealed.viewer)
    assert "Seal now" not in text(client, LIST)


@pytest.mark.parametrize("page", ["", "2/", "compare/?older=1&newer=2"])
def test_the_pages_are_for_those_who_reach_the_whole_group(sealed: World, client: Client, page: str) -> None:
    for user, status in ((sealed.viewer, 200), (sealed.tenant_admin, 404), (sealed.outsider, 404)):
        client.force_login(user)
        assert client.get(f"{LIST}{page}").status_code == status


def test_an_empty_group_is_told_when_the_first_is_made(client: Client, world: World) -> None:
    client.force_login(world.owner)
    page = text(client, LIST)
    assert "No snapshots yet" in page
    assert 'action="/g/acme/snapshots/compare/"' not in page
    assert client.get(COMPARE).status_code == 200
    assert client.get(f"{LIST}1/").status_code == 404
