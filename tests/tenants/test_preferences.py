"""How a person wants to be told: their own page, and nothing of a secret anywhere."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from audit.models import Entry
from config.access import SYSTEM
from tenants import groups, preferences
from tenants.models import Preferences, Role
from tenants.preferences import Wanted
from tests import factories
from tests.factories import AT, World

PAGE = "/g/acme/preferences/"
SLACK = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"
CHOSEN = {"language": "zh", "time_zone": "Asia/Shanghai", "first": "email"}


@pytest.fixture
def browser(world: World, client: Client) -> Client:
    client.force_login(world.tenant_admin)
    return client


def errors(client: Client, **given: str) -> str:
    answer = client.post(PAGE, {**CHOSEN, **given})
    assert answer.status_code == 422
    return answer.content.decode()


def test_who_has_chosen_nothing_is_told_in_english_by_console_and_mail(world: World) -> None:
    row = preferences.of(world.owner)
    assert (row.language, row.time_zone, row.channels) == ("en", "UTC", ["in_app", "email"])
    assert Preferences.objects.count() == 0


def test_a_person_chooses_for_themselves(world: World, browser: Client) -> None:
    given = {**CHOSEN, "second": "in_app", "quiet_from": "22:00", "quiet_until": "07:30"}
    assert browser.post(PAGE, given).status_code == 303
    row = preferences.of(world.tenant_admin)
    assert (row.language, row.time_zone, row.channels) == ("zh", "Asia/Shanghai", ["email", "in_app"])
    assert (str(row.quiet_from), str(row.quiet_until)) == ("22:00:00", "07:30:00")
    assert preferences.of(world.owner).language == "en"


def test_the_ledger_of_each_of_the_persons_groups_has_what_changed(world: World) -> None:
    other = factories.group("other")
    groups.add_member(other, world.owner, Role.AUDITOR, actor=SYSTEM, at=AT)
    preferences.change(world.owner, Wanted("en", "Europe/Vienna", ["in_app", "email"]), actor=SYSTEM, at=AT)
    entries = Entry.objects.filter(action="preferences.changed")
    assert {entry.group_id for entry in entries} == {world.group.pk, other.pk}
    assert {json.dumps(entry.data) for entry in entries} == {'{"time_zone": "Europe/Vienna"}'}


def test_saying_it_again_changes_nothing(world: World) -> None:
    for _ in range(2):
        preferences.change(world.owner, Wanted("zh", "UTC", ["email"]), actor=SYSTEM, at=AT)
    assert Entry.objects.filter(action="preferences.changed").count() == 1


def test_a_chat_address_is_kept_and_never_shown(
    world: World, browser: Client, caplog: pytest.LogCaptureFixture
) -> None:
    assert browser.post(PAGE, {**CHOSEN, "second": "chat", "chat": SLACK}).status_code == 303
    assert preferences.of(world.tenant_admin).chat == SLACK
    page = browser.get(PAGE).content.decode()
    assert "An address of slack is kept" in page
    told = page + json.dumps(list(Entry.objects.values_list("data", flat=True))) + caplog.text
    assert "TIiajkdnlazkcOXrIdevi7FQ" not in told
    assert Entry.objects.get(action="preferences.changed").data["chat"] == "slack"


def test_a_refused_address_is_not_repeated_either(browser: Client) -> None:
    page = errors(browser, chat="jsons://user:hunter2@inside.example.org/")
    assert "No messages are sent to that host" in page
    assert "hunter2" not in page


def test_an_address_left_empty_stays_and_is_forgotten_when_asked(world: World, browser: Client) -> None:
    browser.post(PAGE, {**CHOSEN, "chat": SLACK})
    browser.post(PAGE, {**CHOSEN, "second": "chat"})
    assert preferences.of(world.tenant_admin).chat == SLACK
    assert "Chat is among the channels" in errors(browser, second="chat", forget_chat="on")
    browser.post(PAGE, {**CHOSEN, "forget_chat": "on"})
    assert preferences.of(world.tenant_admin).chat is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"time_zone": "Mars/Olympus"}, "No time zone is called that"),
        ({"quiet_from": "22:00"}, "Quiet hours need a beginning and an end"),
        ({"quiet_from": "22:00", "quiet_until": "22:00"}, "That is no time at all"),
        ({"first": ""}, "This field is required"),
        ({"second": "email"}, "The same channel stands here twice"),
        ({"second": "chat"}, "Chat is among the channels"),
        ({"chat": "nonsense"}, "That is no address of a chat service"),
        ({"chat": "syslog://"}, "isn’t offered here"),
    ],
)
def test_what_makes_no_sense_is_said_where_it_stands(
    browser: Client, given: dict[str, str], said: str
) -> None:
    assert said in errors(browser, **given)
    assert Preferences.objects.count() == 0


@pytest.mark.parametrize(
    "fields", [{"quiet_from": "22:00"}, {"channels": []}, {"channels": ["chat"]}], ids=str
)
def test_the_database_refuses_what_no_form_lets_through(world: World, fields: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Preferences.objects.create(user=world.owner, **fields)


def test_the_page_is_in_the_persons_menu(browser: Client) -> None:
    assert f'href="{PAGE}"' in browser.get("/g/acme/drift/").content.decode()
