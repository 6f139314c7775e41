"""The ledger in the console."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from audit import ledger
from audit.actions import Action
from audit.models import Entry
from config.access import SYSTEM, Actor, ActorKind
from governance.models import Policy
from tenants import people
from tests.factories import AT, World

LIST = "/g/acme/ledger/"
ADA = Actor(ActorKind.PERSON, 7, "Ada Lovelace")


@pytest.fixture
def written(world: World) -> World:
    """A policy was applied by the system and paused by Ada; a tenant was changed."""
    policy = Policy.objects.create(group=world.group, name="core-plugins")
    ledger.record(Action.POLICY_APPLIED, subject=policy, actor=SYSTEM, at=AT, data={"version": 3})
    ledger.record(Action.POLICY_PAUSED, subject=policy, actor=ADA, at=AT + timedelta(days=3))
    ledger.record(
        Action.TENANT_CHANGED, subject=world.tenant_b, actor=ADA, at=AT, tenant_id=world.tenant_b.pk
    )
    return world


def rows(client: Client, query: str = "") -> list[str]:
    """The labels of the actions on the page, from its listing."""
    answer: Any = client.get(f"{LIST}{query}")
    return [entry.action for entry in answer.context["listing"].rows]


def tampered(world: World, sequence: int, sql: str) -> None:
    """What someone with the database's keys could do behind the ledger's back."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry DISABLE TRIGGER USER")
        cursor.execute(sql, [world.group.pk, sequence])
        cursor.execute("ALTER TABLE audit_entry ENABLE TRIGGER USER")


def test_the_ledger_is_shown_newest_first(client: Client, written: World) -> None:
    client.force_login(written.viewer)
    assert rows(client)[:3] == [Action.TENANT_CHANGED, Action.POLICY_PAUSED, Action.POLICY_APPLIED]


def test_what_an_entry_is_about_is_said_in_words(client: Client, written: World) -> None:
    client.force_login(written.viewer)
    for kind in ("upgradetask", "disagreement"):
        ledger.record_many(
            [ledger.Record(Action.TASK_CHANGED, kind, "1", "tenant-b in Plan 1")],
            group_id=written.group.pk,
            actor=SYSTEM,
            at=AT,
        )
    page = client.get(LIST).content.decode()
    assert '<div class="text-secondary">upgrade task</div>' in page
    assert '<div class="text-secondary">disagreement</div>' in page, "no model has that name"
    task = Entry.objects.get(subject_kind="upgradetask")
    assert "tenant-b in Plan 1 (upgrade task)" in client.get(f"{LIST}{task.sequence}/").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?action=policy.paused", [Action.POLICY_PAUSED]),
        ("?q=core-plugins&sort=sequence", [Action.POLICY_APPLIED, Action.POLICY_PAUSED]),
        ("?actor_name=lovelace&sort=action", [Action.POLICY_PAUSED, Action.TENANT_CHANGED]),
        ("?actor_kind=person&tenant=tenant-b", [Action.TENANT_CHANGED]),
        ("?since=2026-03-05", [Action.POLICY_PAUSED]),
        ("?action=policy.paused&until=2026-03-04", []),
    ],
)
def test_the_ledger_is_narrowed_and_sorted(
    client: Client, written: World, query: str, expected: list[str]
) -> None:
    client.force_login(written.owner)
    assert rows(client, query) == expected


def test_a_page_of_the_ledger_costs_the_same_however_many_entries(
    client: Client, written: World, django_assert_max_num_queries: Any
) -> None:
    client.force_login(written.owner)
    for _ in range(30):
        ledger.record(Action.GROUP_CHANGED, subject=written.group, actor=ADA, at=AT)
    with django_assert_max_num_queries(10):
        client.get(LIST)


def test_a_tenant_admin_and_an_outsider_find_no_ledger(client: Client, written: World) -> None:
    for user in (written.tenant_admin, written.outsider):
        client.force_login(user)
        assert client.get(LIST).status_code == 404
        assert client.get(f"{LIST}1/").status_code == 404
        assert client.post(f"{LIST}verify/").status_code == 404


def test_another_groups_entries_are_not_there(client: Client, written: World) -> None:
    client.force_login(written.outsider)
    answer: Any = client.get("/g/elsewhere/ledger/")
    assert {entry.group_id for entry in answer.context["listing"].rows} == {
        written.outsider.memberships.get().group_id
    }


def test_an_entry_shows_what_it_says_and_what_else_is_about_its_subject(
    client: Client, written: World
) -> None:
    client.force_login(written.viewer)
    applied = Entry.objects.get(action=Action.POLICY_APPLIED)
    page = client.get(f"{LIST}{applied.sequence}/").content.decode()
    for part in (
        "&quot;version&quot;: 3",
        applied.hash,
        applied.previous_hash,
        "Fits what it says",
        "Policy paused",
    ):
        assert part in page


def test_an_intact_chain_is_said_to_hold(client: Client, written: World) -> None:
    client.force_login(written.viewer)
    count = Entry.objects.filter(group_id=written.group.pk).count()
    part = client.post(f"{LIST}verify/", headers={"HX-Request": "true"}).content.decode()
    assert f"The chain of {count} entries holds" in part
    whole = client.post(f"{LIST}verify/", follow=True).content.decode()
    assert f"The chain of {count} entries holds" in whole


def test_a_changed_entry_is_named(client: Client, written: World) -> None:
    client.force_login(written.viewer)
    tampered(written, 2, "UPDATE audit_entry SET actor_name = 'Eve' WHERE group_id = %s AND sequence = %s")
    part = client.post(f"{LIST}verify/", headers={"HX-Request": "true"}).content.decode()
    assert "2: was changed after it was written" in part
    assert "Doesn’t fit what it says" in client.get(f"{LIST}2/").content.decode()


def test_a_missing_entry_is_named(client: Client, written: World) -> None:
    client.force_login(written.viewer)
    tampered(written, 2, "DELETE FROM audit_entry WHERE group_id = %s AND sequence = %s")
    part = client.post(f"{LIST}verify/", headers={"HX-Request": "true"}).content.decode()
    assert "2: entries 2 to 2 are missing" in part


def test_a_tenant_that_is_gone_leaves_its_entries(client: Client, written: World) -> None:
    gone = written.tenant_b.pk
    written.tenant_b.delete()
    client.force_login(written.viewer)
    assert f"gone (id {gone})" in client.get(LIST).content.decode()


def test_who_only_reads_sees_no_address_there_either(client: Client, written: World) -> None:
    people.change_address(written.group, written.viewer, "new@acme.example", actor=SYSTEM, at=AT)
    entry = Entry.objects.filter(group_id=written.group.pk, action=Action.PERSON_CHANGED).get()
    for reader, reads in ((written.owner, True), (written.viewer, False)):
        client.force_login(reader)
        told = client.get(f"{LIST}{entry.sequence}/").content.decode()
        assert ("new@acme.example" in told) == reads
        assert "Doesn’t fit what it says" not in told
