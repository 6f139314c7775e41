"""Steps of reminders, noticed when their moment comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django_q.models import OrmQ

from audit.models import OutboxMessage
from audit.models.outbox import Destination
from config import queue
from governance import duedates, jobs, reminders
from governance.models import Finding, Plugin, Rule, Run
from tenants.models import Group, User
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import DUE, find, policy, run

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])


@pytest.fixture
def told(world: World, crm: Plugin) -> Rule:
    """A finding of which its tenant's admin was told when it was found."""
    rule = policy(world, "core", "remind", owners=False)
    find(world.tenant_a, crm, rule)
    assert reminders.send(world.group, at=AT).sent
    return rule


def notice(world: World, at: datetime) -> set[str]:
    """Who hears of it, by name."""
    group = Group.objects.get(pk=world.group.pk)
    sent = duedates.notice(group, at=at).sent
    return set(User.objects.filter(pk__in=sent).values_list("username", flat=True))


def looks(world: World, at: datetime) -> Iterator[tuple[timedelta, set[str]]]:
    """What each look around a moment brings, by the time after it."""
    for minutes in (-4, -1, 2, 5):
        yield minutes * MINUTE, notice(world, at + minutes * MINUTE)


def test_a_step_is_told_at_the_first_look_after_its_moment_and_no_more(world: World, told: Rule) -> None:
    expected = {-4 * MINUTE: set(), -MINUTE: set(), 2 * MINUTE: {"tenant-admin"}, 5 * MINUTE: set()}
    assert dict(looks(world, DUE - timedelta(days=2))) == expected
    assert dict(looks(world, DUE)) == expected


def test_steps_that_came_while_nobody_looked_are_told_at_the_next_look(world: World, told: Rule) -> None:
    assert notice(world, DUE - timedelta(days=3)) == set()
    assert notice(world, DUE - timedelta(days=1)) == {"tenant-admin"}


def test_one_that_a_run_told_is_not_told_again(world: World, told: Rule) -> None:
    assert notice(world, DUE - MINUTE) == set()
    assert reminders.send(world.group, at=DUE).sent
    assert notice(world, DUE + MINUTE) == set()


def test_a_look_that_was_cut_off_before_it_counted_tells_nobody_twice(world: World, told: Rule) -> None:
    notice(world, DUE - MINUTE)
    assert notice(world, DUE + MINUTE) == {"tenant-admin"}
    Group.objects.update(steps_noticed_at=DUE - MINUTE)
    assert notice(world, DUE + 2 * MINUTE) == set()


@pytest.fixture
def found(world: World, crm: Plugin) -> Rule:
    """A finding of which nobody has been told, since no run came by."""
    rule = policy(world, "core", "remind", owners=False)
    find(world.tenant_a, crm, rule)
    return rule


def test_what_is_found_between_runs_is_told_once_it_is_decided_about_and_by_no_run_again(
    world: World, found: Rule
) -> None:
    brought = [notice(world, AT + minutes * MINUTE) for minutes in (1, 4, 7)]
    assert brought == [set(), {"tenant-admin"}, set()]
    assert not reminders.send(world.group, at=AT + timedelta(days=1)).sent


@pytest.mark.parametrize(
    ("under_way", "told_by_the_look"),
    [
        ({}, False),
        ({"status": "acting"}, True),
        ({"dry_run": True}, True),
        ({"policy_names": ["other"]}, True),
    ],
)
def test_what_a_run_is_about_to_tell_is_left_to_it(
    world: World, found: Rule, under_way: dict[str, Any], told_by_the_look: bool
) -> None:
    going = run(world)
    Run.objects.filter(pk=going.pk).update(**{"status": "running", **under_way})
    assert notice(world, AT + MINUTE) == set()
    assert notice(world, AT + 4 * MINUTE) == ({"tenant-admin"} if told_by_the_look else set())
    Run.objects.update(status="completed")
    assert bool(reminders.send(world.group, at=AT + 5 * MINUTE).sent) is not told_by_the_look


@pytest.mark.parametrize(
    ("stage", "ends"), [("report", "completed"), ("verify", "completed"), ("evaluate", "failed")]
)
def test_what_was_left_to_a_run_that_does_not_tell_it_is_told_by_a_later_look(
    world: World, found: Rule, stage: str, ends: str
) -> None:
    going = run(world)
    Run.objects.filter(pk=going.pk).update(status="running", stage=stage)
    told = [notice(world, AT + minutes * MINUTE) for minutes in (1, 4)]
    Run.objects.update(status=ends)
    told += [notice(world, AT + minutes * MINUTE) for minutes in (7, 10)]
    assert [one for one in told if one] == [{"tenant-admin"}]


def test_what_tells_nobody_when_it_is_found_is_told_by_no_look(world: World, crm: Plugin) -> None:
    rule = policy(world, "core", "remind", escalation=[{"tell": "owners", "after": "0d"}])
    find(world.tenant_a, crm, rule)
    assert [notice(world, AT + minutes * MINUTE) for minutes in (1, 4)] == [set(), set()]


def test_what_is_settled_or_paused_reaches_no_step(world: World, told: Rule) -> None:
    notice(world, DUE - MINUTE)
    Finding.objects.update(status="resolved", closed_at=DUE - MINUTE)
    assert notice(world, DUE + MINUTE) == set()


def test_a_look_that_finds_nothing_asks_little(world: World, told: Rule) -> None:
    group = Group.objects.get(pk=world.group.pk)
    with CaptureQueriesContext(connection) as asked:
        duedates.notice(group, at=AT + MINUTE)
    assert len(asked) <= 4


def test_the_job_looks_at_every_group_that_is_governed(world: World, told: Rule) -> None:
    sent = OutboxMessage.objects.filter(destination=Destination.NOTIFY)
    before = sent.count()
    with time_machine.travel(DUE, tick=False):
        Group.objects.filter(pk=world.group.pk).update(governance_enabled=False)
        jobs.notice_steps()
        queue.run_pending()
        assert sent.count() == before
        Group.objects.filter(pk=world.group.pk).update(governance_enabled=True)
        jobs.notice_steps()
        queue.run_pending()
        assert sent.count() == before + 1


def test_a_group_whose_look_fails_keeps_no_other_from_its_own(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def notice(group: Group, **more: Any) -> None:
        if group.slug == "acme":
            raise LookupError("odd")
        looked.append(group.slug)

    monkeypatch.setattr(duedates, "notice", notice)
    jobs.notice_steps()
    for row in OrmQ.objects.order_by("pk"):
        with suppress(LookupError):
            queue.run(*row.task["args"])
    assert looked == ["elsewhere"]
