"""The big red button."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.models import Entry
from config.access import SYSTEM
from governance import halting, upgrades, waiting
from governance.models import UpgradeTask
from tenants.models import Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance import rollout

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def task(world: World) -> UpgradeTask:
    return rollout.running_task(world)


def test_nothing_is_handed_over_until_it_is_released(world: World, task: UpgradeTask) -> None:
    halting.halt(world.group, reason="Data centre on fire.", actor=SYSTEM, at=AT)
    assert upgrades.dispatch_due(world.group, at=AT) == 0
    found = UpgradeTask.objects.select_related("group", "plan", "tenant").get(pk=task.pk)
    told = "All hand-overs were stopped by plumbline: Data centre on fire."
    assert waiting.explain_one(found, at=AT) == waiting.Explanation(told)
    assert found.wait_reason == told
    halting.release(world.group, reason="Out.", actor=SYSTEM, at=AT)
    assert upgrades.dispatch_due(world.group, at=AT) == 1
    said = Entry.objects.filter(action__in=["group.halted", "group.released"]).order_by("sequence")
    assert [entry.data["reason"] for entry in said] == ["Data centre on fire.", "Out."]


def test_it_takes_locks_in_the_order_of_those_who_seal(world: World) -> None:
    with CaptureQueriesContext(connection) as asked:
        halting.halt(world.group, reason="Stop.", actor=SYSTEM, at=AT)
        halting.release(world.group, reason="Out.", actor=SYSTEM, at=AT)
    told = [query["sql"] for query in asked.captured_queries]
    locked = [sql for sql in told if "tenants_group" in sql or "pg_advisory_xact_lock" in sql]
    assert "FOR NO KEY UPDATE" in locked[0]
    assert "pg_advisory_xact_lock" in locked[1]


def test_whoever_read_the_group_before_hands_nothing_over_either(world: World, task: UpgradeTask) -> None:
    stale = type(world.group).objects.get(pk=world.group.pk)
    halting.halt(world.group, reason="Stop.", actor=SYSTEM, at=AT)
    assert upgrades.dispatch_due(stale, at=AT) == 0


def test_pressed_twice_it_says_so_and_changes_nothing(world: World) -> None:
    with pytest.raises(halting.AlreadySo, match="isn’t halted"):
        halting.release(world.group, reason="", actor=SYSTEM, at=AT)
    halting.halt(world.group, reason="First.", actor=SYSTEM, at=AT)
    with pytest.raises(halting.AlreadySo, match="halted already"):
        halting.halt(world.group, reason="Second.", actor=SYSTEM, at=AT)
    world.group.refresh_from_db()
    assert world.group.halt_reason == "First."
    assert Entry.objects.filter(action="group.halted").count() == 1


def test_an_operator_presses_it_and_every_page_says_so(world: World, client: Client) -> None:
    client.force_login(factories.member(world.group, "operator", Role.OPERATOR))
    assert "Stop everything" in client.get("/g/acme/plans/").content.decode()
    refused = client.post("/g/acme/plans/halt/", {"reason": " "}, follow=True).content.decode()
    assert "Say why everything is to stop" in refused
    assert "stopped all hand-overs" not in refused
    client.post("/g/acme/plans/halt/", {"reason": "Customers call."})
    for path in ("plans/", "drift/"):
        assert (
            "stopped all hand-overs of this group: Customers call."
            in client.get(f"/g/acme/{path}").content.decode()
        )
    assert (
        "halted already"
        in client.post("/g/acme/plans/halt/", {"reason": "Again."}, follow=True).content.decode()
    )
    client.post("/g/acme/plans/release/")
    assert "stopped all hand-overs" not in client.get("/g/acme/drift/").content.decode()


def test_others_have_no_such_button(world: World, client: Client) -> None:
    client.force_login(world.viewer)
    assert "Stop everything" not in client.get("/g/acme/plans/").content.decode()
    assert client.post("/g/acme/plans/halt/", {"reason": "x"}).status_code == 404


def test_the_command_presses_and_releases_it(world: World, run_policy: Any) -> None:
    assert run_policy("halt").code == 2
    assert run_policy("halt", "--reason", "Stop.", "--json").json["halted"] is True
    assert run_policy("halt", "--reason", "Stop.").code == 5
    assert run_policy("release", "--json").json["halted"] is False


def test_whoever_has_the_longest_name_there_is_presses_it_too(world: World, client: Client) -> None:
    User.objects.filter(pk=world.owner.pk).update(first_name="Wilhelmina" * 15, last_name="Featherstone" * 12)
    client.force_login(world.owner)
    client.post("/g/acme/plans/halt/", {"reason": "Data centre on fire."})
    world.group.refresh_from_db()
    assert world.group.halted_by_name.startswith("Wilhelmina")
