"""Every address of the console, walked by every role."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from audit.models import Entry
from governance.models import Exemption, Notification
from tests.factories import AT
from tests.governance.furnished import Furnished

# A viewer's own inbox is the viewer's to change, and nobody else's.
OWN_INBOX = {"notification_read", "notification_read_all"}
# What tenant admins do in their own tenants.
OWN_TENANT = {
    *("notification_acknowledge", "order_report", "task_correct", "window_agree"),
    *("finding_snooze", "finding_acknowledge", "finding_unsilence"),
}
# What everybody does for themselves.
OWN_ACCOUNT = {"my_preferences", "chat_test_own", "deputy_appoint", "deputy_end"}
# Reads the whole ledger, which takes long; hence a POST.
ONLY_READS = {"ledger_verify"}


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


def console() -> Iterator[tuple[str, str]]:
    """Name and path pattern of each address below a group."""
    yield from _below(get_resolver(), "")


def _below(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
    for entry in resolver.url_patterns:
        path = f"{prefix}{entry.pattern}"
        if isinstance(entry, URLResolver):
            yield from _below(entry, path)
        elif isinstance(entry, URLPattern) and path.startswith("g/<slug:group>/"):
            assert entry.name, path
            yield entry.name, path


def subjects(house: Furnished) -> dict[str, list[dict[str, Any]]]:
    """By noun, what its pages are asked for, the own and others'."""
    tenants = [{"pk": tenant.pk} for tenant in (house.world.tenant_a, house.world.tenant_b)]
    return {
        "tenants": tenants,
        "plugins": [{"pk": house.crm.pk}],
        "drift": [{"pk": found.pk} for found in house.findings],
        "policies": [{"pk": house.core.pk, "number": 1}],
        "simulations": [{"pk": house.simulation.pk, "kind": "json"}],
        "plans/runs": [{"pk": house.run.pk}],
        "plans": [{"pk": house.plan.pk}],
        "tasks": [{"pk": task.pk} for task in house.plan.tasks.all()],
        "orders": [{"pk": order.pk} for order in house.orders],
        "decisions": [{"pk": house.conflict.pk, "number": 1}],
        "exemptions": [{"pk": house.exemption.pk}],
        "rollbacks": [{"number": house.rollback.number}],
        "snapshots": [{"number": house.snapshot.number}],
        "notifications/templates": [{"kind": "reminder", "language": "zh"}],
        "notifications": [{"pk": one.pk} for one in house.notifications],
        "directory/tenants": tenants,
        "directory/people": [{"pk": house.world.viewer.pk}],
        "directory/policies": [{"pk": house.core.pk}],
        "chats": [{"pk": house.chat.pk}],
        "deliveries/circuits": [{"pk": house.circuit.pk}],
        "deliveries/webhooks": [{"pk": house.webhook.pk}],
        "deliveries": [{"pk": house.message.pk}],
        "reports": [{"pk": house.report.pk, "format": "json"}],
        "ledger": [{"sequence": 1}],
        "help": [{"topic": "states"}],
    }


def addresses(house: Furnished) -> Iterator[tuple[str, str]]:
    """Name and address of each page, once for each of its subjects."""
    known = subjects(house)
    for name, pattern in console():
        path = pattern.replace("<slug:group>", "acme")
        if "<" not in path:
            yield name, f"/{path}"
            continue
        noun = next(noun for noun in known if path.startswith(f"g/acme/{noun}/"))
        for subject in known[noun]:
            filled = path
            for converter in ("int", "uuid", "slug"):
                for key, value in subject.items():
                    filled = filled.replace(f"<{converter}:{key}>", str(value))
            assert "<" not in filled, f"the walk doesn't know how to fill {filled}"
            yield name, f"/{filled}"


def test_whoever_has_not_signed_in_is_asked_to(house: Furnished, client: Client) -> None:
    for name, address in addresses(house):
        for answer in (client.get(address), client.post(address)):
            assert (name, answer.status_code) == (name, 302)
            assert answer.headers["Location"].startswith("/login/?next=")


def test_to_an_outsider_nothing_is_there(house: Furnished, client: Client) -> None:
    client.force_login(house.world.outsider)
    before = Entry.objects.count()
    for name, address in addresses(house):
        assert (name, client.get(address).status_code) == (name, 404)
        assert (name, client.post(address).status_code) == (name, 404)
    assert Entry.objects.count() == before


def test_an_owner_can_read_every_page(house: Furnished, client: Client) -> None:
    client.force_login(house.world.owner)
    others = {str(one.pk) for one in house.notifications if one.user_id != house.world.owner.pk}
    for name, address in addresses(house):
        status = client.get(address).status_code
        if any(pk in address for pk in others):
            assert (address, status) in {(address, 404), (address, 405)}
        else:
            assert (name, status) in {(name, 200), (name, 302), (name, 405)}


def test_a_viewer_changes_nothing(house: Furnished, client: Client) -> None:
    client.force_login(house.world.viewer)
    before = Entry.objects.count()
    for name, address in addresses(house):
        status = client.post(address, {"reason": "x", "set_aside": "core/crm", "intent": "draft"}).status_code
        if name not in OWN_INBOX | OWN_ACCOUNT | ONLY_READS:
            assert (name, status) in {(name, 404), (name, 405)}
    assert Entry.objects.count() == before
    assert Exemption.objects.get().status == "approved"
    assert not Notification.objects.exclude(user=house.world.viewer).filter(read_at__isnull=False).exists()


def test_a_tenant_admin_sees_nothing_of_another_tenant(house: Furnished, client: Client) -> None:
    client.force_login(house.world.tenant_admin)
    read = set()
    for name, address in addresses(house):
        answer = client.get(address)
        if answer.status_code == 200:
            read.add(name)
            assert "tenant-b" not in answer.content.decode(), address
    assert {"tenant_home", "tenant_detail", "drift_list", "plugin_detail", "exemption_list"} <= read
    assert not read & {
        "overview",
        "plan_list",
        "conflict_list",
        "snapshot_list",
        "policy_list",
        "report_list",
    }


def test_a_tenant_admin_changes_nothing_of_another_tenant(house: Furnished, client: Client) -> None:
    client.force_login(house.world.tenant_admin)
    before = Entry.objects.count()
    for name, address in addresses(house):
        status = client.post(address, {"tenant": "tenant-b", "reason": "x"}).status_code
        own = name in OWN_INBOX | OWN_TENANT | OWN_ACCOUNT
        if not own and name != "exemption_request":
            assert (name, status) in {(name, 404), (name, 405)}
    assert (
        not Entry.objects.filter(sequence__gt=before)
        .exclude(tenant_id=house.world.tenant_a.pk)
        .exclude(action="reminder.acknowledged")
    )
    assert Exemption.objects.count() == 1


def test_searching_and_sorting_give_nothing_away_either(house: Furnished, client: Client) -> None:
    client.force_login(house.world.tenant_admin)
    for path in ("drift/", "exemptions/", "tenants/", "notifications/", f"plugins/{house.crm.pk}/"):
        for query in ("shows=closed", "status=all", "sort=-tenant", "q=tenant", "sort=-due", "per_page=200"):
            page = client.get(f"/g/acme/{path}?{query}").content.decode()
            assert "tenant-b" not in page, f"{path}?{query}"
