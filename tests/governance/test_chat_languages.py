"""The languages in which chats are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from audit.models import Entry
from config.access import SYSTEM
from governance.messages import alerts
from tenants import chats, groups
from tenants.models import TeamChat
from tests.factories import AT, World

PAGE = "/g/acme/chats/"


@pytest.fixture
def chat(world: World, settings: Any) -> TeamChat:
    settings.CHAT_HOSTS = ["chat.example.org"]
    return chats.add(world.group, name="team", address="json://chat.example.org/room", actor=SYSTEM, at=AT)


@pytest.mark.parametrize("reason", alerts.REASONS)
def test_every_alert_has_words_in_both_languages(reason: str) -> None:
    english, chinese = (alerts.told("Acme", reason, {"failed": 2}, language) for language in ("en", "zh"))
    assert english[0] == f"Acme: {reason.replace('_', ' ')}"
    assert "2" in chinese[1]
    assert not set(english) & set(chinese)


def test_an_owner_chooses_the_groups_language_unless_the_file_says_it(
    world: World, chat: TeamChat, client: Client
) -> None:
    client.force_login(world.owner)
    page = f"{PAGE}language/"
    for _ in range(2):
        client.post(page, {"language": "zh"})
    assert TeamChat.objects.get(pk=chat.pk).spoken == "zh"
    [entry] = Entry.objects.filter(action="group.changed", data__has_key="language")
    assert (entry.data, entry.actor_name) == ({"language": "zh"}, "owner")
    assert "none of the languages" in client.post(page, {"language": "fr"}, follow=True).content.decode()
    groups.speak_as_filed(world.group, None, actor=SYSTEM, at=AT)
    assert TeamChat.objects.get(pk=chat.pk).spoken == "zh", "a file that says nothing leaves it"
    groups.speak_as_filed(world.group, "zh", actor=SYSTEM, at=AT)
    refused = client.post(page, {"language": "en"}, follow=True).content.decode()
    assert "Change it there" in refused
    assert 'id="group-language"' not in refused
    groups.speak_as_filed(world.group, None, actor=SYSTEM, at=AT)
    assert TeamChat.objects.get(pk=chat.pk).spoken == "en", "what the file said ends with it"
    client.force_login(world.viewer)
    assert client.post(page, {"language": "zh"}).status_code == 404


def test_an_owner_chooses_the_language_of_a_chat(world: World, chat: TeamChat, client: Client) -> None:
    client.force_login(world.owner)
    assert "As the group’s (English)" in client.get(PAGE).content.decode()
    for _ in range(2):
        client.post(f"{PAGE}{chat.pk}/language/", {"language": "zh"})
    chat.refresh_from_db()
    assert chat.spoken == "zh"
    assert [entry.data for entry in Entry.objects.filter(action="chat.language_changed")] == [
        {"language": "zh"}
    ]
    refused = client.post(f"{PAGE}{chat.pk}/language/", {"language": "fr"}, follow=True)
    assert "none of the languages" in refused.content.decode()
    client.force_login(world.viewer)
    assert client.post(f"{PAGE}{chat.pk}/language/", {"language": "en"}).status_code == 404
