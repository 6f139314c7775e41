"""Orders carried out by hand, in the console."""

import pytest
from django.test import Client

from config.access import SYSTEM
from governance import orders
from governance.models import UpgradeOrder
from tenants.models import Tenant
from tests.factories import AT, World

LIST = "/g/acme/orders/"


def place(tenant: Tenant, key: str = "k") -> UpgradeOrder:
    steps = [{"plugin": "crm", "from": "2.3.0", "to": "2.4.0"}]
    payload = {"tenant": tenant.key, "task": "00000000-0000-0000-0000-000000000001", "steps": steps}
    orders.receive(tenant.group_id, payload, idempotency_key=key, actor=SYSTEM, at=AT)
    return UpgradeOrder.objects.get(idempotency_key=key)


@pytest.fixture
def admin(world: World, client: Client) -> Client:
    client.force_login(world.tenant_admin)
    return client


def report(client: Client, order: UpgradeOrder, outcome: str, detail: str = "") -> int:
    return client.post(f"{LIST}{order.pk}/report/", {"outcome": outcome, "detail": detail}).status_code


def test_a_tenant_admin_sees_the_own_tenants_orders_only(world: World, admin: Client) -> None:
    place(world.tenant_a, "mine")
    place(world.tenant_b, "theirs")

    page = admin.get(LIST).content.decode()

    assert "tenant-a" in page
    assert "tenant-b" not in page


def test_an_order_is_reported_done(world: World, admin: Client) -> None:
    order = place(world.tenant_a)

    assert report(admin, order, "done", "by hand") == 303

    order.refresh_from_db()
    assert (order.status, order.detail) == (UpgradeOrder.Status.SUCCEEDED, "by hand")


def test_that_it_cannot_be_done_wants_a_reason(world: World, admin: Client) -> None:
    order = place(world.tenant_a)
    report(admin, order, "impossible")
    order.refresh_from_db()
    assert order.status == UpgradeOrder.Status.ACCEPTED

    report(admin, order, "impossible", "the controller is gone")

    order.refresh_from_db()
    assert order.status == UpgradeOrder.Status.FAILED


def test_an_order_is_reported_once(world: World, admin: Client) -> None:
    order = place(world.tenant_a)

    assert [report(admin, order, "done"), report(admin, order, "done")] == [303, 409]


def test_another_tenants_order_is_not_there(world: World, admin: Client) -> None:
    assert report(admin, place(world.tenant_b), "done") == 404


def test_a_viewer_sees_orders_and_reports_none(world: World, client: Client) -> None:
    order = place(world.tenant_a)
    client.force_login(world.viewer)

    assert b"Done</button>" not in client.get(LIST).content
    assert report(client, order, "done") == 404
