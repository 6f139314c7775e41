"""Digests held back and released, escalated, and kept small: one message a person and window."""

from collections.abc import Collection
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection

from audit.models import OutboxMessage
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance import reminders, silences
from governance.models import Conflict, ConflictTenant, Finding, Mention, Plugin, Told
from tenants import groups
from tenants.models import PolicyOwner, Preferences, Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import DUE, find, policy

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "crm", ["2.3.0", "2.4.0"])


@pytest.fixture
def other(world: World) -> Plugin:
    return factories.plugin(world.group, "erp", ["2.3.0", "2.4.0"])


def send(world: World, at: datetime, **options: Any) -> set[str]:
    """Who gets a digest, by name."""
    return names(reminders.send(world.group, at=at, **options).sent)


def release(world: World, at: datetime) -> set[str]:
    return names(reminders.release(world.group, at=at).sent)


def names(users: Collection[int]) -> set[str]:
    return set(User.objects.filter(pk__in=users).values_list("username", flat=True))


def last(user: User) -> dict[str, Any]:
    """The person's part of the last digest to them."""
    row = OutboxMessage.objects.filter(payload__recipients__0__user=user.username).order_by("-created_at")[0]
    found: dict[str, Any] = row.payload["recipients"][0]
    return {**found, "kind": row.payload["kind"]}


def sleeps(user: User, starts: int, ends: int, zone: str = "UTC") -> None:
    Preferences.objects.create(user=user, quiet_from=time(starts), quiet_until=time(ends), time_zone=zone)


def test_what_comes_up_within_a_window_waits_for_its_end_and_goes_as_one(
    world: World, crm: Plugin, other: Plugin
) -> None:
    rule = policy(world, "core", "remind", window="4h", owners=False)
    find(world.tenant_a, crm, rule)
    assert send(world, AT) == {"tenant-admin"}
    find(world.tenant_a, other, rule)
    assert send(world, AT + HOUR) == set()
    held = Told.objects.get(user=world.tenant_admin)
    assert (held.held_until, held.held_because) == (AT + 4 * HOUR, "window")
    assert release(world, AT + 3 * HOUR) == set()
    assert release(world, AT + 4 * HOUR) == {"tenant-admin"}
    assert "crm" in last(world.tenant_admin)["text"]
    assert "erp" in last(world.tenant_admin)["text"]
    assert release(world, AT + 9 * HOUR) == set()


def test_nobody_is_reminded_of_what_a_decision_set_aside(world: World, crm: Plugin, other: Plugin) -> None:
    rule = policy(world, "core", "remind", window="4h")
    find(world.tenant_a, crm, rule, status=Finding.Status.SET_ASIDE)
    assert send(world, AT) == set()
    find(world.tenant_a, other, rule)
    assert send(world, AT) == {"owner", "tenant-admin"}
    assert "crm" not in last(world.tenant_admin)["text"]


def test_what_has_gone_away_while_it_was_held_back_is_not_told(
    world: World, crm: Plugin, other: Plugin
) -> None:
    rule = policy(world, "core", "remind", window="4h", owners=False)
    find(world.tenant_a, crm, rule)
    send(world, AT)
    gone = find(world.tenant_a, other, rule)
    send(world, AT + HOUR)
    Finding.objects.filter(pk=gone.pk).update(status="resolved", closed_at=AT)
    assert release(world, AT + 4 * HOUR) == set()
    assert not Told.objects.filter(held_until__isnull=False).exists()


def test_quiet_hours_of_the_reader_hold_a_digest_back(world: World, crm: Plugin) -> None:
    sleeps(world.tenant_admin, 22, 7, "Asia/Shanghai")
    find(world.tenant_a, crm, policy(world, "core", "remind", owners=False))
    night = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)  # two in the morning there
    assert send(world, night) == set()
    assert Told.objects.get().held_until == datetime(2026, 3, 2, 23, 0, tzinfo=UTC)
    assert release(world, datetime(2026, 3, 2, 23, 0, tzinfo=UTC)) == {"tenant-admin"}


def test_a_decision_past_its_due_date_wakes_people_up(world: World, crm: Plugin) -> None:
    sleeps(world.owner, 0, 23)
    rule = policy(world, "core", "enforce")
    find(world.tenant_a, crm, rule, status="needs_decision")
    explanation = {"summary": "They exclude each other", "rules": [{"policy": "core"}]}
    conflict = Conflict.objects.create(
        group=world.group, fingerprint="f", plugin=crm, explanation=explanation, found_at=AT
    )
    ConflictTenant.objects.create(group=world.group, conflict=conflict, tenant=world.tenant_a)
    assert "owner" not in send(world, AT)
    assert "owner" in send(world, DUE + HOUR)
    assert last(world.owner)["urgent"] is True


def test_what_a_profile_calls_urgent_waits_for_nothing(world: World, crm: Plugin, other: Plugin) -> None:
    rule = policy(world, "core", "remind", window="1d", at_once=["verify_failed"], owners=False)
    find(world.tenant_a, crm, rule)
    send(world, AT)
    find(world.tenant_a, other, rule, status="verify_failed")
    assert send(world, AT + HOUR) == {"tenant-admin"}


def test_reminders_go_up_from_the_tenant_to_whom_the_policy_has_and_to_the_owners(
    world: World, crm: Plugin
) -> None:
    keeper = factories.member(world.group, "keeper", Role.EDITOR)
    PolicyOwner.objects.create(group=world.group, user=keeper, policy="core")
    find(world.tenant_a, crm, policy(world, "core", "remind"))
    assert send(world, AT) == {"tenant-admin", "keeper", "owner"}  # the latter two read the summary
    assert send(world, DUE - 2 * DAY) == {"tenant-admin"}
    assert send(world, DUE - DAY) == {"keeper"}
    assert last(keeper)["kind"] == "escalation"
    assert "tenant-a: crm" in last(keeper)["text"]
    assert send(world, DUE + timedelta(seconds=1)) == {"tenant-admin", "owner", "keeper"}
    assert last(world.owner)["subject"] == "Acme: 1 finding comes to you because of the due date"
    assert send(world, DUE + DAY) == set()


def test_each_step_tells_once_also_when_others_have_news(world: World, crm: Plugin, other: Plugin) -> None:
    steps = [{"tell": "tenant_admins"}, {"tell": "owners", "after": "0d"}]
    rule = policy(world, "core", "remind", escalation=steps, window="0min")
    find(world.tenant_a, crm, rule)
    send(world, DUE + HOUR)
    before = Mention.objects.get(user=world.owner)
    find(world.tenant_a, other, rule, due_at=DUE + 9 * DAY)
    send(world, DUE + 2 * HOUR)
    before.refresh_from_db()
    assert before.told_at == DUE + HOUR
    assert Mention.objects.filter(user=world.owner).count() == 1


def test_another_due_date_is_news(world: World, crm: Plugin) -> None:
    finding = find(world.tenant_a, crm, policy(world, "core", "remind", owners=False))
    send(world, AT)
    Finding.objects.filter(pk=finding.pk).update(due_at=DUE + DAY)
    assert send(world, AT + 2 * HOUR) == {"tenant-admin"}


def test_a_snoozed_finding_is_left_out_until_then_for_who_snoozed_it_alone(world: World, crm: Plugin) -> None:
    second = factories.member(world.group, "second-admin", Role.TENANT_ADMIN, of=world.tenant_a)
    finding = find(world.tenant_a, crm, policy(world, "core", "remind", owners=False))
    actor = world.access(world.tenant_admin).actor
    silences.snooze(finding, user=world.tenant_admin, until=AT + DAY, reason="Away", actor=actor, at=AT)
    assert send(world, AT) == {second.username}
    assert send(world, AT + DAY) == {"tenant-admin"}


def test_what_was_acknowledged_is_heard_of_again_when_it_is_late(world: World, crm: Plugin) -> None:
    finding = find(world.tenant_a, crm, policy(world, "core", "remind", owners=False))
    actor = world.access(world.tenant_admin).actor
    silences.acknowledge(finding, user=world.tenant_admin, reason="On it", actor=actor, at=AT)
    assert send(world, DUE - DAY) == set()
    assert send(world, DUE + HOUR) == {"tenant-admin"}


def test_a_burst_of_a_hundred_thousand_findings_makes_one_message_a_person(world: World, crm: Plugin) -> None:
    rule = policy(world, "core", "remind", escalation=[{"tell": "tenant_admins"}])
    burst(world, crm, rule.pk, 100_000)
    assert send(world, AT) == {"tenant-admin", "owner"}
    told = last(world.tenant_admin)
    assert len(told["lines"]) == 50
    assert told["folded"] == 99_950
    assert "and 99,950 more" in told["text"]
    assert len(str(told)) < 60_000
    assert "100,000 open findings in 1 tenant" in last(world.owner)["text"]
    assert send(world, AT + 2 * HOUR) == set()
    assert OutboxMessage.objects.filter(destination=Destination.NOTIFY).count() == 2


def burst(world: World, plugin: Plugin, rule: int, count: int) -> None:
    """So many findings of one tenant at one stroke."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO governance_finding (group_id, tenant_id, plugin_id, policy_id, rule_id, rule_key,"
            " status, severity, opened_at, opened_snapshot, due_at)"
            " SELECT r.group_id, %s, %s, r.policy_id, r.id, 'rule-' || n, 'new', 'low', %s, 1, %s"
            " FROM governance_rule r, generate_series(1, %s) AS n WHERE r.id = %s",
            [world.tenant_a.pk, plugin.pk, AT, DUE, count, rule],
        )


def test_many_people_are_told_some_at_a_time_and_each_once(
    world: World, crm: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reminders, "MOST_AT_ONCE", 1)
    find(world.tenant_a, crm, policy(world, "core", "remind"))
    factories.member(world.group, "second-admin", Role.TENANT_ADMIN, of=world.tenant_a)
    assert send(world, AT) == {"tenant-admin", "second-admin", "owner"}
    assert OutboxMessage.objects.filter(destination=Destination.NOTIFY).count() == 3
    assert send(world, AT + 2 * HOUR) == set()


def test_only_what_is_shown_is_read_however_many_findings_there_are(
    world: World, crm: Plugin, django_assert_max_num_queries: Any
) -> None:
    rule = policy(world, "core", "remind")
    find(world.tenant_a, crm, rule)
    with django_assert_max_num_queries(80) as few:
        send(world, AT)
    enough = len(few)
    burst(world, crm, rule.pk, 500)
    with django_assert_max_num_queries(enough):
        assert send(world, AT + 2 * HOUR) == {"tenant-admin"}


def test_a_digest_is_written_in_the_readers_language_and_by_their_clock(world: World, crm: Plugin) -> None:
    Preferences.objects.create(user=world.tenant_admin, language="zh", time_zone="Asia/Shanghai")
    find(world.tenant_a, crm, policy(world, "core", "enforce"))
    send(world, AT)
    told = last(world.tenant_admin)
    assert told["subject"] == "tenant-a：1 项偏差"
    assert "期限 2026年3月9日 17:00（Asia/Shanghai）" in told["text"]
    assert "将安排升级，您无需操作。" in told["text"]
    assert "<th>租户</th>" in told["html"]


def test_a_tenant_whose_admin_has_left_is_named_to_the_owners(world: World, crm: Plugin) -> None:
    find(world.tenant_b, crm, policy(world, "core", "remind"))
    assert send(world, AT) == {"owner"}
    assert "no tenant admin to tell: tenant-b" in last(world.owner)["text"]
    groups.add_member(
        world.group, world.tenant_admin, Role.TENANT_ADMIN, tenant=world.tenant_b, actor=SYSTEM, at=AT
    )
    assert send(world, AT + 2 * HOUR) == {"tenant-admin"}


def test_two_messages_within_a_second_both_arrive(world: World, crm: Plugin, other: Plugin) -> None:
    rule = policy(world, "core", "remind", window="1d", at_once=["verify_failed"], owners=False)
    find(world.tenant_a, crm, rule)
    send(world, AT)
    find(world.tenant_a, other, rule, status="verify_failed")
    assert send(world, AT + timedelta(milliseconds=500)) == {"tenant-admin"}
    assert OutboxMessage.objects.filter(destination=Destination.NOTIFY).count() == 2
