"""What owners do about team chats, over REST and from the command line."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM, Permission
from governance.models import IdempotentAnswer
from tenants import chats, groups
from tenants.models import Group, TeamChat
from tests.factories import AT, World
from tests.governance.api.conftest import Issue, Service, service  # noqa: F401 - a fixture
from tests.governance.commanding import Answer, shell

SECRET = "hunter2secret"
ADDRESS = f"json://ann:{SECRET}@chat.example.org/room"
BODY = {"name": "team", "address": ADDRESS}


@pytest.fixture(autouse=True)
def _known_host(settings: Any) -> None:
    settings.CHAT_HOSTS = ["chat.example.org"]


@pytest.fixture
def caller(service: Issue) -> Service:  # noqa: F811 - the fixture
    return service(Permission.GROUP_ADMINISTER)


@pytest.fixture
def command(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    run = shell(capsys, monkeypatch, "chat")

    def typed(*words: object, address: str = "") -> Answer:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{address}\n"))
        return run(*words)

    return typed


def team(group: Group) -> TeamChat:
    return chats.add(group, name="team", address=ADDRESS, actor=SYSTEM, at=AT)


def last() -> tuple[str, str]:
    entry = Entry.objects.order_by("-pk")[0]
    return entry.action, entry.actor_name


def test_a_chat_is_added_tested_and_ended_over_rest_and_its_address_is_told_nowhere(
    world: World, caller: Service
) -> None:
    added = caller.post("directory/chat", BODY, key="k").json()
    assert caller.post("directory/chat", BODY, key="k").json() == added
    assert (added["name"], added["service"], added["language"], added["active"]) == (
        "team",
        "json",
        "en",
        True,
    )
    assert last() == ("chat.added", "test")
    path = f"directory/chat/{added['number']}"
    assert caller.post(f"{path}/test").status_code == 200
    assert OutboxMessage.objects.get(destination="chat").payload["team"] == added["number"]
    listed = caller.get("directory/chats").json()
    assert listed["chats"][0]["last_message"]["status"] == "pending"
    assert [caller.post(f"{path}/end").status_code for _ in range(2)] == [200, 404]
    assert caller.get("directory/chats").json()["chats"][0]["active"] is False
    kept = json.dumps([listed, added, *IdempotentAnswer.objects.values_list("body", flat=True)])
    assert SECRET not in kept + json.dumps(list(Entry.objects.values_list("data", flat=True)))


def test_its_language_is_its_own_or_the_groups_over_rest(world: World, caller: Service) -> None:
    path = f"directory/chat/{team(world.group).pk}/language"
    assert caller.post("directory/language", {"language": "zh"}).json()["chats"][0]["language"] == "zh"
    assert caller.post(path, {"language": "en"}).json()["language"] == "en"
    own = caller.post(path, {"language": ""}).json()
    assert (own["language"], own["own_language"]) == ("zh", False)
    groups.speak_as_filed(world.group, "zh", actor=SYSTEM, at=AT)
    refused = caller.post("directory/language", {"language": "en"})
    assert (refused.status_code, refused.json()["title"]) == (409, "The directory file says it")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("chat", {"name": "team"}, 400),
        ("chat", {**BODY, "address": f"syslog://{SECRET}"}, 400),
        ("chat", {**BODY, "name": "taken"}, 400),
        ("chat", {**BODY, "language": "tlh"}, 400),
        ("chat/0/test", {}, 404),
        ("chat/0/end", {}, 404),
        ("chat/0/language", {"language": "zh"}, 404),
    ],
)
def test_what_cannot_be_done_over_rest_is_refused_without_the_address_and_changes_nothing(
    world: World, caller: Service, path: str, body: dict[str, str], status: int
) -> None:
    chats.add(world.group, name="taken", address=ADDRESS, actor=SYSTEM, at=AT)
    entries = Entry.objects.count()
    answer = caller.post(f"directory/{path}", body)
    assert (answer.status_code, SECRET in answer.content.decode()) == (status, False)
    assert Entry.objects.count() == entries


def test_another_groups_chats_are_not_there_and_other_scopes_reach_none(
    world: World,
    service: Issue,  # noqa: F811 - the fixture
) -> None:
    mine = team(world.group)
    theirs = team(Group.objects.get(slug="elsewhere"))
    caller = service(Permission.GROUP_ADMINISTER)
    assert [one["number"] for one in caller.get("directory/chats").json()["chats"]] == [mine.pk]
    assert caller.post(f"directory/chat/{theirs.pk}/end").status_code == 404
    assert service(Permission.POLICY_EDIT).get("directory/chats").status_code == 403


def test_the_command_adds_by_an_address_that_is_read_and_never_shown(world: World, command: Any) -> None:
    added = command("add", "team", "--json", address=ADDRESS)
    assert added.json["service"] == "json"
    number = added.json["number"]
    assert "is told from now on" in command("add", "other", "--language", "zh", address=ADDRESS).out
    listed = command("list")
    assert "team" in listed.out
    assert command("test", number).code == 0
    assert OutboxMessage.objects.filter(destination="chat").count() == 1
    assert command("speak", "zh", number, "--json").json["language"] == "zh"
    assert command("speak", "zh", "--json").json["language"] == "zh"
    assert command("end", number, "--json").json["active"] is False
    assert SECRET not in added.out + added.err + listed.out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("add", "team"), 2, "no address of a chat service"),
        (("test", 0), 2, "has no chat 0 in use"),
        (("speak", "tlh"), 2, "The languages are en, zh"),
        (("speak", "zh"), 5, "The directory file says"),
    ],
)
def test_what_the_command_cannot_do_is_told_by_its_exit_code(
    world: World, command: Any, words: tuple[object, ...], code: int, said: str
) -> None:
    groups.speak_as_filed(world.group, "en", actor=SYSTEM, at=AT)
    answer = command(*words, "--json", address="nonsense")
    assert (answer.code, said in answer.json["error"]) == (code, True), answer
