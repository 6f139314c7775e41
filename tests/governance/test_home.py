"""Where a tenant admin's work begins."""

from datetime import timedelta

import pytest
from django.test import Client

from governance.models import Exemption, Finding, Notification, Policy
from tests import factories
from tests.factories import AT, World

HOME = "/g/acme/mine/"


@pytest.fixture
def troubled(world: World) -> World:
    """Each tenant has a finding and an exemption; each person a message."""
    crm = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    policy = Policy.objects.create(group=world.group, name="core")
    for tenant in (world.tenant_a, world.tenant_b):
        Finding.objects.create(
            group=world.group,
            tenant=tenant,
            plugin=crm,
            policy=policy,
            rule_key="same",
            opened_at=AT,
            opened_snapshot=1,
        )
        Exemption.objects.create(
            group=world.group,
            tenant=tenant,
            policy=policy,
            reason="x",
            starts_at=AT,
            expires_at=AT + timedelta(days=9),
            requested_at=AT,
            requested_by_name="x",
        )
    for user in (world.owner, world.tenant_admin):
        Notification.objects.create(
            group=world.group,
            user=user,
            kind="reminder",
            key=f"for-{user}",
            subject=f"Message to {user}",
            body="",
            created_at=AT,
        )
    return world


def test_a_tenant_admin_begins_at_home(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    assert client.get("/g/acme/home/").headers["Location"] == HOME


def test_home_shows_what_waits_in_the_own_tenant_and_nothing_of_others(
    troubled: World, client: Client
) -> None:
    client.force_login(troubled.tenant_admin)
    page = client.get(HOME).content.decode()
    assert "tenant-a" in page
    assert "tenant-a from core" in page
    assert "Message to tenant-admin" in page
    assert "tenant-b" not in page
    assert "Message to owner" not in page


def test_home_says_when_nothing_waits(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    page = client.get(HOME).content.decode()
    assert "All in line" in page
    assert "Nothing unread" in page


def test_those_who_reach_the_whole_group_have_its_list_of_tenants_instead(
    world: World, client: Client
) -> None:
    client.force_login(world.viewer)
    assert client.get(HOME).headers["Location"] == "/g/acme/tenants/"


def test_a_tenant_admin_is_offered_the_own_pages_only(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    page = client.get(HOME).content.decode()
    assert f'href="{HOME}" aria-current="page"' in page
    assert 'href="/g/acme/ledger/"' not in page
