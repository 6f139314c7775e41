"""People in the directory: an owner names a deputy, mends an address, and enables whom LDAP left disabled."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance import unreached
from governance.models import Configuration
from tenants import deputies
from tenants.models import Deputy, DirectoryPerson, Group, Membership, Origin, Preferences, Role, User
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/directory/people/"


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def path(person: User, verb: str = "") -> str:
    return f"{LIST}{person.pk}/{verb}"


def text(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def name(client: Client, person: User, deputy: str, **days: int) -> Any:
    first, last = (AT.date() + timedelta(days=days.get(key, 0)) for key in ("first", "last"))
    given = {"deputy": deputy, "starts_on": str(first), "ends_on": str(last)}
    return client.post(path(person, "deputy/"), given)


def disabled(world: World, person: User) -> DirectoryPerson:
    return DirectoryPerson.objects.create(group=world.group, user=person, origin=Origin.LDAP, disabled=True)


def test_everybody_with_a_role_is_listed_with_what_they_are(world: World, owner: Client) -> None:
    page = text(owner, LIST)
    for said in ("tenant-admin", "Tenant admin of tenant-a", world.owner.email):
        assert said in page
    assert world.outsider.username not in page
    assert ">owner</a>" in text(owner, f"{LIST}?q=owner")
    assert "Nobody" in text(owner, f"{LIST}?q=unheard-of") or "Nothing" in text(owner, f"{LIST}?q=unheard-of")


def test_any_number_of_people_costs_the_same(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(60) as few:
        text(owner, LIST)
    for number in range(6):
        factories.member(world.group, f"person-{number}", Role.EDITOR)
    with django_assert_max_num_queries(len(few)):
        text(owner, LIST)


def test_an_auditor_reads_who_is_there_without_the_names_in_addresses(world: World, client: Client) -> None:
    deputies.appoint(
        world.group, world.owner, "viewer", starts_on=AT.date(), ends_on=AT.date(), actor=SYSTEM, at=AT
    )
    client.force_login(world.viewer)
    for page in (text(client, LIST), text(client, f"{LIST}?q=owner"), text(client, path(world.owner))):
        assert "…@example.org" in page
        assert "owner@" not in page
    assert "2 March 2026" in text(client, path(world.owner))
    assert f'<form class="card mb-3" method="post" action="{path(world.owner)}' not in page
    assert ">owner</a>" not in text(client, f"{LIST}?q=example.org")
    assert 'href="/g/acme/directory/people/"' in text(client, "/g/acme/directory/")
    for verb in ("address/", "enable/", "deputy/", "deputy/end/"):
        assert client.post(path(world.owner, verb), {"email": "x@example.org"}).status_code == 404


def test_tenant_admins_find_none_of_it_and_others_people_are_not_there(world: World, client: Client) -> None:
    client.force_login(world.tenant_admin)
    assert client.get(LIST).status_code == client.get(path(world.owner)).status_code == 404
    client.force_login(world.owner)
    assert client.get(path(world.outsider)).status_code == 404
    assert client.post(path(world.outsider, "address/"), {"email": "x@example.org"}).status_code == 404


def test_an_owner_names_a_deputy_for_somebody_who_is_away_and_both_are_told(
    world: World, owner: Client
) -> None:
    Preferences.objects.create(user=world.viewer, language="zh")
    assert name(owner, world.tenant_admin, "viewer", last=7).status_code == 303
    row = Deputy.objects.get()
    assert (row.person, row.deputy, row.appointed_by_name) == (world.tenant_admin, world.viewer, "owner")
    assert Entry.objects.get(action="deputy.appointed").actor_name == "owner"
    [message] = OutboxMessage.objects.filter(destination=Destination.NOTIFY)
    told = {one["user"]: one for one in message.payload["recipients"]}
    assert set(told) == {"tenant-admin", "viewer"}
    assert told["tenant-admin"]["subject"] == "Acme: viewer stands in for tenant-admin"
    assert "owner has named viewer" in told["tenant-admin"]["text"]
    assert told["viewer"]["subject"] == "Acme：viewer 代理 tenant-admin"
    assert "named by owner" in text(owner, path(world.tenant_admin))


@pytest.mark.parametrize(("over", "told"), [(False, {"tenant-admin", "viewer"}), (True, set())])
def test_an_owner_dismisses_a_deputy_and_both_are_told_once_in_their_language_unless_it_was_over(
    world: World, owner: Client, over: bool, told: set[str]
) -> None:
    Preferences.objects.create(user=world.viewer, language="zh")
    name(owner, world.tenant_admin, "viewer", last=7)
    row = Deputy.objects.get()
    Deputy.objects.update(ends_on=timezone.now() + timedelta(days=-2 if over else 2), starts_on=AT.date())
    codes = [owner.post(path(world.tenant_admin, "deputy/end/"), {"deputy": row.pk}) for _ in range(2)]
    assert [one.status_code for one in codes] == [303, 404]
    assert not Deputy.objects.exists()
    assert Entry.objects.get(action="deputy.ended").actor_name == "owner"
    messages = OutboxMessage.objects.filter(idempotency_key=f"deputy-{row.pk}-ended")
    words = {one["user"]: one["text"] for message in messages for one in message.payload["recipients"]}
    assert set(words) == told
    if told:
        assert "owner has ended that viewer stands in for tenant-admin" in words["tenant-admin"]
        assert "owner 已终止 viewer" in words["viewer"]


def test_those_who_may_stand_in_are_offered_by_name(world: World, owner: Client) -> None:
    page = text(owner, path(world.tenant_admin))
    assert 'list="who-may-stand-in"' in page
    assert '<option value="viewer">' in page
    assert '<option value="tenant-admin">' not in page
    owner.force_login(world.tenant_admin)
    own = text(owner, "/g/acme/preferences/")
    assert '<option value="viewer">' not in own, "a tenant admin is told of nobody else’s people"


def test_who_cannot_stand_in_is_refused_with_the_reason_and_nobody_is_told(
    world: World, owner: Client
) -> None:
    refused = name(owner, world.tenant_admin, "unheard-of")
    assert refused.status_code == 422
    assert "Nobody called “unheard-of”" in refused.content.decode()
    assert name(owner, world.tenant_admin, "viewer", first=3, last=1).status_code == 422
    assert not OutboxMessage.objects.exists()
    assert owner.post(path(world.owner, "deputy/end/"), {"deputy": "x"}).status_code == 404


def test_an_owner_mends_an_address_and_the_problem_is_gone(world: World, owner: Client) -> None:
    User.objects.filter(pk=world.tenant_admin.pk).update(email="")
    [problem] = [one for one in unreached.found(world.access(world.owner), at=AT) if one.kind == "No address"]
    assert (problem.link, problem.pk) == ("person_detail", world.tenant_admin.pk)
    assert path(world.tenant_admin) in text(owner, "/g/acme/directory/problems/")
    for _ in range(2):
        owner.post(path(world.tenant_admin, "address/"), {"email": "new@example.org"})
    assert User.objects.get(pk=world.tenant_admin.pk).email == "new@example.org"
    [entry] = Entry.objects.filter(action="person.changed")
    assert entry.data == {"origin": "hand", "address": "new@example.org"}
    assert "No address" not in {one.kind for one in unreached.found(world.access(world.owner), at=AT)}


@pytest.mark.parametrize("email", ["nonsense", "a@b@example.org"])
def test_what_is_no_address_is_refused(world: World, owner: Client, email: str) -> None:
    refused = owner.post(path(world.tenant_admin, "address/"), {"email": email})
    assert refused.status_code == 422
    assert "valid email" in refused.content.decode()


def test_an_address_that_comes_from_elsewhere_is_changed_there(world: World, owner: Client) -> None:
    DirectoryPerson.objects.create(
        group=world.group, user=world.viewer, origin=Origin.FILE, account_made=True
    )
    refused = owner.post(path(world.viewer, "address/"), {"email": "new@example.org"})
    assert refused.status_code == 422
    assert "follows the directory file" in refused.content.decode()


def test_the_account_of_other_groups_too_is_not_one_owners_to_change(world: World, owner: Client) -> None:
    before = world.viewer.email
    elsewhere = Group.objects.get(slug="elsewhere")
    Membership.objects.create(group=elsewhere, user=world.viewer, role=Role.EDITOR)
    refused = owner.post(path(world.viewer, "address/"), {"email": "mine@example.org"})
    assert refused.status_code == 422
    assert User.objects.get(pk=world.viewer.pk).email == before
    Membership.objects.create(group=elsewhere, user=world.owner, role=Role.OWNER)
    assert owner.post(path(world.viewer, "address/"), {"email": "mine@example.org"}).status_code == 303


def test_whom_ldap_left_disabled_is_enabled_by_hand_once_it_is_read_no_more(
    world: World, owner: Client
) -> None:
    row = disabled(world, world.viewer)
    configured = Configuration.objects.create(group=world.group, directory={"ldap": {}}, applied_at=AT)
    assert "enable them there" in text(owner, path(world.viewer))
    kept = owner.post(path(world.viewer, "enable/"), follow=True)
    assert "is still read" in kept.content.decode()
    row.refresh_from_db()
    assert row.disabled
    Configuration.objects.filter(pk=configured.pk).update(directory={})
    assert "Enable them</button>" in text(owner, path(world.viewer))
    for _ in range(2):
        owner.post(path(world.viewer, "enable/"))
    row.refresh_from_db()
    assert not row.disabled
    [entry] = Entry.objects.filter(action="person.changed")
    assert (entry.subject_label, entry.data) == ("viewer", {"origin": "hand", "disabled": False})
    owner.force_login(world.viewer)
    assert owner.get("/g/acme/plans/").status_code == 200
