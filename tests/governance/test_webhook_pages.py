"""Webhooks in the console: listed, added, tested, ended."""

import re
from typing import Any

import pytest
from django.test import Client

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import webhooks
from governance.models import WebhookSubscription
from tenants.models import Role
from tests import factories
from tests.factories import AT, World

LIST = "/g/acme/deliveries/webhooks/"
CHAT = {"name": "chat", "url": "https://chat.example.org/hook"}


@pytest.fixture
def owner(world: World, client: Client) -> Client:
    client.force_login(world.owner)
    return client


def text(client: Client, path: str = LIST) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_secret_of_a_new_webhook_is_shown_once(world: World, owner: Client) -> None:
    answer = owner.post(f"{LIST}add/", CHAT).content.decode()

    webhook = WebhookSubscription.objects.get()
    assert webhook.url == CHAT["url"]
    assert re.findall(r"whsec_[\w+/=]+", answer) == [webhook.secret]
    assert webhook.secret not in text(owner)
    entry = Entry.objects.get(action="webhook.subscribed")
    assert (entry.actor_name, entry.data) == ("owner", {"url": CHAT["url"]})


@pytest.mark.parametrize("url", ["chat.example.org", "ftp://chat.example.org/", "https://", ""])
def test_what_is_no_web_address_is_refused_with_the_reason(world: World, owner: Client, url: str) -> None:
    answer = owner.post(f"{LIST}add/", {**CHAT, "url": url})

    assert answer.status_code == 422
    assert b'aria-invalid="true"' in answer.content
    assert not WebhookSubscription.objects.exists()


def test_a_name_in_use_is_not_taken_over(world: World, owner: Client) -> None:
    owner.post(f"{LIST}add/", CHAT)
    secret = WebhookSubscription.objects.get().secret

    answer = owner.post(f"{LIST}add/", {**CHAT, "url": "https://elsewhere.example.org/"})

    assert answer.status_code == 422
    assert "End it first" in answer.content.decode()
    assert WebhookSubscription.objects.get().secret == secret


def test_a_webhook_is_ended_and_can_be_taken_up_again(world: World, owner: Client) -> None:
    owner.post(f"{LIST}add/", CHAT)
    webhook = WebhookSubscription.objects.get()

    for _twice in range(2):
        assert owner.post(f"{LIST}{webhook.pk}/end/").status_code == 303
    assert Entry.objects.filter(action="webhook.ended").count() == 1
    assert "Ended" in text(owner)

    assert owner.post(f"{LIST}add/", CHAT).status_code == 200
    assert WebhookSubscription.objects.get().active


def test_a_test_event_is_sent_to_one_webhook_and_the_list_says_what_came_of_it(
    world: World, owner: Client
) -> None:
    for name in ("chat", "other"):
        webhooks.subscribe(world.group, **{**CHAT, "name": name}, actor=SYSTEM, at=AT)
    webhook = WebhookSubscription.objects.get(name="chat")
    assert text(owner).count("none yet") == 2

    assert owner.post(f"{LIST}{webhook.pk}/test/").status_code == 303

    event = OutboxMessage.objects.get(destination="webhook")
    assert (event.address, event.payload["type"]) == (str(webhook.pk), "plugin.version.policy.test")
    page = text(owner)
    assert (page.count("none yet"), page.count("Pending")) == (1, 1)
    webhooks.unsubscribe(world.group, name="chat", actor=SYSTEM, at=AT)
    assert owner.post(f"{LIST}{webhook.pk}/test/").status_code == 404


def test_another_groups_webhooks_are_not_there(world: World, owner: Client) -> None:
    other = factories.group("other")
    webhooks.subscribe(other, name="theirs", url="https://x.example/", actor=SYSTEM, at=AT)
    theirs = WebhookSubscription.objects.get()

    assert "theirs" not in text(owner)
    assert owner.post(f"{LIST}{theirs.pk}/end/").status_code == 404
    assert owner.post(f"{LIST}{theirs.pk}/test/").status_code == 404
    theirs.refresh_from_db()
    assert theirs.active


@pytest.mark.parametrize("who", ["viewer", "operator", "tenant_admin", "outsider"])
def test_only_those_who_administer_the_group_are_let_in(world: World, client: Client, who: str) -> None:
    webhooks.subscribe(world.group, **CHAT, actor=SYSTEM, at=AT)
    operator = factories.member(world.group, "operator", Role.OPERATOR)
    client.force_login(operator if who == "operator" else getattr(world, who))

    assert client.get(LIST).status_code == 404
    assert client.post(f"{LIST}add/", {**CHAT, "name": "mine"}).status_code == 404
    assert client.post(f"{LIST}{WebhookSubscription.objects.get().pk}/end/").status_code == 404
    assert WebhookSubscription.objects.get().active


def test_the_list_costs_the_same_however_long_it_is(
    world: World, owner: Client, django_assert_max_num_queries: Any
) -> None:
    webhooks.subscribe(world.group, **CHAT, actor=SYSTEM, at=AT)
    with django_assert_max_num_queries(50) as few:
        text(owner)
    for number in range(10):
        webhooks.subscribe(world.group, name=f"w-{number}", url="https://x.example/", actor=SYSTEM, at=AT)
    with django_assert_max_num_queries(len(few)):
        text(owner)
