"""When a compliance report is built, and that it stays as it was."""

import json

import pytest
from django.db import IntegrityError, transaction

from audit.models import OutboxMessage, Report, ReportFile
from audit.models.report import ReportStatus
from config.access import SYSTEM
from governance import compliance
from governance.models import (
    Finding,
    WebhookSubscription,
)
from governance.reports import documents
from tests.factories import AT, World
from tests.governance.reports.reported import DAY, built, content, run


def test_a_report_that_is_ready_never_changes(fleet: World) -> None:
    report = built(fleet)
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(title="Better")
    with pytest.raises(IntegrityError, match="never changes"), transaction.atomic():
        ReportFile.objects.filter(report=report).update(content=b"")
    compliance.build(report.pk, at=AT + DAY)
    assert Report.objects.get().finished_at == AT


def test_a_report_outlives_what_it_speaks_of(fleet: World) -> None:
    report = built(fleet)
    before = content(report, "json")
    Finding.objects.all().delete()
    assert json.loads(before)["outstanding"][0]["tenant"] == "tenant-b"
    assert content(Report.objects.get(), "json") == before


def test_a_run_has_one_report_however_often_it_is_asked_for(fleet: World) -> None:
    first = run(fleet)
    report = compliance.report_on(first, at=AT)
    again = compliance.report_on(first, at=AT + DAY)
    assert (again.pk, again.status) == (report.pk, ReportStatus.READY)
    assert report.data is not None
    assert report.data["run"]["number"] == 1


def test_a_report_whose_builder_was_killed_is_built_anew(fleet: World) -> None:
    report = compliance.request(fleet.group, actor=SYSTEM, at=AT)
    Report.objects.filter(pk=report.pk).update(status=ReportStatus.BUILDING)
    assert compliance.build(report.pk, at=AT).status == ReportStatus.READY


def test_whether_the_group_was_ever_reported_on(fleet: World) -> None:
    assert compliance.never_reported(fleet.group)
    compliance.request(fleet.group, actor=SYSTEM, at=AT)
    assert compliance.never_reported(fleet.group)
    built(fleet)
    assert not compliance.never_reported(fleet.group)


def test_a_report_that_cannot_be_built_says_why_and_raises_an_alert(
    fleet: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    WebhookSubscription.objects.create(group=fleet.group, name="hook", url="https://example.org", secret="s")

    def out_of_ink(*_: object) -> None:
        raise OSError("out of ink")

    monkeypatch.setattr(documents, "render", out_of_ink)
    report = built(fleet)
    assert (report.status, report.error) == (ReportStatus.FAILED, "OSError: out of ink")
    assert OutboxMessage.objects.get(destination="webhook").payload["subject"] == "report_failed"
    monkeypatch.undo()
    assert compliance.build(report.pk, at=AT).status == ReportStatus.READY
