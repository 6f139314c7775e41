"""Whom a report that is ready is told, and how often."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import IntegrityError

from audit.models import OutboxMessage, Report
from audit.models.outbox import Destination
from audit.models.report import ReportStatus
from config.access import SYSTEM
from governance import compliance, delivery
from governance.models import Notification, Run
from tenants.models import Membership, Preferences, Role, User
from tests import factories
from tests.factories import AT, World
from tests.governance.reports.reported import run

DAY = timedelta(days=1)


def told() -> list[dict[str, Any]]:
    messages = OutboxMessage.objects.filter(destination=Destination.NOTIFY).order_by("created_at", "pk")
    return [one for message in messages for one in message.payload["recipients"]]


def asked(world: World, user: User) -> None:
    report = compliance.request(world.group, actor=world.access(user).actor, at=AT)
    for _ in range(2):  # a job may run twice
        compliance.build(report.pk, at=AT)


def test_who_asked_for_a_report_is_told_once_that_it_is_ready(fleet: World) -> None:
    asked(fleet, fleet.owner)
    [message] = told()
    assert message["user"] == fleet.owner.username
    assert message["subject"].startswith("Acme: Report 1 is ready, ")
    assert f"{fleet.owner} asked for it" in message["text"] or "owner asked for it" in message["text"]
    assert "/to/" in message["link"], "a signed link"
    delivery.deliver_due(at=AT)
    kept = Notification.objects.get()
    assert (kept.user, kept.kind) == (fleet.owner, "report")
    assert kept.link.startswith("/g/acme/reports/")


def test_it_is_told_in_the_readers_language(fleet: World) -> None:
    Preferences.objects.create(user=fleet.owner, language="zh")
    asked(fleet, fleet.owner)
    [message] = told()
    assert message["subject"].startswith("Acme：报告 1 已生成")


def test_who_started_the_run_is_told_of_its_report(fleet: World) -> None:
    started = run(fleet)
    Run.objects.filter(pk=started.pk).update(started_by_id=fleet.viewer.pk, started_by_name="viewer")
    started.refresh_from_db()
    report = compliance.report_on(started, at=AT)
    assert report.requested_by == "viewer"
    assert [one["user"] for one in told()] == [fleet.viewer.username]


def test_who_may_no_longer_read_it_is_told_nothing(fleet: World) -> None:
    report = compliance.request(fleet.group, actor=fleet.access(fleet.viewer).actor, at=AT)
    Membership.objects.filter(user=fleet.viewer).delete()
    compliance.build(report.pk, at=AT)
    assert told() == []


def test_of_reports_that_nobody_asked_for_the_owners_are_told_once_a_day(fleet: World) -> None:
    second = factories.member(fleet.group, "second", Role.OWNER)
    for at in (AT, AT + timedelta(minutes=5), AT + DAY):
        compliance.build(compliance.request(fleet.group, actor=SYSTEM, at=at).pk, at=at)
    people = {fleet.owner.username, second.username}
    assert sorted(one["user"] for one in told()) == sorted([*people, *people])
    assert all("asked for it" not in one["text"] for one in told())


def test_a_report_that_failed_is_no_news_of_a_report(fleet: World, monkeypatch: Any) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ValueError("No paper.")

    monkeypatch.setattr("governance.reports.documents.render", fails)
    asked(fleet, fleet.owner)
    assert told() == []


def test_a_report_of_which_nobody_can_be_told_is_ready_all_the_same(fleet: World, monkeypatch: Any) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise IntegrityError("odd")

    monkeypatch.setattr("governance.announcements.report_ready", fails)
    asked(fleet, fleet.owner)
    report = Report.objects.get()
    assert (report.status, report.error) == (ReportStatus.READY, "")
    assert report.files.exists()
    assert told() == []
