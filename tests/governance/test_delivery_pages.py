"""What leaves the house, in the console: listed with the reason, and tried again."""

import re
from typing import Any

import pytest
from django.test import Client

from audit import outbox
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from config.access import SYSTEM
from governance import delivery, events
from governance.models import WebhookSubscription
from tenants.models import Role
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/deliveries/"


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def message(
    world: World,
    key: str,
    status: OutboxStatus = OutboxStatus.DEAD,
    destination: Destination = Destination.EMAIL,
    **fields: Any,
) -> OutboxMessage:
    payload = {"subject": f"About {key}", "tenant": "tenant-a"}
    outbox.post(destination, payload, group_id=world.group.pk, idempotency_key=key, at=AT)
    OutboxMessage.objects.filter(idempotency_key=key).update(status=status, **fields)
    return OutboxMessage.objects.get(idempotency_key=key)


def text(client: Client, path: str = LIST) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def shown(page: str) -> list[str]:
    return re.findall(r"<td>About (\S+)</td>", page)


def test_what_was_given_up_is_shown_with_the_reason_and_what_to_do(world: World, owner: Client) -> None:
    message(world, "m", last_error="ConnectError: refused", attempts=12, address="ann@example.org")

    page = text(owner)

    assert "About m" in page
    assert "ann@example.org" in page
    assert "ConnectError: refused" in page
    assert "See to the mail server, then retry." in page
    assert '<td class="num">12</td>' in page


def test_what_was_delivered_is_shown_to_those_who_ask_for_it(world: World, owner: Client) -> None:
    message(world, "waits", OutboxStatus.PENDING)
    message(world, "went", OutboxStatus.DELIVERED)
    message(world, "stuck")

    assert sorted(shown(text(owner))) == ["stuck", "waits"]
    assert shown(text(owner, f"{LIST}?status=delivered")) == ["went"]
    assert len(shown(text(owner, f"{LIST}?status=all"))) == 3
    assert shown(text(owner, f"{LIST}?destination=webhook")) == []


def test_the_reason_of_an_alert_is_told_in_words(world: World, owner: Client) -> None:
    WebhookSubscription.objects.create(group=world.group, name="chat-room", url="https://c.example/")
    events.alert(world.group, "conflict_found", {"conflicts": ["c-1"]}, key="k", at=AT)
    assert "<td>conflict found</td>" in text(owner)


def test_a_webhook_is_called_by_its_name(world: World, owner: Client) -> None:
    chat = WebhookSubscription.objects.create(group=world.group, name="chat-room", url="https://c.example/")
    message(world, "m", destination=Destination.WEBHOOK, address=str(chat.pk))

    assert "chat-room" in text(owner)


def test_a_retry_gives_another_round_and_stands_in_the_ledger(world: World, owner: Client) -> None:
    stuck = message(world, "m", attempts=12, last_error="away")

    assert owner.post(f"{LIST}{stuck.pk}/retry/").status_code == 303

    stuck.refresh_from_db()
    assert (stuck.status, stuck.attempts) == (OutboxStatus.PENDING, 0)
    entry = Entry.objects.get(action="delivery.retried")
    assert (entry.actor_name, entry.subject_label) == ("owner", "About m")
    assert entry.data == {"destination": "email", "key": "m", "error": "away"}


def test_what_is_not_given_up_cannot_be_retried(world: World, owner: Client) -> None:
    waiting = message(world, "m", OutboxStatus.PENDING)

    assert owner.post(f"{LIST}{waiting.pk}/retry/").status_code == 409
    assert not Entry.objects.filter(action="delivery.retried").exists()


def test_an_upgrade_is_left_to_the_next_run(world: World, owner: Client) -> None:
    upgrade = message(world, "m", destination=Destination.ORCHESTRATOR)
    assert "Retry" not in text(owner)

    owner.post(f"{LIST}{upgrade.pk}/retry/")
    owner.post(f"{LIST}retry/")

    upgrade.refresh_from_db()
    assert upgrade.status == OutboxStatus.DEAD
    assert not Entry.objects.filter(action="delivery.retried").exists()


def test_after_an_outage_everything_is_retried_at_once(world: World, owner: Client) -> None:
    for key in ("a", "b"):
        message(world, key)
    message(world, "went", OutboxStatus.DELIVERED)
    assert "Retry all 2 given up" in text(owner)

    owner.post(f"{LIST}retry/")

    assert OutboxMessage.objects.filter(status=OutboxStatus.PENDING).count() == 2
    assert Entry.objects.filter(action="delivery.retried").count() == 2


def test_what_is_retried_at_once_costs_the_same_however_much_it_is(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    message(world, "first")
    with django_assert_max_num_queries(50) as few:
        owner.post(f"{LIST}retry/")
    for number in range(10):
        message(world, f"m-{number}")
    with django_assert_max_num_queries(len(few)):
        owner.post(f"{LIST}retry/")
    assert Entry.objects.filter(action="delivery.retried").count() == 11


def test_each_that_is_retried_stands_in_the_ledger_with_what_it_is_about(world: World, owner: Client) -> None:
    message(world, "m", last_error="away")
    for destination in (Destination.WEBHOOK, Destination.AUDIT):
        message(world, destination, destination=destination)

    owner.post(f"{LIST}retry/")

    entries = Entry.objects.filter(action="delivery.retried")
    assert {entry.subject_label for entry in entries} == {"About m", "About webhook", "audit"}
    entry = entries.get(subject_label="About m")
    assert entry.data == {"destination": "email", "key": "m", "error": "away"}


def test_what_somebody_else_retried_meanwhile_is_no_hindrance(world: World, owner: Client) -> None:
    stuck, other = message(world, "m"), message(world, "other")
    delivery.retry(other, actor=SYSTEM, at=AT)

    told = owner.post(f"{LIST}retry/", follow=True).content.decode()

    assert "1 message is tried again now." in told
    stuck.refresh_from_db()
    assert stuck.status == OutboxStatus.PENDING
    assert "Nothing to retry." in owner.post(f"{LIST}retry/", follow=True).content.decode()


def test_another_groups_messages_are_not_there(world: World, owner: Client) -> None:
    other = factories.group("other")
    outbox.post(Destination.EMAIL, {"subject": "theirs"}, group_id=other.pk, idempotency_key="t", at=AT)
    OutboxMessage.objects.update(status=OutboxStatus.DEAD)
    theirs = OutboxMessage.objects.get()

    assert "theirs" not in text(owner)
    assert owner.post(f"{LIST}{theirs.pk}/retry/").status_code == 404
    owner.post(f"{LIST}retry/")
    theirs.refresh_from_db()
    assert theirs.status == OutboxStatus.DEAD


@pytest.mark.parametrize("who", ["viewer", "tenant_admin", "outsider"])
def test_only_those_who_operate_the_group_retry(world: World, client: Client, who: str) -> None:
    stuck = message(world, "m")
    client.force_login(getattr(world, who))

    assert client.get(LIST).status_code == (200 if who == "viewer" else 404)
    assert client.post(f"{LIST}{stuck.pk}/retry/").status_code == 404
    assert client.post(f"{LIST}retry/").status_code == 404


def test_an_auditor_reads_what_was_given_up_without_addresses_and_answers(
    world: World, client: Client
) -> None:
    refused: Any = {"last_error": "SMTPRecipientsRefused: ann@example.org", "cause": "refused"}
    message(world, "m", address="ann@example.org", **refused)
    client.force_login(world.viewer)

    page = text(client)

    assert shown(page) == ["m"]
    for said in ("…@example.org", "Refuses it", "See to the mail server", "You read this without addresses"):
        assert said in page
    for kept in ("ann@", "SMTPRecipientsRefused", "Retry", "Reconciliation"):
        assert kept not in page
    for asked in ("ann", "SMTPRecipients"):
        assert shown(text(client, f"{LIST}?q={asked}")) == []


def test_an_operator_retries_but_has_no_webhooks(world: World, client: Client) -> None:
    operator = factories.member(world.group, "operator", Role.OPERATOR)
    stuck = message(world, "m")
    client.force_login(operator)

    assert "Webhooks" not in text(client)
    assert client.post(f"{LIST}{stuck.pk}/retry/").status_code == 303


def test_the_list_costs_the_same_however_long_it_is(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    message(world, "first")
    with django_assert_max_num_queries(50) as few:
        text(owner)
    for number in range(10):
        message(world, f"m-{number}")
    with django_assert_max_num_queries(len(few)):
        text(owner)


def test_the_overview_counts_what_was_given_up_for_those_who_can_see_to_it(
    world: World, client: Client
) -> None:
    message(world, "m")
    factories.install(world.tenant_a, {})
    for user, told in ((world.owner, True), (world.viewer, False)):
        client.force_login(user)
        assert ("1 message</a> given up" in text(client, "/g/acme/")) is told
