"""The tenants' pages."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from governance import history, tenants
from governance.history import Change, ChangeKind
from governance.models import (
    Advisory,
    Finding,
    Installation,
    Inventory,
    Manifest,
    Plan,
    Plugin,
    Policy,
    Release,
    ReleaseAdvisory,
    Snapshot,
    UpgradeTask,
)
from tenants.models import Group, Role, Tenant, User
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/tenants/"


def install(tenant: Tenant, plugin: Plugin, version: str, since: int = 1, until: int | None = None) -> None:
    Installation.objects.create(
        group_id=tenant.group_id,
        tenant=tenant,
        plugin=plugin,
        release=factories.release(plugin, version),
        since=since,
        until=until,
    )


def find(tenant: Tenant, plugin: Plugin, **fields: Any) -> Finding:
    policy, _ = Policy.objects.get_or_create(group_id=tenant.group_id, name="core")
    known = {"rule_key": "same", "opened_at": AT, "opened_snapshot": 1, **fields}
    return Finding.objects.create(
        group_id=tenant.group_id, tenant=tenant, plugin=plugin, policy=policy, **known
    )


def snapshot(world: World, number: int) -> Snapshot:
    counts = {"tenants": 2, "installations": 2, "opened": 0, "closed": 0}
    return Snapshot.objects.create(
        group=world.group, number=number, sealed_at=AT, trigger="hand", actor_name="x", digest="", **counts
    )


@pytest.fixture
def fleet(world: World) -> World:
    """Both tenants run the host and two plugins; tenant-b is out of line and past its due date."""
    host = factories.plugin(world.group, "host-app", ["1.0.0", "2.0.0", "10.0.0"], host=True)
    crm = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    odd = factories.plugin(world.group, "odd", ["0.1.0"])
    install(world.tenant_a, host, "10.0.0")
    install(world.tenant_b, host, "2.0.0")
    for tenant, version in ((world.tenant_a, "2.4.0"), (world.tenant_b, "2.3.0")):
        install(tenant, crm, version)
        install(tenant, odd, "0.1.0")
    find(world.tenant_b, crm, due_at=AT - timedelta(days=1), status=Finding.Status.PLANNED)
    find(world.tenant_b, odd, status=Finding.Status.ACCEPTED)
    return world


def keys(client: Client, query: str = "") -> list[str]:
    """The tenants that the list shows, in its order."""
    page = client.get(f"{LIST}?{query}").content.decode()
    return re.findall(rf'href="{LIST}\d+/">([^<]+)</a>', page)


def plugins(page: str) -> list[str]:
    """The plugins that a table on the page is about, in its order."""
    return re.findall(r'href="/g/acme/plugins/\d+/">([^<]+)</a>', page)


@pytest.fixture
def owner(fleet: World, client: Client) -> Client:
    client.force_login(fleet.owner)
    return client


def test_figures_count_what_is_installed_and_what_is_outstanding(fleet: World) -> None:
    found = {tenant.key: tenant for tenant in tenants.with_figures(fleet.access(fleet.owner), at=AT)}
    b: Any = found["tenant-b"]
    assert (b.host_version, b.plugin_count, b.open_drift, b.overdue_drift) == ("2.0.0", 2, 1, 1)
    a: Any = found["tenant-a"]
    assert (a.host_version, a.plugin_count, a.open_drift, a.overdue_drift) == ("10.0.0", 2, 0, 0)


def test_a_tenant_without_a_manifest_has_figures_too(world: World) -> None:
    tenant: Any = tenants.with_figures(world.access(world.owner), at=AT).get(pk=world.tenant_a.pk)
    assert (tenant.host_version, tenant.plugin_count, tenant.open_drift) == (None, 0, 0)
    assert tenant.last_manifest_at is None


def test_hosts_are_sorted_by_their_order_and_not_by_their_text(owner: Client) -> None:
    assert keys(owner, "sort=host") == ["tenant-b", "tenant-a"]
    assert keys(owner, "sort=-host") == ["tenant-a", "tenant-b"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=b", ["tenant-b"]),
        ("drift=some", ["tenant-b"]),
        ("drift=overdue", ["tenant-b"]),
        ("drift=none", ["tenant-a", "tenant-c"]),
        ("label=ring", ["tenant-c"]),
        ("label=ring%3Dpilot", ["tenant-c"]),
        ("label=ring%3Dbroad", []),
        ("tier=critical", ["tenant-c"]),
        ("sort=-drift", ["tenant-b", "tenant-c", "tenant-a"]),
        ("sort=nonsense&page=99&drift=nonsense", ["tenant-a", "tenant-b", "tenant-c"]),
    ],
)
def test_the_list_is_narrowed_and_sorted(fleet: World, owner: Client, query: str, shown: list[str]) -> None:
    factories.tenant(fleet.group, "tenant-c", tier="critical", ring="pilot")
    assert keys(owner, query) == shown


def test_the_list_costs_the_same_however_long_it_is(
    fleet: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(100) as few:
        owner.get(LIST)
    for number in range(30):
        factories.tenant(fleet.group, f"site-{number}")
    with django_assert_max_num_queries(len(few)):
        owner.get(LIST)


def test_htmx_gets_the_table_alone(owner: Client) -> None:
    part = owner.get(LIST, headers={"HX-Request": "true", "HX-Target": "tenants"}).content.decode()
    assert part.startswith('<div id="tenants"')
    assert "<!doctype" not in part


@pytest.mark.parametrize("page", ["", "consistency/", "drift/", "tasks/", "manifests/", "history/"])
def test_each_person_sees_the_tenants_within_reach(fleet: World, client: Client, page: str) -> None:
    def status(user: User, tenant: Tenant) -> int:
        client.force_login(user)
        return client.get(f"{LIST}{tenant.pk}/{page}").status_code

    stranger = Tenant.objects.get(group__slug="elsewhere")
    assert status(fleet.owner, fleet.tenant_b) == 200
    assert status(fleet.viewer, fleet.tenant_b) == 200
    assert status(fleet.tenant_admin, fleet.tenant_a) == 200
    assert status(fleet.tenant_admin, fleet.tenant_b) == 404
    assert status(fleet.outsider, fleet.tenant_b) == 404
    assert status(fleet.owner, stranger) == 404


def test_a_tenant_admin_lists_only_the_own_tenant(fleet: World, client: Client) -> None:
    client.force_login(fleet.tenant_admin)
    assert keys(client) == ["tenant-a"]


def test_an_empty_group_is_told_how_to_begin(client: Client, world: World) -> None:
    client.force_login(factories.member(factories.group("fresh"), "founder", Role.OWNER))
    assert b"No tenants yet" in client.get("/g/fresh/tenants/").content


def test_what_the_catalogue_doesnt_know_is_marked(fleet: World, owner: Client) -> None:
    path = f"{LIST}{fleet.tenant_a.pk}/"
    assert b"Not in the catalogue</span>" not in owner.get(path).content
    Release.objects.filter(plugin__name="odd").update(catalogued=False)
    page = owner.get(f"{path}?shows=unknown").content.decode()
    assert "Not in the catalogue</span>" in page
    assert plugins(page) == ["odd"]


def test_security_warnings_and_drift_are_marked(fleet: World, owner: Client) -> None:
    crm = Plugin.objects.get(name="crm")
    advisory = Advisory.objects.create(group=fleet.group, plugin=crm, identifier="S-1", title="Bad")
    ReleaseAdvisory.objects.create(advisory=advisory, release=factories.release(crm, "2.3.0"))
    page = owner.get(f"{LIST}{fleet.tenant_b.pk}/?shows=warnings").content.decode()
    assert page.count("Security warning</span>") == 1
    drifting = owner.get(f"{LIST}{fleet.tenant_b.pk}/?shows=drift&sort=-drift").content.decode()
    assert plugins(drifting) == ["odd", "crm"]


def test_a_tenants_drift_can_be_seen_by_status(fleet: World, owner: Client) -> None:
    page = owner.get(f"{LIST}{fleet.tenant_b.pk}/drift/?status=planned").content.decode()
    assert "overdue by" in page
    assert plugins(page) == ["crm"]


def test_history_tells_what_each_snapshot_changed(world: World) -> None:
    crm = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    odd = factories.plugin(world.group, "odd", ["0.1.0"])
    install(world.tenant_a, crm, "2.3.0", 1, 2)
    install(world.tenant_a, crm, "2.4.0", 2, 4)
    install(world.tenant_a, crm, "2.3.0", 4)
    install(world.tenant_a, odd, "0.1.0", 1, 3)
    install(world.tenant_b, odd, "0.1.0", 2)
    changes = history.changes_of(world.tenant_a, [1, 2, 3, 4, 5])
    assert changes == {
        1: [Change(ChangeKind.ADDED, "crm", "", "2.3.0"), Change(ChangeKind.ADDED, "odd", "", "0.1.0")],
        2: [Change(ChangeKind.UPGRADED, "crm", "2.3.0", "2.4.0")],
        3: [Change(ChangeKind.REMOVED, "odd", "0.1.0", "")],
        4: [Change(ChangeKind.DOWNGRADED, "crm", "2.4.0", "2.3.0")],
        5: [],
    }


def test_history_lists_the_snapshots_that_changed_the_tenant_and_what_is_not_sealed(
    fleet: World, owner: Client
) -> None:
    crm = Plugin.objects.get(name="crm")
    for number in (1, 2, 3):
        snapshot(fleet, number)
    Group.objects.filter(pk=fleet.group.pk).update(open_snapshot=4)
    Installation.objects.filter(tenant=fleet.tenant_b, plugin=crm).update(until=3)
    install(fleet.tenant_b, crm, "2.4.0", 3)
    numbers = [row.number for row in history.snapshots_that_changed(fleet.tenant_b).order_by("number")]
    assert numbers == [1, 3]
    page = owner.get(f"{LIST}{fleet.tenant_b.pk}/history/").content.decode()
    assert "Snapshot #3" in page
    assert "Snapshot #2" not in page


def test_a_tenants_tasks_tell_their_steps_and_why_they_wait(fleet: World, owner: Client) -> None:
    plan = Plan.objects.create(
        group=fleet.group, number=7, snapshot_number=1, inputs_digest="", created_by_name="x", created_at=AT
    )
    UpgradeTask.objects.create(
        group=fleet.group,
        tenant=fleet.tenant_b,
        plan=plan,
        steps=[{"plugin": "crm", "from": "2.3.0", "to": "2.4.0", "because": "core"}],
        situation_digest="",
        wait_reason="Behind two tasks of a higher priority",
        idempotency_key="t-1",
        created_at=AT,
    )
    page = owner.get(f"{LIST}{fleet.tenant_b.pk}/tasks/?status=queued").content.decode()
    assert "Plan 7" in page
    assert "The plan has not been started." in page  # whatever kept it when somebody last looked
    assert b"No upgrade tasks" in owner.get(f"{LIST}{fleet.tenant_a.pk}/tasks/").content


def test_a_tenants_manifests_are_listed_newest_first(fleet: World, owner: Client) -> None:
    for number, source in enumerate(("first", "second")):
        inventory = Inventory.objects.create(digest=str(number) * 64, plugins={}, size=number)
        observed = AT + timedelta(days=number)
        Manifest.objects.create(
            group=fleet.group,
            tenant=fleet.tenant_a,
            inventory=inventory,
            observed_at=observed,
            received_at=observed,
            source=source,
        )
    page = owner.get(f"{LIST}{fleet.tenant_a.pk}/manifests/").content.decode()
    assert page.index("<td>second") < page.index("<td>first")
