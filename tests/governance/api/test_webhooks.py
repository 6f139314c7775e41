"""Webhooks over REST and from the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import Entry, OutboxMessage
from config.access import SYSTEM, Permission
from governance import webhooks
from governance.models import IdempotentAnswer, WebhookSubscription
from tenants.models import Group
from tests.factories import AT, World
from tests.governance.api.conftest import Issue, Service

BODY = {"name": "chat", "url": "https://chat.example.org/hook"}


@pytest.fixture
def caller(service: Issue) -> Service:
    return service(Permission.GROUP_ADMINISTER)


def subscribed(group: Group, name: str = "chat") -> WebhookSubscription:
    webhooks.subscribe(group, name=name, url=BODY["url"], actor=SYSTEM, at=AT)
    return WebhookSubscription.objects.get(group=group, name=name)


def test_a_webhook_is_added_tested_and_ended(world: World, caller: Service) -> None:
    added = caller.post("directory/webhook", BODY).json()
    row = WebhookSubscription.objects.get()
    assert (added["number"], added["url"], added["active"]) == (row.pk, BODY["url"], True)
    assert Entry.objects.get(action="webhook.subscribed").actor_name == "test"
    path = f"directory/webhook/{row.pk}"
    assert caller.post(f"{path}/test", key="k").json()["last_event"]["status"] == "pending"
    caller.post(f"{path}/test", key="k")
    event = OutboxMessage.objects.get(destination="webhook").payload
    assert (event["type"], event["data"]["group"]) == ("plugin.version.policy.test", "acme")
    assert [caller.post(f"{path}/end").status_code for _ in range(2)] == [200, 404]
    [listed] = caller.get("directory/webhooks").json()["webhooks"]
    assert (listed["active"], listed["last_event"]) == (False, None)
    assert Entry.objects.filter(action="webhook.ended").count() == 1


def test_its_secret_is_told_once_and_kept_nowhere_else(world: World, caller: Service) -> None:
    first, again = (caller.post("directory/webhook", BODY, key="k").json() for _ in range(2))
    secret = WebhookSubscription.objects.get().secret
    assert first == {**again, "secret": secret}
    assert again["secret"] is None
    kept = [*IdempotentAnswer.objects.values_list("body", flat=True), caller.get("directory/webhooks").json()]
    assert secret not in json.dumps([*kept, *Entry.objects.values_list("data", flat=True)])


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("webhook", {"name": "new"}, 400),
        ("webhook", {"name": "new", "url": "ftp://chat.example.org/"}, 400),
        ("webhook", {**BODY, "secret": "mine"}, 400),
        ("webhook", BODY, 400),  # its name is in use
        ("webhook/0/test", {}, 404),
        ("webhook/0/end", {}, 404),
    ],
)
def test_what_cannot_be_done_is_refused_and_changes_nothing(
    world: World, caller: Service, path: str, body: dict[str, str], status: int
) -> None:
    before = subscribed(world.group).secret
    entries = Entry.objects.count()
    assert caller.post(f"directory/{path}", body).status_code == status
    assert Entry.objects.count() == entries
    assert WebhookSubscription.objects.get().secret == before


def test_another_groups_webhooks_are_not_there_and_other_scopes_reach_none(
    world: World, service: Issue, caller: Service
) -> None:
    mine, theirs = subscribed(world.group), subscribed(Group.objects.get(slug="elsewhere"))
    listed = caller.get("directory/webhooks").json()["webhooks"]
    assert [one["number"] for one in listed] == [mine.pk]
    for step in ("test", "end"):
        assert caller.post(f"directory/webhook/{theirs.pk}/{step}").status_code == 404
    assert service(Permission.POLICY_EDIT).get("directory/webhooks").status_code == 403
    assert not OutboxMessage.objects.filter(destination="webhook").exists()


def test_the_command_tests_a_webhook_by_its_name(world: World, capsys: Any) -> None:
    row = subscribed(world.group)
    call_command("webhook", "test", "--group", "acme", "--name", "chat")
    assert "on its way" in capsys.readouterr().out
    assert OutboxMessage.objects.get(destination="webhook").address == str(row.pk)
    with pytest.raises(CommandError, match="has no subscription other"):
        call_command("webhook", "test", "--group", "acme", "--name", "other")
