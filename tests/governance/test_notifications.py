"""Digests, the inbox and e-mail."""

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from django.test import Client

from audit import outbox
from audit.actions import Action
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance import delivery, notifications
from governance.models import (
    Conflict,
    ConflictTenant,
    Finding,
    Notification,
    Plugin,
    Policy,
    PolicyVersion,
    Rule,
    Run,
    Selection,
    Told,
)
from governance.notifications import NotificationRefused
from tenants import groups, reach
from tenants.models import Role, Tenant, User
from tests import factories
from tests.factories import AT, World

DUE = AT + timedelta(days=7)


def policy(world: World, name: str, mode: str, **notify: bool) -> Rule:
    """A policy in force with one rule."""
    made = Policy.objects.create(group=world.group, name=name, status=Policy.Status.ACTIVE)
    made.current = PolicyVersion.objects.create(
        policy=made, number=1, document={}, profile={"mode": mode, "notify": notify}, created_at=AT
    )
    made.save()
    selection, _ = Selection.objects.get_or_create(group=world.group, digest="all", document={})
    return Rule.objects.create(
        group=world.group,
        policy=made,
        version=made.current,
        key="core",
        kind="range",
        mode=mode,
        selection=selection,
    )


def find(tenant: Tenant, plugin: Plugin, rule: Rule, **fields: Any) -> Finding:
    versions = {"release": factories.release(plugin, "2.3.0"), "target": factories.release(plugin, "2.4.0")}
    known = {"opened_at": AT, "opened_snapshot": 1, "due_at": DUE, **versions, **fields}
    return Finding.objects.create(
        group=rule.group,
        tenant=tenant,
        plugin=plugin,
        policy=rule.policy,
        rule=rule,
        rule_key=rule.key,
        **known,
    )


def run(world: World, number: int = 1) -> Run:
    return Run.objects.create(
        group=world.group,
        number=number,
        trigger="hand",
        status="completed",
        started_by_name="x",
        started_at=AT,
    )


def sent(run: Run) -> dict[str, dict[str, Any]]:
    """The recipients of the run's digests by name."""
    rows = OutboxMessage.objects.filter(idempotency_key__startswith=f"digest-{run.pk}-")
    found = [recipient for row in rows for recipient in row.payload["recipients"]]
    return {recipient["user"]: recipient for recipient in found}


def deliver(run: Run) -> None:
    """Hand the run's digests to Plumbline's own end of the contract."""
    for row in OutboxMessage.objects.filter(idempotency_key__startswith=f"digest-{run.pk}-"):
        notifications.receive(row.group_id, row.payload, idempotency_key=row.idempotency_key, at=AT)


def message(world: World, user: User, key: str = "one", **fields: Any) -> dict[str, Any]:
    recipient = {"user": user.username, "subject": "Hello", "text": "Read this.", "key": key, **fields}
    return notifications.receive(
        world.group.pk, {"kind": "reminder", "recipients": [recipient]}, idempotency_key=key, at=AT
    )


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "powerx-crm-plugin", ["2.3.0", "2.4.0"])


@pytest.fixture
def drift(world: World, crm: Plugin) -> World:
    """Both tenants are behind under one policy that enforces."""
    rule = policy(world, "core-plugins", "enforce")
    find(world.tenant_a, crm, rule)
    find(world.tenant_b, crm, rule, status="planned")
    return world


def test_each_person_concerned_gets_one_digest(drift: World) -> None:
    first = run(drift)
    assert notifications.send_digests(first, at=AT) == 2
    assert sorted(sent(first)) == ["owner", "tenant-admin"]


def test_a_tenant_admins_digest_names_versions_policy_and_due_date(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    digest = sent(first)["tenant-admin"]
    assert digest["tenant"] == "tenant-a"
    assert digest["due_at"] == DUE.isoformat()
    assert digest["lines"] == [
        {
            "tenant": "tenant-a",
            "plugin": "powerx-crm-plugin",
            "from": "2.3.0",
            "to": "2.4.0",
            "policy": "core-plugins",
            "due_at": DUE.isoformat(),
            "status": "new",
            "says": "An upgrade will be planned; nothing for you to do.",
        }
    ]
    assert "powerx-crm-plugin 2.3.0 -> 2.4.0, policy core-plugins, due 2026-03-09" in digest["text"]


def test_nothing_about_another_tenant_is_in_a_tenant_admins_digest(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    assert "tenant-b" not in str(sent(first)["tenant-admin"])


def test_an_owners_digest_has_the_groups_figures_and_the_tenants_that_nobody_answers_for(
    drift: World,
) -> None:
    first = run(drift)
    notifications.send_digests(first, at=DUE + timedelta(days=1))
    digest = sent(first)["owner"]
    assert digest["subject"] == "Acme: 2 findings in 2 tenants"
    assert "2 open findings in 2 tenants, 2 of them past the due date" in digest["text"]
    assert "no tenant admin to tell: tenant-b" in digest["text"]


def test_a_conflict_is_put_before_the_owner_as_a_decision(drift: World, crm: Plugin) -> None:
    explanation = {"summary": "A hold and a range exclude each other", "rules": [{"policy": "hold-b"}]}
    conflict = Conflict.objects.create(
        group=drift.group, fingerprint="f", plugin=crm, explanation=explanation, found_at=AT
    )
    ConflictTenant.objects.create(group=drift.group, conflict=conflict, tenant=drift.tenant_b)
    first = run(drift)
    notifications.send_digests(first, at=AT)
    digest = sent(first)["owner"]
    assert digest["subject"].endswith("1 decision waiting")
    assert "A hold and a range exclude each other (1 tenant)" in digest["text"]
    assert digest["lines"][0]["status"] == "needs_decision"
    kinds = OutboxMessage.objects.filter(payload__recipients__0__user="owner")
    assert [row.payload["kind"] for row in kinds] == ["decision"]
    assert "exclude each other" not in str(sent(first)["tenant-admin"])


def test_drift_of_a_policy_that_only_observes_is_told_to_nobody(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "watched", "observe"))
    assert notifications.send_digests(run(world), at=AT) == 0


def test_accepted_drift_is_told_to_nobody(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "core", "remind"), status="accepted")
    assert notifications.send_digests(run(world), at=AT) == 0


def test_a_paused_policy_tells_nobody(drift: World) -> None:
    Policy.objects.filter(name="core-plugins").update(status=Policy.Status.PAUSED)
    assert notifications.send_digests(run(drift), at=AT) == 0


def test_a_profile_decides_who_is_told(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "quiet", "remind", owners=False))
    first = run(world)
    notifications.send_digests(first, at=AT)
    assert list(sent(first)) == ["tenant-admin"]
    assert "Please bring it into line." in sent(first)["tenant-admin"]["text"]


def test_asked_again_the_same_run_writes_nothing_more(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    entries = Entry.objects.count()
    assert notifications.send_digests(first, at=AT) == 2
    assert OutboxMessage.objects.filter(destination=Destination.NOTIFY).count() == 2
    assert Entry.objects.count() == entries


def test_a_later_run_without_news_tells_nobody(drift: World) -> None:
    notifications.send_digests(run(drift), at=AT)
    assert notifications.send_digests(run(drift, 2), at=AT) == 0


def test_less_drift_is_no_news(world: World, crm: Plugin) -> None:
    rule, other = policy(world, "core", "enforce"), factories.plugin(world.group, "odd", ["2.3.0", "2.4.0"])
    find(world.tenant_a, crm, rule)
    gone = find(world.tenant_a, other, rule)
    notifications.send_digests(run(world), at=AT)
    Finding.objects.filter(pk=gone.pk).update(status="resolved", closed_at=AT)
    assert notifications.send_digests(run(world, 2), at=AT) == 0


def test_what_went_away_and_comes_back_is_news(world: World, crm: Plugin) -> None:
    finding = find(world.tenant_a, crm, policy(world, "core", "enforce"))
    notifications.send_digests(run(world), at=AT)
    Finding.objects.filter(pk=finding.pk).update(status="resolved", closed_at=AT)
    notifications.send_digests(run(world, 2), at=AT)
    assert Told.objects.exclude(news=[]).count() == 0
    Finding.objects.filter(pk=finding.pk).update(status="new", closed_at=None)
    assert notifications.send_digests(run(world, 3), at=AT) == 2


def test_passing_the_due_date_is_news(drift: World) -> None:
    notifications.send_digests(run(drift), at=AT)
    assert notifications.send_digests(run(drift, 2), at=DUE + timedelta(minutes=1)) == 2


def test_a_run_of_one_policy_tells_of_that_one_and_forgets_no_other(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "core", "enforce"))
    find(world.tenant_a, crm, policy(world, "other", "enforce"))
    assert notifications.send_digests(run(world), at=AT) == 2
    one = run(world, 2)
    one.policy_names = ["other"]
    assert notifications.send_digests(one, at=AT) == 0
    assert notifications.send_digests(run(world, 3), at=AT) == 0


def test_every_digest_is_in_the_ledger(drift: World) -> None:
    notifications.send_digests(run(drift), at=AT)
    entries = Entry.objects.filter(action=Action.NOTIFICATION_SENT).order_by("sequence")
    assert [(entry.data["person"], entry.tenant_id) for entry in entries] == [
        ("owner", None),
        ("tenant-admin", drift.tenant_a.pk),
    ]


def test_a_delivered_digest_is_in_the_inbox_and_on_its_way_by_mail(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    deliver(first)
    inbox = Notification.objects.within(drift.access(drift.tenant_admin))
    assert [(row.tenant, row.due_at) for row in inbox] == [(drift.tenant_a, DUE)]
    mails = OutboxMessage.objects.filter(destination=Destination.EMAIL)
    assert sorted(mails.values_list("address", flat=True)) == [
        "owner@example.org",
        "tenant-admin@example.org",
    ]


def test_a_digest_that_arrives_twice_is_kept_and_mailed_once(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    deliver(first)
    deliver(first)
    assert Notification.objects.count() == 2
    assert OutboxMessage.objects.filter(destination=Destination.EMAIL).count() == 2


def test_people_of_elsewhere_are_refused_by_name(world: World) -> None:
    answer = message(world, world.outsider)
    assert answer["accepted"] == []
    assert answer["refused"][0]["user"] == "outsider"
    assert "nobody of that name belongs to Acme" in answer["refused"][0]["reason"]
    assert not Notification.objects.exists()


@pytest.mark.parametrize("fields", [{"tenant": "tenant-b"}, {"lines": [{"tenant": "tenant-b"}]}])
def test_what_speaks_of_a_tenant_out_of_reach_is_refused(world: World, fields: dict[str, Any]) -> None:
    answer = message(world, world.tenant_admin, **fields)
    assert "tenant-b is out of the reader's reach" in answer["refused"][0]["reason"]
    assert message(world, world.owner, **fields)["refused"] == []


@pytest.mark.parametrize("fields", [{"link": "javascript:alert(1)"}, {"due_at": "2026-03-09"}])
def test_a_link_or_time_that_makes_no_sense_is_refused(world: World, fields: dict[str, Any]) -> None:
    assert len(message(world, world.owner, **fields)["refused"]) == 1


def test_a_payload_that_is_not_the_contracts_is_refused_whole(world: World) -> None:
    for payload in (
        {"kind": "gossip"},
        {"kind": "alert", "recipients": []},
        {"kind": "alert", "recipients": [{}]},
    ):
        with pytest.raises(NotificationRefused):
            notifications.receive(world.group.pk, payload, idempotency_key="k", at=AT)


def test_mail_goes_to_the_address_that_is_known(world: World) -> None:
    message(world, world.owner, email="someone@elsewhere.example")
    assert OutboxMessage.objects.get(destination=Destination.EMAIL).address == "owner@example.org"


def test_acknowledging_is_in_the_ledger_once_and_means_read(world: World) -> None:
    message(world, world.tenant_admin, tenant="tenant-a")
    row = Notification.objects.get()
    access = world.access(world.tenant_admin)
    assert notifications.unread_count(access) == 1
    for _ in range(2):
        notifications.acknowledge(row, actor=access.actor, at=AT)
    assert notifications.unread_count(access) == 0
    entry = Entry.objects.get(action=Action.REMINDER_ACKNOWLEDGED)
    assert (entry.actor_name, entry.tenant_id) == ("tenant-admin", world.tenant_a.pk)


class Mailbox:
    """What a mail server got."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], Message]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append((envelope.rcpt_tos, message_from_bytes(envelope.content)))
        return "250 taken"


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    """A real mail server that the product sends to."""
    taken = Mailbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(taken, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    yield taken
    server.stop()


def test_a_digest_reaches_its_reader_by_real_mail(drift: World, mailbox: Mailbox) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    done = delivery.deliver_due(at=AT)
    assert (done.delivered, done.postponed) == (4, 0)  # two digests, and the mail that each becomes
    by_reader = {readers[0]: mail for readers, mail in mailbox.mails}
    mail = by_reader["tenant-admin@example.org"]
    assert mail["Subject"] == "tenant-a: 1 finding"
    plain, html = (part.get_payload(decode=True).decode() for part in mail.get_payload())  # type: ignore[union-attr]
    assert "powerx-crm-plugin 2.3.0 -> 2.4.0" in plain
    assert "/g/acme/notifications/" in plain
    assert re.search(r"<td>2\.3\.0</td><td>2\.4\.0</td>", html)
    assert "tenant-b" not in plain + html


def test_a_mail_server_that_is_away_is_asked_again_later(world: World, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    message(world, world.owner)
    assert delivery.deliver_due(at=AT) == outbox.Delivery(postponed=1)
    assert "refused" in OutboxMessage.objects.get().last_error


@pytest.fixture
def inbox(world: World) -> World:
    message(world, world.tenant_admin, "one", tenant="tenant-a", subject="One <b>thing</b>")
    message(world, world.owner, "two", subject="Another thing")
    return world


def test_the_inbox_shows_the_actors_own_messages_only(client: Client, inbox: World) -> None:
    client.force_login(inbox.tenant_admin)
    page = client.get("/g/acme/notifications/").content.decode()
    assert "One &lt;b&gt;thing&lt;/b&gt;" in page
    assert "Another thing" not in page


def test_someone_elses_message_is_not_there(client: Client, inbox: World) -> None:
    client.force_login(inbox.tenant_admin)
    other = Notification.objects.get(user=inbox.owner)
    for verb in ("", "read/", "acknowledge/"):
        address = f"/g/acme/notifications/{other.pk}/{verb}"
        answer = client.post(address) if verb else client.get(address)
        assert answer.status_code == 404


def test_looking_at_a_message_changes_nothing_until_the_page_says_it_was_read(
    client: Client, inbox: World
) -> None:
    client.force_login(inbox.owner)
    row = Notification.objects.get(user=inbox.owner)
    page = client.get(f"/g/acme/notifications/{row.pk}/").content.decode()
    assert "Read this." in page
    row.refresh_from_db()
    assert row.read_at is None
    part = client.post(f"/g/acme/notifications/{row.pk}/read/", headers={"HX-Request": "true"})
    assert "Unread" not in part.content.decode()
    row.refresh_from_db()
    assert row.read_at is not None


def test_a_message_is_acknowledged_from_the_inbox(client: Client, inbox: World) -> None:
    client.force_login(inbox.tenant_admin)
    row = Notification.objects.get(user=inbox.tenant_admin)
    answer = client.post(f"/g/acme/notifications/{row.pk}/acknowledge/", headers={"HX-Request": "true"})
    assert "Acknowledged" in answer.content.decode()
    assert client.post(f"/g/acme/notifications/{row.pk}/acknowledge/").status_code == 303
    assert Entry.objects.filter(action=Action.REMINDER_ACKNOWLEDGED).count() == 1


def test_all_messages_are_marked_as_read_at_once(client: Client, inbox: World) -> None:
    client.force_login(inbox.owner)
    assert client.post("/g/acme/notifications/read/").status_code == 303
    assert notifications.unread_count(inbox.access(inbox.owner)) == 0
    assert notifications.unread_count(inbox.access(inbox.tenant_admin)) == 1


def test_the_inbox_is_narrowed_by_what_was_done_about_a_message(client: Client, inbox: World) -> None:
    client.force_login(inbox.owner)
    notifications.mark_all_read(inbox.access(inbox.owner), at=AT)
    assert "Another thing" not in client.get("/g/acme/notifications/?state=unread").content.decode()
    assert "Another thing" in client.get("/g/acme/notifications/?state=open").content.decode()
    assert "No messages" not in client.get("/g/acme/notifications/?q=another").content.decode()


def test_a_person_of_two_roles_reaches_every_tenant(world: World) -> None:
    groups.add_member(world.group, world.tenant_admin, Role.AUDITOR, actor=SYSTEM, at=AT)
    assert reach.access_of_person(world.tenant_admin, "acme") is not None
    assert message(world, world.tenant_admin, tenant="tenant-b")["refused"] == []
