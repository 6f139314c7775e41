"""Manifests over REST, in their three forms."""

from __future__ import annotations

import pytest

from config.access import Permission
from governance.models import Finding, Installation, Manifest
from tests import factories
from tests.factories import World
from tests.governance.api.conftest import Issue, Service

pytestmark = pytest.mark.django_db
PATH = "version/governance/manifest"


@pytest.fixture
def caller(world: World, service: Issue) -> Service:
    factories.plugin(world.group, "host", ["10.0.0"], host=True)
    factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    rule = {"name": "crm", "plugins": ["crm"], "at_least": "2.4.0"}
    factories.policy(world.group, "core", [rule], profile={"mode": "remind"})
    return service(Permission.MANIFEST_PUSH)


def manifest(tenant: str = "tenant-a", **fields: object) -> dict[str, object]:
    return {"tenant": tenant, "host_version": "10.0.0", "plugins": {"crm": "2.3.0"}, **fields}


def installed(world: World) -> set[tuple[str, str]]:
    rows = Installation.objects.current().filter(group=world.group)
    return set(rows.values_list("plugin__name", "release__version"))


def test_drift_is_found_with_the_answer(world: World, caller: Service) -> None:
    answer = caller.post(PATH, manifest())

    assert answer.status_code == 200, answer.json()
    assert Finding.objects.open().get().tenant == world.tenant_a


def test_a_batch_is_judged_one_by_one(caller: Service) -> None:
    answer = caller.post(PATH, [manifest(), manifest("nobody"), manifest("tenant-b", plugins={"crm": "two"})])

    body = answer.json()
    assert answer.status_code == 200
    assert [one["tenant"] for one in body["accepted"]] == ["tenant-a"]
    assert [(one["index"], one["field"]) for one in body["refused"]] == [(1, "tenant"), (2, "plugins.crm")]


def test_where_nothing_is_taken_nothing_is_stored(caller: Service) -> None:
    answer = caller.post(PATH, manifest("nobody"))

    assert answer.status_code == 422
    assert not Manifest.objects.exists()


def test_a_cyclonedx_sbom_is_a_manifest(world: World, caller: Service) -> None:
    sbom = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "metadata": {"component": {"type": "platform", "name": "host", "version": "10.0.0"}},
        "components": [{"type": "library", "name": "crm", "version": "2.4.0"}],
    }

    answer = caller.post(f"{PATH}?tenant=tenant-a", sbom, kind="application/vnd.cyclonedx+json")

    assert answer.status_code == 200, answer.json()
    assert installed(world) == {("host", "10.0.0"), ("crm", "2.4.0")}


def test_a_plugins_txt_is_a_manifest(world: World, caller: Service) -> None:
    answer = caller.post(f"{PATH}?tenant=tenant-a&host_version=10.0.0", "crm:2.4.0\n", kind="text/plain")

    assert answer.status_code == 200, answer.json()
    assert installed(world) == {("host", "10.0.0"), ("crm", "2.4.0")}


def test_a_key_stands_for_its_tenant_too(caller: Service) -> None:
    for tenant, status in (("tenant-a", 200), ("tenant-a", 200), ("tenant-b", 422)):
        path = f"{PATH}?tenant={tenant}&host_version=10.0.0"
        assert caller.post(path, "crm:2.4.0\n", kind="text/plain", key="k").status_code == status


def test_the_same_again_changes_nothing(caller: Service) -> None:
    body = manifest(observed_at="2026-03-01T00:00:00Z")

    first, again = caller.post(PATH, body).json(), caller.post(PATH, body).json()

    assert (first["accepted"][0]["changed"], again["accepted"][0]["changed"]) == (True, False)
    assert Manifest.objects.count() == 1


def test_a_tenant_of_another_group_is_unknown(world: World, service: Issue) -> None:
    elsewhere = world.outsider.memberships.get().group
    stranger = service(Permission.MANIFEST_PUSH, group=elsewhere)

    answer = stranger.post(PATH, manifest("tenant-b"))

    assert answer.status_code == 422
    assert not Manifest.objects.filter(group=world.group).exists()


@pytest.mark.parametrize("character", ["\0", "\ud800"])
def test_what_can_be_neither_kept_nor_sent_is_refused_the_same_each_time(
    caller: Service, character: str
) -> None:
    batch = [manifest(), manifest(f"a{character}")]
    first, again = (caller.post(PATH, batch, key="k") for _ in range(2))

    assert first.status_code == again.status_code
    assert first.json() == again.json()
    assert [refused["index"] for refused in first.json()["refused"]] == [1]
