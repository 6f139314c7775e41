"""Who is told of what: those responsible, and who stands in for them as far as they reach it."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.access import SYSTEM
from tenants import deputies, directory, groups, reach
from tenants.models import DirectoryPerson, Origin, PolicyOwner, Role, User
from tests import factories
from tests.factories import AT, World

LATER = AT + timedelta(days=30)


def stand_in(world: World, person: User, deputy: User) -> None:
    week = {"starts_on": AT.date(), "ends_on": AT.date() + timedelta(days=7)}
    deputies.appoint(world.group, person, deputy.username, **week, actor=SYSTEM, at=AT)


def names(users: list[User]) -> list[str]:
    return [user.username for user in users]


def told(world: World, at: datetime = AT) -> directory.Told:
    return directory.told(
        world.group.pk, {world.tenant_a.pk, world.tenant_b.pk}, at=AT if at is AT else LATER
    )


def test_tenant_admins_are_told_of_their_tenants_and_owners_of_the_group(world: World) -> None:
    found = told(world)
    assert {key: names(users) for key, users in found.tenants.items()} == {
        world.tenant_a.pk: ["tenant-admin"]
    }
    assert names(found.owners) == ["owner"]
    assert found.summary_readers() == [([world.owner], None)]


def test_a_role_that_is_known_from_two_origins_tells_once(world: World) -> None:
    for origin in Origin:
        groups.add_member(
            world.group,
            world.tenant_admin,
            Role.TENANT_ADMIN,
            tenant=world.tenant_a,
            origin=origin,
            actor=SYSTEM,
            at=AT,
        )
    assert names(told(world).tenants[world.tenant_a.pk]) == ["tenant-admin"]
    assert names(directory.admins_of([world.tenant_a.pk])[world.tenant_a.pk]) == ["tenant-admin"]


def test_a_deputy_is_told_beside_the_person_and_only_meanwhile(world: World) -> None:
    stand_in(world, world.tenant_admin, world.viewer)
    stand_in(world, world.owner, world.viewer)
    assert names(told(world).tenants[world.tenant_a.pk]) == ["tenant-admin", "viewer"]
    assert names(told(world).owners) == ["owner", "viewer"]
    assert names(told(world, LATER).owners) == ["owner"]
    assert names(directory.admins_of([world.tenant_a.pk])[world.tenant_a.pk]) == ["tenant-admin"]


def test_a_deputy_is_told_nothing_beyond_the_own_reach(world: World) -> None:
    other = factories.member(world.group, "b-admin", Role.TENANT_ADMIN, of=world.tenant_b)
    stand_in(world, world.owner, other)
    stand_in(world, world.viewer, world.tenant_admin)
    PolicyOwner.objects.create(group=world.group, user=world.viewer, policy="core")
    found = told(world)
    assert names(found.owners) == ["owner"]
    assert names(found.policies["core"]) == ["viewer"]


def test_who_answers_for_policies_reads_of_these_and_an_owner_of_everything(world: World) -> None:
    for user, policy in ((world.viewer, "core"), (world.viewer, "edge"), (world.owner, "core")):
        PolicyOwner.objects.create(group=world.group, user=user, policy=policy)
    assert told(world).summary_readers() == [
        ([world.owner], None),
        ([world.viewer], frozenset({"core", "edge"})),
    ]


def test_those_who_answer_for_the_same_policies_read_the_same(world: World) -> None:
    other = User.objects.create_user("other")
    groups.add_member(world.group, other, Role.AUDITOR, actor=SYSTEM, at=AT)
    for user in (world.viewer, other):
        PolicyOwner.objects.create(group=world.group, user=user, policy="core")
    assert told(world).summary_readers() == [
        ([world.owner], None),
        ([other, world.viewer], frozenset({"core"})),
    ]


def test_a_tenant_admin_who_answers_for_a_policy_is_not_told_of_the_group(world: World) -> None:
    PolicyOwner.objects.create(group=world.group, user=world.tenant_admin, policy="core")
    assert told(world).policies == {}


def test_whom_the_directory_calls_disabled_is_told_nothing(world: World) -> None:
    person = {"group": world.group, "user": world.tenant_admin, "origin": Origin.LDAP}
    DirectoryPerson.objects.create(**person, disabled=True)
    assert told(world).tenants == {}
    assert directory.admins_of([world.tenant_a.pk]) == {}
    assert reach.access_of_person(world.tenant_admin, "acme") is None
