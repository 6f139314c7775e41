"""`manage.py delivery`: what isn't delivered, and trying it again without a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from audit import outbox
from audit.models import Circuit, Entry, OutboxMessage
from audit.models.machine import Machine
from audit.models.outbox import Destination, OutboxStatus
from config import queue
from tests import factories
from tests.factories import AT, World
from tests.governance.commanding import shell


@pytest.fixture
def command(world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    return shell(capsys, monkeypatch, "delivery")


def given_up(world: World, key: str = "m", destination: Destination = Destination.EMAIL) -> OutboxMessage:
    content = {"subject": f"About {key}", "tenant": "tenant-a"}
    outbox.post(destination, content, group_id=world.group.pk, idempotency_key=key, at=AT)
    OutboxMessage.objects.filter(idempotency_key=key).update(
        status=OutboxStatus.DEAD, cause="away", last_error="ConnectError", attempts=12
    )
    return OutboxMessage.objects.get(idempotency_key=key)


def test_it_lists_what_was_given_up_with_what_to_do_and_whats_wrong_with_machines(
    world: World, command: Any
) -> None:
    message = given_up(world)
    Machine.objects.create(
        name="worker-1", clock_ahead=timedelta(minutes=7), commit_time=timedelta(), seen_at=AT
    )
    told = command("list", "--json").json
    [listed] = told["deliveries"]
    assert (listed["id"], listed["cause"], listed["attempts"]) == (str(message.pk), "away", 12)
    assert "See to the mail server, then retry." in listed["advice"]
    assert "worker-1 is 7 minutes ahead of" in told["machines"][0]["says"]
    page = command("list").out
    for said in ("About m", "See to the mail server", "worker-1 is 7 minutes ahead"):
        assert said in " ".join(page.split())


def test_it_tries_one_again_or_all_and_wakes_a_worker(world: World, command: Any) -> None:
    first = given_up(world, "one")
    given_up(world, "two")
    assert command("retry", first.pk, "--json").json == {"retried": 1}
    assert queue.waiting() == 1
    assert Entry.objects.get(action="delivery.retried").actor_name.endswith("at the command line")
    assert command("retry", "--all", "--json").json == {"retried": 1}
    assert "Nothing to retry." in command("retry", "--all").out
    assert not OutboxMessage.objects.given_up().exists()


def test_what_it_cannot_do_is_told_by_its_exit_code(world: World, command: Any) -> None:
    theirs = factories.group("other")
    outbox.post(Destination.EMAIL, {}, group_id=theirs.pk, idempotency_key="t", at=AT)
    waiting = given_up(world)
    OutboxMessage.objects.filter(pk=waiting.pk).update(status=OutboxStatus.PENDING)
    lost = given_up(world, "order", Destination.ORCHESTRATOR)
    foreign = OutboxMessage.objects.get(group_id=theirs.pk)
    for words, code in (
        ((), 2),
        ((waiting.pk, "--all"), 2),
        (("nonsense",), 2),
        ((foreign.pk,), 2),
        ((waiting.pk,), 5),
    ):
        assert command("retry", *words).code == code, words
    OutboxMessage.objects.filter(pk=lost.pk).update(payload={"task": str(lost.pk), "tenant": "tenant-a"})
    assert command("retry", lost.pk).code == 5, "its task is gone: the next run plans the tenant anew"


def test_it_lists_the_receivers_that_rest(world: World, command: Any) -> None:
    Circuit.objects.create(
        group_id=world.group.pk, destination=Destination.EMAIL, breaks=1, since=AT, rests_until=AT
    )
    [resting] = command("list", "--json").json["resting"]
    assert resting["until"] == AT.isoformat(timespec="seconds")
    assert f"E-mail is left alone until {resting['until']}" in " ".join(command("list").out.split())
