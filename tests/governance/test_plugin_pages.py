"""Plugins in the console: the catalogue, versions in use, and who runs what."""

import re
from typing import Any

import pytest
from django.db.models import Value
from django.db.models.functions import Concat
from django.test import Client

from governance import plugins
from governance.models import Advisory, Plugin, Release, ReleaseAdvisory
from tests import factories
from tests.factories import World
from tests.governance.furnished import Furnished

LIST = "/g/acme/plugins/"


@pytest.fixture
def owner(house: Furnished, client: Client) -> Client:
    client.force_login(house.world.owner)
    return client


def text(client: Client, path: str, target: str = "") -> str:
    response = client.get(path, headers={"HX-Request": "true", "HX-Target": target} if target else {})
    assert response.status_code == 200
    return response.content.decode()


def names(page: str) -> list[str]:
    return re.findall(rf'href="{LIST}\d+/">([^<]+)</a>', page)


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("sort=plugin", ["crm", "erp", "host-app"]),
        ("shows=all&sort=plugin", ["crm", "erp", "host-app", "spare"]),
        ("shows=drift&sort=plugin", ["crm", "host-app"]),
        ("shows=unknown", []),
        ("q=host", ["host-app"]),
        ("sort=-drift", ["crm", "host-app", "erp"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(
    house: Furnished, owner: Client, query: str, shown: list[str]
) -> None:
    factories.plugin(house.world.group, "spare", ["1.0.0"])
    assert names(text(owner, f"{LIST}?{query}")) == shown


def test_a_version_with_a_plus_leads_to_who_runs_it(house: Furnished, owner: Client) -> None:
    Release.objects.filter(plugin__name="crm").update(version=Concat("version", Value("+build.7")))
    crm = Plugin.objects.get(name="crm")
    [address, *_] = re.findall(r'href="([^"]+version=[^"]+)"', text(owner, f"{LIST}{crm.pk}/"))
    assert "%2Bbuild.7" in address


def test_the_list_costs_the_same_however_long_it_is(
    house: Furnished, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(50) as few:
        text(owner, f"{LIST}?shows=all")
    for number in range(20):
        factories.plugin(house.world.group, f"p{number}", ["1.0.0"])
    with django_assert_max_num_queries(len(few)):
        text(owner, f"{LIST}?shows=all")


def test_one_shows_its_versions_in_use_and_who_runs_them(house: Furnished, owner: Client) -> None:
    factories.install(house.world.tenant_a, {"crm": "2.4.0"})
    page = text(owner, f"{LIST}{house.crm.pk}/")
    assert "Versions of crm in use" in page
    assert re.findall(r">(tenant-\w)</a>", page) == ["tenant-a", "tenant-b"]
    only = text(owner, f"{LIST}{house.crm.pk}/?version=2.3.0", "running")
    assert only.startswith('<div id="running"')
    assert re.findall(r">(tenant-\w)</a>", only) == ["tenant-b"]


def test_one_shows_its_releases_newest_first_with_their_marks(house: Furnished, owner: Client) -> None:
    old = factories.release(house.crm, "2.3.0")
    advisory = Advisory.objects.create(
        group=house.world.group, plugin=house.crm, identifier="S-1", title="Bad"
    )
    ReleaseAdvisory.objects.create(advisory=advisory, release=old)
    Release.objects.filter(pk=old.pk).update(withdrawn=True)
    page = text(owner, f"{LIST}{house.crm.pk}/releases/", "releases")
    assert page.index("2.4.0") < page.index("2.3.0")
    assert "Security warning</span>" in page
    assert "Withdrawn</span>" in page


def test_figures_speak_of_the_tenants_within_reach(house: Furnished) -> None:
    access = house.world.access(house.world.tenant_admin)
    found: Any = plugins.with_figures(access).get(pk=house.crm.pk)
    assert (found.tenant_count, found.open_drift) == (1, 1)
    assert [used.tenants for used in plugins.versions_in_use(house.crm, access)] == [1]


def test_each_person_sees_what_is_within_reach(house: Furnished, client: Client) -> None:
    factories.install(house.world.tenant_a, {"erp": "1.0.0"})
    elsewhere = factories.plugin(house.world.tenant_b.group, "only-b", ["1.0.0"])
    factories.install(house.world.tenant_b, {"only-b": "1.0.0"})
    people = (house.world.owner, house.world.viewer, house.world.tenant_admin, house.world.outsider)

    def statuses(path: str) -> list[int]:
        found = []
        for user in people:
            client.force_login(user)
            found.append(client.get(path).status_code)
        return found

    erp = Plugin.objects.get(name="erp", group=house.world.group)
    assert statuses(LIST) == [200, 200, 404, 404]
    assert statuses(f"{LIST}{erp.pk}/") == [200, 200, 200, 404]
    assert statuses(f"{LIST}{erp.pk}/releases/") == [200, 200, 200, 404]
    assert statuses(f"{LIST}{elsewhere.pk}/") == [200, 200, 404, 404]


def test_an_empty_group_is_told_how_to_fill_the_catalogue(world: World, client: Client) -> None:
    client.force_login(world.owner)
    assert "No plugins yet" in text(client, LIST)
