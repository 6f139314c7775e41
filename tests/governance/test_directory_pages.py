"""The directory in the console: who is responsible, named by hand, and what keeps people from being told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit import outbox
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance import unreached
from governance.models import Finding, Policy
from tenants import chats, deputies, groups
from tenants.models import (
    DirectoryPerson,
    DirectorySync,
    Membership,
    Origin,
    PolicyOwner,
    Preferences,
    Role,
    TeamChat,
    User,
)
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import find, policy

LIST = "/g/acme/directory/"


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


@pytest.fixture
def core(world: World) -> Policy:
    return factories.policy(world.group, "core", [])


def text(client: Client, path: str = LIST) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def problems(world: World) -> list[tuple[str, str]]:
    return [(one.kind.value, one.about) for one in unreached.found(world.access(world.owner), at=AT)]


def test_each_tenant_is_listed_with_who_is_responsible_and_from_where_that_is_known(
    world: World, owner: Client
) -> None:
    for user, origin in ((world.viewer, Origin.LDAP), (world.tenant_admin, Origin.FILE)):
        groups.add_member(
            world.group,
            user,
            Role.TENANT_ADMIN,
            tenant=world.tenant_b,
            origin=origin,
            actor=SYSTEM,
            at=AT,
        )
    week = {"starts_on": AT.date(), "ends_on": AT.date() + timedelta(days=7)}
    deputies.appoint(world.group, world.tenant_admin, "owner", **week, actor=SYSTEM, at=AT)
    with time_machine.travel(AT, tick=False):
        page = text(owner)
    for said in ("By hand", "File", "LDAP", "now owner"):
        assert said in page


def test_the_tenants_that_nobody_answers_for_can_be_singled_out(world: World, owner: Client) -> None:
    page = text(owner, f"{LIST}?responsible=nobody")
    assert "tenant-b" in page
    assert "tenant-a" not in page


def test_an_owner_names_somebody_for_a_tenant_who_then_reaches_it(world: World, owner: Client) -> None:
    newcomer = factories.person("newcomer")
    page = f"{LIST}tenants/{world.tenant_b.pk}/"
    assert owner.post(f"{page}name/", {"person": "newcomer"}).status_code == 303
    assert world.access(newcomer).tenant_ids == frozenset({world.tenant_b.pk})
    row = Membership.objects.get(user=newcomer)
    assert owner.post(f"{page}end/", {"row": row.pk}).status_code == 303
    assert not Membership.objects.filter(user=newcomer).exists()
    assert list(Entry.objects.order_by("-sequence").values_list("action", flat=True)[:2]) == [
        "member.removed",
        "member.added",
    ]


def test_somebody_without_an_account_is_refused_with_what_to_do(world: World, owner: Client) -> None:
    answer = owner.post(f"{LIST}tenants/{world.tenant_b.pk}/name/", {"person": "nobody"})
    assert answer.status_code == 422
    assert "Nobody who may sign in is called “nobody”" in answer.content.decode()


def test_what_the_file_or_ldap_gave_is_not_ended_here(world: World, owner: Client) -> None:
    given = groups.add_member(
        world.group,
        world.viewer,
        Role.TENANT_ADMIN,
        tenant=world.tenant_b,
        origin=Origin.LDAP,
        actor=SYSTEM,
        at=AT,
    )
    page = f"{LIST}tenants/{world.tenant_b.pk}/"
    assert "Comes from LDAP: change it there." in text(owner, page)
    assert owner.post(f"{page}end/", {"row": given.pk}).status_code == 404
    assert Membership.objects.filter(pk=given.pk).exists()


def test_an_owner_names_somebody_for_a_policy(world: World, owner: Client, core: Policy) -> None:
    page = f"{LIST}policies/{core.pk}/"
    assert owner.post(f"{page}name/", {"person": "viewer"}).status_code == 303
    assert "viewer" in text(owner, f"{LIST}policies/")
    row = PolicyOwner.objects.get()
    assert owner.post(f"{page}end/", {"row": row.pk}).status_code == 303
    assert not PolicyOwner.objects.exists()


def test_a_policy_is_for_somebody_who_reaches_the_whole_group(
    world: World, owner: Client, core: Policy
) -> None:
    answer = owner.post(f"{LIST}policies/{core.pk}/name/", {"person": "tenant-admin"})
    assert answer.status_code == 422
    assert "no role that reaches all of Acme" in answer.content.decode()


def test_viewers_see_and_do_not_name_and_tenant_admins_see_their_own_tenants(
    world: World, client: Client, core: Policy
) -> None:
    client.force_login(world.viewer)
    assert "tenant-b" in text(client)
    assert "Name somebody" not in text(client, f"{LIST}tenants/{world.tenant_a.pk}/")
    client.force_login(world.tenant_admin)
    page = text(client)
    assert ("tenant-a" in page, "tenant-b" in page, "Policies" in page) == (True, False, False)
    for path in (f"tenants/{world.tenant_b.pk}/", "problems/", "policies/", f"policies/{core.pk}/"):
        assert client.get(f"{LIST}{path}").status_code == 404


def test_the_page_costs_the_same_however_many_tenants_there_are(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(40) as few:
        text(owner)
    for number in range(12):
        tenant = factories.tenant(world.group, f"t-{number}")
        factories.member(world.group, f"a-{number}", Role.TENANT_ADMIN, of=tenant)
    with django_assert_max_num_queries(len(few)):
        text(owner)


def test_where_everybody_can_be_told_the_page_says_so(world: World, owner: Client) -> None:
    assert problems(world) == []
    assert "Everybody can be told" in text(owner, f"{LIST}problems/")


def test_a_tenant_in_drift_that_nobody_answers_for_is_a_problem(world: World, owner: Client) -> None:
    plugin = factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])
    rule = policy(world, "core", "remind")
    for tenant in (world.tenant_a, world.tenant_b):
        find(tenant, plugin, rule)
    assert problems(world) == [("Nobody responsible", "tenant-b")]
    page = text(owner, f"{LIST}problems/")
    assert "1 finding and nobody who is told of them but the owners" in page
    assert f'href="{LIST}tenants/{world.tenant_b.pk}/"' in page
    with time_machine.travel(AT, tick=False):
        assert f'href="{LIST}problems/"' in text(owner, "/g/acme/")
    owner.force_login(world.viewer)
    read = text(owner, f"{LIST}problems/")
    assert "An owner can see to it: Name somebody responsible." in read
    assert f'href="{LIST}tenants/{world.tenant_b.pk}/"' not in read
    for settled in ("accepted", "set_aside"):
        Finding.objects.filter(tenant=world.tenant_b).update(status=settled)
        assert problems(world) == []


def test_people_without_an_address_for_what_they_chose_are_a_problem(world: World) -> None:
    User.objects.filter(pk=world.tenant_admin.pk).update(email="")
    assert problems(world) == [("No address", "tenant-admin")]


def test_an_address_that_fails_is_named_to_owners_and_masked_for_others(world: World, owner: Client) -> None:
    outbox.post(
        Destination.EMAIL,
        {},
        group_id=world.group.pk,
        idempotency_key="m",
        at=AT,
        address="owner@example.org",
    )
    OutboxMessage.objects.update(status="dead")
    assert "to owner@example.org given up" in text(owner, f"{LIST}problems/")
    owner.force_login(world.viewer)
    page = text(owner, f"{LIST}problems/")
    assert "to …@example.org given up" in page
    assert "owner@" not in page


def test_people_who_are_disabled_and_still_responsible_are_a_problem(world: World) -> None:
    DirectoryPerson.objects.create(
        group=world.group, user=world.tenant_admin, origin=Origin.LDAP, disabled=True
    )
    User.objects.filter(pk=world.viewer.pk).update(is_active=False)
    assert problems(world) == [("Disabled", "tenant-admin"), ("Disabled", "viewer")]


def test_an_address_that_mail_comes_back_from_is_a_problem_until_one_gets_through(world: World) -> None:
    def post(key: str, at: Any, **came_of_it: Any) -> None:
        mail = {"group_id": world.group.pk, "address": world.owner.email, "at": at}
        outbox.post(Destination.EMAIL, {}, idempotency_key=key, **mail)
        OutboxMessage.objects.filter(idempotency_key=key).update(**came_of_it)

    post("lost", AT, status="dead")
    assert problems(world) == [("Can’t be delivered", "owner")]
    post("through", AT + timedelta(hours=1), status="delivered", delivered_at=AT + timedelta(hours=1))
    assert problems(world) == []


def test_a_chat_that_takes_nothing_is_a_problem_until_one_gets_through(world: World, owner: Client) -> None:
    Preferences.objects.create(user=world.viewer, channels=["chat"], chat="tgram://123456789:abc/1")
    team = TeamChat.objects.create(group=world.group, name="ops", address="tgram://123456789:abc/2")

    def post(key: str, at: Any, **came_of_it: Any) -> None:
        said: Any = {"title": "t", "text": "t", "key": key, "at": at}
        chats.post_to_person(world.viewer, group_id=world.group.pk, **said)
        chats.post_to_team(team, **said)
        OutboxMessage.objects.filter(created_at=at).update(**came_of_it)

    post("lost", AT, status="dead")
    assert problems(world) == [("Can’t be delivered", "viewer"), ("Can’t be delivered", "Team chat ops")]
    page = text(owner, f"{LIST}problems/")
    assert f'href="{LIST}people/{world.viewer.pk}/"' in page
    assert 'href="/g/acme/chats/">See to its address' in page
    assert "tgram" not in page
    owner.force_login(world.viewer)
    assert "See to its address" in (read := text(owner, f"{LIST}problems/"))
    assert 'href="/g/acme/chats/"' not in read
    post("through", AT + timedelta(hours=1), status="delivered", delivered_at=AT + timedelta(hours=1))
    assert problems(world) == []


def test_a_chat_that_nobody_uses_any_more_is_no_problem(world: World) -> None:
    wanted = Preferences.objects.create(user=world.viewer, channels=["chat"], chat="tgram://123456789:abc/1")
    team = TeamChat.objects.create(group=world.group, name="ops", address="tgram://123456789:abc/2")
    said: Any = {"title": "t", "text": "t", "key": "k", "at": AT}
    chats.post_to_person(world.viewer, group_id=world.group.pk, **said)
    chats.post_to_team(team, **said)
    OutboxMessage.objects.update(status="dead")
    Preferences.objects.filter(pk=wanted.pk).update(channels=["in_app"])
    chats.end(team, actor=SYSTEM, at=AT)
    assert problems(world) == []


def test_who_answers_for_a_policy_without_reaching_the_group_is_a_problem(world: World, core: Policy) -> None:
    PolicyOwner.objects.create(group=world.group, user=world.tenant_admin, policy="core", origin=Origin.LDAP)
    assert problems(world) == [("Out of reach", "tenant-admin")]


def test_ldap_that_fails_or_that_nobody_looks_into_is_a_problem(world: World) -> None:
    sync = DirectorySync.objects.create(group=world.group, tried_at=AT, succeeded_at=AT)
    assert problems(world) == []
    DirectorySync.objects.filter(pk=sync.pk).update(succeeded_at=AT - timedelta(days=2))
    assert problems(world) == [("LDAP", "LDAP")]
    DirectorySync.objects.filter(pk=sync.pk).update(problem="It is away.", succeeded_at=None)
    (one,) = unreached.found(world.access(world.owner), at=AT)
    assert "It is away. What it gave before stands" in one.says


def test_what_ldap_names_in_vain_is_a_problem(world: World) -> None:
    names = ["ann: responsible for the tenant tenant-z"]
    DirectorySync.objects.create(group=world.group, tried_at=AT, succeeded_at=AT, unmatched=names)
    assert problems(world) == [("No such tenant", "LDAP")]


def test_a_tenant_admin_learns_nothing_of_problems(world: World) -> None:
    User.objects.filter(pk=world.tenant_admin.pk).update(email="")
    assert unreached.found(world.access(world.tenant_admin), at=AT) == []
