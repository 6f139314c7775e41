"""The demo groups: real facts, loaded through the product's own doors, and loaded again without harm."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.utils import timezone

from audit import ledger
from demo import accounts, fleet, jenkins, loading, sources
from governance import catalogue_formats, configuration
from governance.models import Finding, ManifestSource
from sandbox.state import FleetState
from tenants.models import Group, Membership, Role, Tenant


@pytest.fixture
def _own_sandbox(settings: LazySettings, tmp_path: object) -> None:
    """The sandbox's state is this test's own."""
    settings.DATA_DIR = tmp_path
    settings.USES_SANDBOX = True


def load() -> dict[str, object]:
    return loading.load("powerx", at=timezone.now(), tell=lambda _: None)


def test_the_facts_are_whole() -> None:
    states = [state for tenant in sources.fleet() for state in tenant["snapshots"]]

    assert (len(sources.fleet()), len(states)) == (197, 3509)
    assert sum(len(plugin["releases"]) for plugin in sources.catalogue()) == 37418


def test_every_document_of_the_catalogue_is_valid() -> None:
    plugins = catalogue_formats.read(jenkins.documents())

    assert len(plugins) == 2247
    assert [plugin.name for plugin in plugins if plugin.host] == [jenkins.HOST]


def test_both_tiers_and_rings_have_tenants() -> None:
    tenants = fleet.tenants()

    assert {tenant.tier for tenant in tenants} == {"critical", "standard"}
    assert {tenant.labels["ring"] for tenant in tenants} == {"pilot", "broad"}
    assert fleet.gone() < {tenant.key for tenant in tenants}


def test_the_configuration_speaks_of_the_demo_groups_only(settings: LazySettings) -> None:
    files = configuration.load(settings.CONFIGURATION_DIR)

    assert files.baselines is not None
    assert set(files.baselines.data["groups"]) == set(loading.SLUGS)


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sandbox")
def test_the_scenario_tenant_is_found_a_version_behind() -> None:
    load()

    finding = Finding.objects.open().get()
    assert (finding.tenant.key, str(finding.release), str(finding.target)) == ("tenant-b", "2.3.0", "2.4.0")
    assert finding.due_at is not None


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sandbox")
def test_loading_again_changes_nothing(settings: LazySettings) -> None:
    first = load()
    with FleetState(settings.DATA_DIR / "sandbox.sqlite3") as state:
        cursor = state.manifests("powerx", 0, 100).cursor

    again = load()

    with FleetState(settings.DATA_DIR / "sandbox.sqlite3") as state:
        assert state.manifests("powerx", 0, 100).cursor == cursor
    assert {**first, "seconds": None} == {**again, "seconds": None}
    assert ManifestSource.objects.count() == 1
    assert ledger.verify(Group.objects.get(slug="powerx").pk) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("_own_sandbox")
def test_every_role_has_someone_and_the_password_is_told_once_they_exist() -> None:
    assert accounts.welcome() == []
    load()

    assert set(Membership.objects.values_list("role", flat=True)) == set(Role.values)
    assert Tenant.objects.filter(memberships__user__username="tenant-b-admin").get().key == "tenant-b"
    assert accounts.password() in "\n".join(accounts.welcome())
