"""Groups, tenants and members, as they are made."""

import pytest
from django.db import IntegrityError

from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM
from tenants import groups, reach
from tenants.models import Membership, Role, Tenant
from tests import factories
from tests.factories import AT, World


def actions(world: World) -> list[str]:
    return list(
        Entry.objects.filter(group_id=world.group.pk).order_by("sequence").values_list("action", flat=True)
    )


def test_making_a_group_is_the_first_entry_of_its_ledger(world: World) -> None:
    first = Entry.objects.get(group_id=world.group.pk, sequence=1)
    assert first.action == Action.GROUP_CHANGED
    assert first.data == {"created": True, "default_scheme": "semver", "host": "host"}


def test_each_added_tenant_has_a_ledger_entry_of_its_own(world: World) -> None:
    new = [groups.NewTenant("tenant-c", tier="pilot"), groups.NewTenant("tenant-d")]
    added = groups.add_tenants(world.group, new, actor=SYSTEM, at=AT)
    entries = Entry.objects.filter(action=Action.TENANT_ADDED, tenant_id__in=[tenant.pk for tenant in added])
    assert sorted((entry.subject_label, entry.data["tier"]) for entry in entries) == [
        ("tenant-c", "pilot"),
        ("tenant-d", "standard"),
    ]


def test_adding_a_tenant_that_is_there_adds_nothing_and_writes_nothing(world: World) -> None:
    before = actions(world)
    assert groups.add_tenants(world.group, [groups.NewTenant("tenant-a")], actor=SYSTEM, at=AT) == []
    assert actions(world) == before
    assert Tenant.objects.filter(group=world.group, key="tenant-a").count() == 1


def test_a_role_given_twice_is_held_once(world: World) -> None:
    before = actions(world)
    groups.add_member(world.group, world.owner, Role.OWNER, actor=SYSTEM, at=AT)
    assert Membership.objects.filter(user=world.owner).count() == 1
    assert actions(world) == before


def test_a_tenant_admin_without_a_tenant_is_refused_by_the_database(world: World) -> None:
    with pytest.raises(IntegrityError, match="membership_tenant_only_for_tenant_admin"):
        groups.add_member(world.group, factories.person("someone"), Role.TENANT_ADMIN, actor=SYSTEM, at=AT)


def test_an_outsider_has_no_access_to_the_group(world: World) -> None:
    assert reach.access_of_person(world.outsider, world.group.slug) is None
    assert world.access(world.owner).whole_group
    assert world.access(world.tenant_admin).tenant_ids == frozenset({world.tenant_a.pk})


def test_a_role_is_taken_away_and_the_last_owner_stays(world: World) -> None:
    second = groups.add_member(world.group, world.viewer, Role.OWNER, actor=SYSTEM, at=AT)
    groups.remove_member(second, actor=SYSTEM, at=AT)
    assert actions(world)[-1] == Action.MEMBER_REMOVED
    last = Membership.objects.get(group=world.group, role=Role.OWNER)
    with pytest.raises(groups.LastOwner, match="owner is the only owner of Acme"):
        groups.remove_member(last, actor=SYSTEM, at=AT)
    assert Membership.objects.filter(pk=last.pk).exists()
