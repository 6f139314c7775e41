"""However many ask for a group's follow-up at once, it is one job."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audit.outbox import Delivery
from config import queue
from governance import jobs, stages, waking
from tests.factories import AT, World

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def test_many_reasons_are_one_follow_up(world: World) -> None:
    asked = [waking.follow_up(world.group.pk, at=AT + number * SECOND) for number in range(5)]
    assert (asked.count(True), queue.waiting()) == (1, 1)


def test_what_happens_once_it_has_begun_is_a_reason_again(world: World) -> None:
    waking.follow_up(world.group.pk, at=AT)
    jobs.follow_up(world.group.pk)
    assert waking.follow_up(world.group.pk, at=AT + SECOND)


def test_one_that_got_lost_is_asked_for_again(world: World) -> None:
    waking.follow_up(world.group.pk, at=AT)
    assert waking.follow_up(world.group.pk, at=AT + waking.LOST_AFTER + SECOND)


def test_the_next_one_waits_a_little_after_the_one_before_and_never_long(world: World) -> None:
    def pause(after: timedelta) -> timedelta:
        return waking.pause(world.group.pk, at=AT + after)

    assert pause(timedelta()) == timedelta(), "none has begun yet"
    waking.begun(world.group.pk, at=AT)
    assert pause(waking.APART / 4) == waking.APART * 3 / 4
    assert pause(SECOND) == timedelta()
    assert pause(-SECOND) == waking.APART, "a clock that is wrong holds nobody up"
    waking.done(world.group.pk, at=AT, took=SECOND / 2)
    assert pause(SECOND / 4) == SECOND / 4, "as long as the one before took"
    waking.done(world.group.pk, at=AT, took=60 * SECOND)
    assert pause(timedelta()) == pause(-SECOND) == waking.LONGEST_REST
    assert pause(waking.LONGEST_REST) == timedelta()


@pytest.mark.parametrize(("left", "asked"), [(0, True), (1, False)])
def test_where_more_may_be_waiting_to_be_sent_another_round_is_asked_for(
    world: World, monkeypatch: pytest.MonkeyPatch, left: int, asked: bool
) -> None:
    sent = Delivery(delivered=stages.DELIVERED - 1, given_up=1 - left)
    monkeypatch.setattr("governance.delivery.deliver_due", lambda **_limits: sent)
    stages.hand_over(world.group, at=AT)
    world.group.refresh_from_db()
    assert (world.group.follow_up_asked_at is not None) == asked
