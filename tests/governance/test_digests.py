"""Digests: who is told what, and when it is news."""

from datetime import timedelta

import pytest

from audit.actions import Action
from audit.models import Entry, OutboxMessage
from audit.models.outbox import Destination
from config.access import SYSTEM
from governance import notifications
from governance.messages import wording
from governance.models import (
    Conflict,
    ConflictTenant,
    Finding,
    Plugin,
    Policy,
    Told,
)
from tenants import deputies
from tenants.models import PolicyOwner
from tests import factories
from tests.factories import AT, World
from tests.governance.notified import DUE, behind, find, policy, run, sent


@pytest.fixture
def crm(world: World) -> Plugin:
    return factories.plugin(world.group, "powerx-crm-plugin", ["2.3.0", "2.4.0"])


@pytest.fixture
def drift(world: World, crm: Plugin) -> World:
    return behind(world, crm)


def test_each_person_concerned_gets_one_digest(drift: World) -> None:
    first = run(drift)
    assert notifications.send_digests(first, at=AT) == 2
    assert sorted(sent(first)) == ["owner", "tenant-admin"]


def test_a_tenant_admins_digest_names_versions_policy_and_due_date(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    digest = sent(first)["tenant-admin"]
    assert digest["tenant"] == "tenant-a"
    assert digest["due_at"] == DUE.isoformat()
    assert digest["lines"] == [
        {
            "finding": Finding.objects.get(tenant=drift.tenant_a).pk,
            "tenant": "tenant-a",
            "plugin": "powerx-crm-plugin",
            "from": "2.3.0",
            "to": "2.4.0",
            "policy": "core-plugins",
            "due_at": DUE.isoformat(),
            "status": "new",
            "says": "An upgrade will be planned; nothing for you to do.",
        }
    ]
    assert "powerx-crm-plugin 2.3.0 -> 2.4.0, policy core-plugins, due 2026-03-09" in digest["text"]


def test_nothing_about_another_tenant_is_in_a_tenant_admins_digest(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    assert "tenant-b" not in str(sent(first)["tenant-admin"])


def test_an_owners_digest_has_the_groups_figures_and_the_tenants_that_nobody_answers_for(
    drift: World,
) -> None:
    first = run(drift)
    notifications.send_digests(first, at=DUE + timedelta(days=1))
    digest = sent(first)["owner"]
    assert digest["subject"] == "Acme: 2 findings come to you because of the due date"
    assert "2 open findings in 2 tenants, 2 of them past the due date" in digest["text"]
    assert "no tenant admin to tell: tenant-b" in digest["text"]


def test_what_the_console_counts_besides_is_said_with_the_figures(drift: World, crm: Plugin) -> None:
    find(
        drift.tenant_a,
        factories.plugin(drift.group, "erp", ["2.3.0", "2.4.0"]),
        policy(drift, "watch", "observe"),
    )
    first = run(drift)
    notifications.send_digests(first, at=AT)
    assert "2 open findings in 2 tenants" in sent(first)["owner"]["text"]
    assert "1 more is only observed, set aside by a decision" in sent(first)["owner"]["text"]


@pytest.mark.parametrize(
    ("move", "english", "chinese"),
    [
        ("up", "An upgrade is planned", "已安排升级"),
        ("down", "A downgrade is planned", "已安排降级"),
        ("add", "Its installation is planned", "已安排安装"),
        ("remove", "Its removal is planned", "已安排移除"),
        ("", "A change is planned", "已安排变更"),
    ],
)
def test_what_is_planned_is_called_what_it_is(move: wording.Move, english: str, chinese: str) -> None:
    for language, told in (("en", english), ("zh", chinese)):
        said = wording.turn(status="planned", mode="enforce", move=move, language=language)
        assert said.startswith(told)


def test_a_target_older_than_what_runs_is_told_as_a_downgrade(world: World, crm: Plugin) -> None:
    versions = {"release": factories.release(crm, "2.4.0"), "target": factories.release(crm, "2.3.0")}
    find(world.tenant_a, crm, policy(world, "core", "enforce"), **versions)
    first = run(world)
    notifications.send_digests(first, at=AT)
    assert "A downgrade will be planned" in sent(first)["tenant-admin"]["text"]


def test_a_conflict_is_put_before_the_owner_as_a_decision(drift: World, crm: Plugin) -> None:
    explanation = {"summary": "A hold and a range exclude each other", "rules": [{"policy": "hold-b"}]}
    conflict = Conflict.objects.create(
        group=drift.group, fingerprint="f", plugin=crm, explanation=explanation, found_at=AT
    )
    ConflictTenant.objects.create(group=drift.group, conflict=conflict, tenant=drift.tenant_b)
    first = run(drift)
    notifications.send_digests(first, at=AT)
    digest = sent(first)["owner"]
    assert digest["subject"].endswith("1 decision waiting")
    assert "A hold and a range exclude each other (1 tenant)" in digest["text"]
    assert digest["lines"][0]["status"] == "needs_decision"
    kinds = OutboxMessage.objects.filter(payload__recipients__0__user="owner")
    assert [row.payload["kind"] for row in kinds] == ["decision"]
    assert "exclude each other" not in str(sent(first)["tenant-admin"])


def test_drift_of_a_policy_that_only_observes_is_told_to_nobody(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "watched", "observe"))
    assert notifications.send_digests(run(world), at=AT) == 0


def test_accepted_drift_is_told_to_nobody(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "core", "remind"), status="accepted")
    assert notifications.send_digests(run(world), at=AT) == 0


def test_a_paused_policy_tells_nobody(drift: World) -> None:
    Policy.objects.filter(name="core-plugins").update(status=Policy.Status.PAUSED)
    assert notifications.send_digests(run(drift), at=AT) == 0


def test_a_profile_decides_who_is_told(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "quiet", "remind", owners=False))
    first = run(world)
    notifications.send_digests(first, at=AT)
    assert list(sent(first)) == ["tenant-admin"]
    assert "Please bring it into line." in sent(first)["tenant-admin"]["text"]


def test_asked_again_the_same_run_writes_nothing_more(drift: World) -> None:
    first = run(drift)
    notifications.send_digests(first, at=AT)
    entries = Entry.objects.count()
    assert notifications.send_digests(first, at=AT) == 2
    assert OutboxMessage.objects.filter(destination=Destination.NOTIFY).count() == 2
    assert Entry.objects.count() == entries


def test_a_later_run_without_news_tells_nobody(drift: World) -> None:
    notifications.send_digests(run(drift), at=AT)
    assert notifications.send_digests(run(drift, 2), at=AT) == 0


def test_less_drift_is_no_news(world: World, crm: Plugin) -> None:
    rule, other = policy(world, "core", "enforce"), factories.plugin(world.group, "odd", ["2.3.0", "2.4.0"])
    find(world.tenant_a, crm, rule)
    gone = find(world.tenant_a, other, rule)
    notifications.send_digests(run(world), at=AT)
    Finding.objects.filter(pk=gone.pk).update(status="resolved", closed_at=AT)
    assert notifications.send_digests(run(world, 2), at=AT) == 0


def test_what_went_away_and_comes_back_is_news(world: World, crm: Plugin) -> None:
    finding = find(world.tenant_a, crm, policy(world, "core", "enforce"))
    notifications.send_digests(run(world), at=AT)
    Finding.objects.filter(pk=finding.pk).update(status="resolved", closed_at=AT)
    notifications.send_digests(run(world, 2), at=AT)
    assert Told.objects.exclude(news=[]).count() == 0
    Finding.objects.filter(pk=finding.pk).update(status="new", closed_at=None)
    assert notifications.send_digests(run(world, 3), at=AT + timedelta(hours=1)) == 2


def test_passing_the_due_date_is_news(drift: World) -> None:
    notifications.send_digests(run(drift), at=AT)
    assert notifications.send_digests(run(drift, 2), at=DUE + timedelta(minutes=1)) == 2


def test_a_run_of_one_policy_tells_of_that_one_and_forgets_no_other(world: World, crm: Plugin) -> None:
    find(world.tenant_a, crm, policy(world, "core", "enforce"))
    find(world.tenant_a, crm, policy(world, "other", "enforce"))
    assert notifications.send_digests(run(world), at=AT) == 2
    one = run(world, 2)
    one.policy_names = ["other"]
    assert notifications.send_digests(one, at=AT) == 0
    assert notifications.send_digests(run(world, 3), at=AT) == 0


def test_every_digest_is_in_the_ledger(drift: World) -> None:
    notifications.send_digests(run(drift), at=AT)
    entries = Entry.objects.filter(action=Action.NOTIFICATION_SENT).order_by("sequence")
    assert [(entry.data["person"], entry.tenant_id) for entry in entries] == [
        ("owner", None),
        ("tenant-admin", drift.tenant_a.pk),
    ]


def test_who_answers_for_a_policy_reads_of_that_policy_alone(drift: World, crm: Plugin) -> None:
    find(drift.tenant_a, crm, policy(drift, "other", "remind"))
    PolicyOwner.objects.create(group=drift.group, user=drift.viewer, policy="other")
    notifications.send_digests(started := run(drift), at=AT)
    told = sent(started)
    assert told["viewer"]["subject"] == "Acme: 1 finding in 1 tenant"
    assert told["owner"]["subject"] == "Acme: 3 findings in 2 tenants"
    assert "core-plugins" not in told["viewer"]["text"]


def test_a_deputy_is_told_beside_the_person_who_is_away(drift: World) -> None:
    week = {"starts_on": AT.date(), "ends_on": AT.date() + timedelta(days=7)}
    deputies.appoint(drift.group, drift.tenant_admin, "viewer", **week, actor=SYSTEM, at=AT)
    notifications.send_digests(started := run(drift), at=AT)
    told = sent(started)
    assert told["viewer"]["lines"] == told["tenant-admin"]["lines"]
    assert "tenant-b" not in str(told["viewer"])
