"""Chat messages through the outbox to a real receiver, and what never gets out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.test import Client

from audit import outbox
from audit.models import Entry, OutboxMessage
from config.access import SYSTEM
from governance import advising, delivery, events
from governance.models import Notification
from tenants import chat_addresses, chats, groups, preferences
from tenants.models import TeamChat, User
from tenants.preferences import Wanted
from tests.factories import AT, World
from tests.governance.notified import message
from tests.tenants.receiver import Receiver, listening

PAGE = "/g/acme/chats/"
SECRET = "hunter2secret"


@pytest.fixture(scope="module")
def server() -> Iterator[Receiver]:
    with listening() as running:
        yield running


@pytest.fixture
def receiver(server: Receiver, settings: Any) -> Receiver:
    server.received.clear()
    server.status, server.location = 200, ""
    settings.CHAT_HOSTS = [server.host]
    return server


def address(receiver: Receiver) -> str:
    return f"json://ann:{SECRET}@{receiver.host}/room"


def team(world: World, receiver: Receiver) -> TeamChat:
    return chats.add(world.group, name="team", address=address(receiver), actor=SYSTEM, at=AT)


def choose(user: User, receiver: Receiver) -> None:
    wanted = Wanted("en", "UTC", ["chat"], chat=address(receiver))
    preferences.change(user, wanted, actor=SYSTEM, at=AT)


def post(chat: TeamChat, **more: str) -> OutboxMessage:
    chats.post_to_team(chat, **{"title": "Hello", "text": "Read this.", "key": "one", **more}, at=AT)
    return OutboxMessage.objects.get(destination="chat")


def delivered() -> OutboxMessage:
    delivery.deliver_due(at=AT)
    return OutboxMessage.objects.get(destination="chat")


def test_a_team_chat_is_told_what_needs_attention_once(world: World, receiver: Receiver) -> None:
    team(world, receiver)
    for _ in range(2):
        events.alert(world.group, "drift_overdue", {"run": 3, "overdue": 7}, key="overdue", at=AT)
    assert delivered().status == "delivered"
    (told,) = receiver.received
    assert told["title"] == "Acme: drift overdue"
    assert told["message"].startswith("Drift is past its due date. (run 3, overdue 7)")
    assert told["message"].endswith("/g/acme/drift/")


def test_a_person_is_told_by_the_address_that_is_kept_when_it_is_sent(
    world: World, receiver: Receiver
) -> None:
    choose(world.owner, receiver)
    chats.post_to_person(
        world.owner, group_id=world.group.pk, title="Hello", text="Read this.", key="one", at=AT
    )
    assert delivered().status == "delivered"
    assert [told["message"] for told in receiver.received] == ["Read this."]


def test_who_took_the_address_away_is_sent_nothing(world: World, receiver: Receiver) -> None:
    choose(world.owner, receiver)
    chats.post_to_person(world.owner, group_id=world.group.pk, title="x", text="x", key="one", at=AT)
    preferences.change(world.owner, Wanted("en", "UTC", ["email"], chat=""), actor=SYSTEM, at=AT)
    sent = delivered()
    assert (sent.status, sent.last_error) == ("dead", "The person has no chat address any more.")
    assert receiver.received == []


def test_what_a_person_chose_decides_by_what_a_message_comes(world: World, receiver: Receiver) -> None:
    choose(world.owner, receiver)
    for user in (world.owner, world.viewer):
        message(world, user, key=user.username)
    delivery.deliver_due(at=AT)
    went = OutboxMessage.objects.values_list("destination", "address")
    assert sorted(went) == [("chat", "owner"), ("email", "viewer@example.org")]
    assert [told["title"] for told in receiver.received] == ["Hello"]
    inboxes = Notification.objects.values_list("user__username", "read_at")
    assert dict(inboxes) == {"owner": AT, "viewer": None}


def test_a_service_that_fails_is_tried_again_and_its_refusal_is_final(
    world: World, receiver: Receiver
) -> None:
    chat = team(world, receiver)
    post(chat)
    receiver.status = 503
    sent = delivered()
    assert (sent.status, sent.last_error) == ("pending", "NotSent: json answers 503")
    OutboxMessage.objects.update(next_attempt_at=AT)
    receiver.status = 404
    sent = delivered()
    assert sent.status == "dead"
    assert "json answers 404: the address isn’t right" in sent.last_error
    assert "See to the chat service" in advising.advice(sent)


def test_a_message_whose_sending_was_cut_off_is_not_sent_twice(world: World, receiver: Receiver) -> None:
    post(team(world, receiver))
    OutboxMessage.objects.update(attempts=1, lease_until=AT + outbox.LEASE)
    assert (delivered().status, delivered().last_error) == ("dead", delivery.CUT_OFF)
    assert receiver.received == []
    delivery.retry(delivered(), actor=SYSTEM, at=AT)
    assert delivered().status == "delivered", "as soon as a person wants it"


def test_what_another_message_hears_at_the_same_time_is_not_said_of_this_one(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.status = 404
    mine, other = chat_addresses.opened(address(receiver)), chat_addresses.opened(address(receiver))
    heard: list[tuple[bool, int | None]] = []

    def send(*_: Any, **__: Any) -> bool:
        beside = Thread(target=lambda: heard.append(chat_addresses.notify(other, title="B", text="B")))
        beside.start()
        beside.join()
        return False

    monkeypatch.setattr(mine, "send", send)
    assert chat_addresses.notify(mine, title="A", text="A") == (False, None)
    assert heard == [(False, 404)]


def test_nothing_is_sent_on_to_where_a_service_points(world: World, receiver: Receiver) -> None:
    with listening() as elsewhere:
        receiver.status, receiver.location = 307, f"http://{elsewhere.host}/"
        post(team(world, receiver))
        assert delivered().status == "pending"
        assert elsewhere.received == []


def test_a_host_that_is_no_longer_allowed_is_not_called(
    world: World, receiver: Receiver, settings: Any
) -> None:
    post(team(world, receiver))
    settings.CHAT_HOSTS = []
    sent = delivered()
    assert (sent.status, receiver.received) == ("dead", [])
    assert "No messages are sent to that host" in sent.last_error


def test_the_secret_of_an_address_is_nowhere_but_where_it_is_kept(
    world: World, receiver: Receiver, client: Client, caplog: pytest.LogCaptureFixture, capfd: Any
) -> None:
    choose(world.owner, receiver)
    chat = team(world, receiver)
    receiver.status = 500
    post(chat)
    delivered()
    client.force_login(world.owner)
    with time_machine.travel(AT, tick=False):
        pages = [
            client.get(f"/g/acme/{path}").content.decode()
            for path in ("chats/", "deliveries/", "preferences/")
        ]
    rows = [*OutboxMessage.objects.values(), *Entry.objects.values()]
    told = json.dumps(rows, default=str) + "".join(pages) + caplog.text + "".join(capfd.readouterr())
    assert "json answers 500" in told
    assert SECRET not in told
    assert "/room" not in told


def test_a_chat_that_cannot_be_reached_says_so_where_it_stands(
    world: World, receiver: Receiver, client: Client
) -> None:
    client.force_login(world.owner)
    chat = team(world, receiver)
    assert "none yet" in client.get(PAGE).content.decode()
    receiver.status = 500
    post(chat)
    delivery.deliver_due(at=AT)
    page = client.get(PAGE).content.decode()
    assert "json answers 500" in page
    assert 'href="/g/acme/deliveries/?q=team"' in page


def test_an_owner_adds_a_chat_tests_it_and_ends_it(world: World, receiver: Receiver, client: Client) -> None:
    client.force_login(world.owner)
    assert "No team chats" in client.get(PAGE).content.decode()
    form = {"name": "team", "address": address(receiver)}
    assert client.post(f"{PAGE}add/", form).status_code == 303
    chat = TeamChat.objects.get()
    assert "A chat of this name is in use" in client.post(f"{PAGE}add/", form).content.decode()
    with time_machine.travel(AT, tick=False):
        assert client.post(f"{PAGE}{chat.pk}/test/").status_code == 303
        delivery.deliver_due(at=AT)
    assert [told["message"] for told in receiver.received] == [chats.TEST["en"]]
    assert "Delivered" in client.get(PAGE).content.decode()
    assert client.post(f"{PAGE}{chat.pk}/end/").status_code == 303
    chat.refresh_from_db()
    assert (chat.active, chat.address) == (False, "")
    assert client.post(f"{PAGE}{chat.pk}/test/").status_code == 404
    assert {"chat.added", "chat.ended"} <= set(Entry.objects.values_list("action", flat=True))


def test_a_person_tests_the_own_chat_and_sees_what_came_of_it(
    world: World, receiver: Receiver, client: Client
) -> None:
    choose(world.tenant_admin, receiver)
    client.force_login(world.tenant_admin)
    page = "/g/acme/preferences/"
    with time_machine.travel(AT, tick=False):
        client.post(f"{page}test/")
        delivery.deliver_due(at=AT)
        assert "Delivered" in client.get(page).content.decode()
    assert [told["message"] for told in receiver.received] == [chats.TEST["en"]]


def test_without_an_address_a_test_message_goes_nowhere(world: World, client: Client) -> None:
    client.force_login(world.viewer)
    client.post("/g/acme/preferences/test/")
    assert not OutboxMessage.objects.exists()


def test_a_team_is_told_in_its_own_language_else_in_its_groups(world: World, receiver: Receiver) -> None:
    chat = team(world, receiver)
    spent = {"ring": 1, "failed": 3, "total": 4, "budget": 20}
    data = {"plan": 7, "says": "3 of 4 failed.", "spent": spent}
    for own, ours, title in (
        ("", "en", "failure budget spent"),
        ("", "zh", "计划暂停"),
        ("en", "zh", "budget"),
    ):
        groups.speak(world.group, ours, actor=SYSTEM, at=AT)
        chats.speak(chat, own, actor=SYSTEM, at=AT)
        events.alert(world.group, "failure_budget_spent", data, key=f"{own}{ours}", at=AT)
        delivery.deliver_due(at=AT)
        assert title in receiver.received[-1]["title"]
    assert "第 1 环的 4 个任务中有 3 个失败" in receiver.received[1]["message"]
    assert "（计划 7）" in receiver.received[1]["message"]
    assert "3 of 4 failed. (plan 7)" in receiver.received[2]["message"]
