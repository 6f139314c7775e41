"""What is deleted in time, and what never is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.sessions.models import Session

from audit import outbox
from audit.models import Circuit, Entry, OutboxMessage
from audit.models.outbox import Destination, OutboxStatus
from governance import jobs, retention
from governance.models import IdempotentAnswer, Rollback, Simulation
from tenants.models import Group
from tests.factories import AT, World

pytestmark = pytest.mark.django_db
OLD, YOUNG = AT - timedelta(days=31), AT - timedelta(days=29)


def message(key: str, status: OutboxStatus, at: datetime) -> None:
    outbox.post(Destination.NOTIFY, {}, group_id=1, idempotency_key=key, at=at)
    delivered_at = at if status == OutboxStatus.DELIVERED else None
    OutboxMessage.objects.filter(idempotency_key=key).update(status=status, delivered_at=delivered_at)


def answer(key: str, at: datetime) -> None:
    IdempotentAnswer.objects.create(
        token_id=1, endpoint="e", key=key, request_digest="", status_code=200, body={}, answered_at=at
    )


def kept() -> set[str]:
    return set(OutboxMessage.objects.values_list("idempotency_key", flat=True))


def test_delivered_messages_go_and_those_that_a_person_must_see_stay() -> None:
    message("delivered", OutboxStatus.DELIVERED, OLD)
    message("lately", OutboxStatus.DELIVERED, YOUNG)
    message("given-up", OutboxStatus.DEAD, OLD)
    message("waiting", OutboxStatus.PENDING, OLD)

    assert retention.prune(at=AT)["messages"] == 1

    assert kept() == {"lately", "given-up", "waiting"}


def test_a_message_is_kept_from_its_delivery_on_however_long_that_took() -> None:
    message("late", OutboxStatus.DELIVERED, OLD)
    OutboxMessage.objects.update(delivered_at=YOUNG)

    assert retention.prune(at=AT)["messages"] == 0


def test_answers_are_kept_for_as_long_as_is_set(settings: LazySettings) -> None:
    answer("old", OLD)
    answer("young", YOUNG)
    retention.prune(at=AT)
    assert [one.key for one in IdempotentAnswer.objects.all()] == ["young"]

    settings.KEEP = timedelta(days=1)
    retention.prune(at=AT)
    assert not IdempotentAnswer.objects.exists()


def test_only_sessions_that_have_ended_go() -> None:
    for key, until in (("ended", AT - timedelta(seconds=1)), ("open", AT + timedelta(seconds=1))):
        Session.objects.create(session_key=key, session_data="", expire_date=until)

    retention.prune(at=AT)

    assert [one.session_key for one in Session.objects.all()] == ["open"]


def test_what_is_known_of_receivers_goes_once_nothing_is_to_go_there_and_none_is_left_alone() -> None:
    minute = timedelta(minutes=1)
    receivers: list[tuple[Destination, str, datetime | None, str]] = [
        (Destination.EMAIL, "", AT, "gone"),
        (Destination.WEBHOOK, "1", None, "gone"),
        (Destination.CHAT, "person-1", AT - minute, "gone"),
        (Destination.WEBHOOK, "2", AT + minute, "left alone"),
        (Destination.WEBHOOK, "3", AT, "waited for"),
        (Destination.CHAT, "team-1", AT, "waited for"),
    ]
    for destination, address, until, kept in receivers:
        known = {"address": address, "last_error": kept, "since": AT, "rests_until": until}
        Circuit.objects.create(group_id=1, destination=destination, **known)
    to_chat: dict[str, Any] = {"payload": {"team": 1}, "address": "ops"}
    outbox.post(Destination.CHAT, group_id=1, idempotency_key="chat", at=AT, **to_chat)
    outbox.post(Destination.WEBHOOK, {}, group_id=1, idempotency_key="webhook", address="3", at=AT)
    outbox.post(Destination.EMAIL, {}, group_id=2, idempotency_key="mail", address="a@example.org", at=AT)

    assert retention.prune(at=AT)["circuits"] == 3

    told = Circuit.objects.values_list("last_error", flat=True)
    assert sorted(told) == ["left alone", "waited for", "waited for"]


def simulated(group: Group, number: int, status: str, at: datetime) -> None:
    Simulation.objects.create(group=group, number=number, status=status, created_at=at)


def test_simulations_that_nobody_applied_go_and_the_others_stay(world: World) -> None:
    for number, status in enumerate(["ready", "failed", "queued", "running", "applied"], start=1):
        simulated(world.group, number, status, OLD)
    simulated(world.group, 6, "ready", YOUNG)

    assert retention.prune(at=AT)["simulations"] == 4

    assert set(Simulation.objects.values_list("number", flat=True)) == {5, 6}


def test_the_last_simulation_of_a_group_stays_so_that_its_number_is_not_given_again(world: World) -> None:
    simulated(world.group, 1, "ready", OLD)
    simulated(world.group, 2, "ready", OLD)
    simulated(Group.objects.get(slug="elsewhere"), 3, "ready", OLD)

    retention.prune(at=AT)

    assert set(Simulation.objects.values_list("group__slug", "number")) == {("acme", 2), ("elsewhere", 3)}


def test_the_last_rollback_of_a_group_stays_with_its_simulation_so_that_its_number_is_not_given_again(
    world: World,
) -> None:
    for number in (1, 2, 3):
        simulated(world.group, number, "ready", OLD)
    for number, simulation in enumerate(Simulation.objects.filter(number__lt=3).order_by("number"), start=1):
        Rollback.objects.create(
            group=world.group,
            number=number,
            snapshot_number=1,
            way="exempt",
            until=AT,
            simulation=simulation,
            created_at=OLD,
        )

    retention.prune(at=AT)

    assert [rollback.number for rollback in Rollback.objects.all()] == [2]
    assert set(Simulation.objects.values_list("number", flat=True)) == {2, 3}


def test_the_ledger_stays(world: World) -> None:
    before = Entry.objects.count()
    assert before

    retention.prune(at=AT + timedelta(days=3650))

    assert Entry.objects.count() == before


def test_a_job_does_it() -> None:
    message("delivered", OutboxStatus.DELIVERED, OLD - timedelta(days=3650))

    jobs.prune()

    assert kept() == set()
